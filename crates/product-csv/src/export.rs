use crate::ProductWriter;
use std::io::{self, Write};
use tradepost_domain::catalog::{ProductField, ProductFilter, ProductRepository};
use tradepost_domain::kernel::{CursorRequest, FieldError, Keyset, Progress, Sorting, StoreError};

/// Products per page of an export: the memory that it takes.
const PAGE: u32 = 500;

/// The contents and the form of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Whether archived products are written as well, with a column that says which are.
    pub archived: bool,
    /// Whether a byte order mark comes first.
    pub byte_order_mark: bool,
    /// Whether products without a sku are written, which an import cannot find again.
    pub without_sku: bool,
}

/// Number of products of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Written.
    pub written: u64,
    /// Left out, as they have no sku.
    pub left_out: u64,
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Writing failed.
    #[error(transparent)]
    Unwritable(#[from] io::Error),
}

/// Writes the products in the order of their ids, page by page. A product that changes meanwhile is
/// written in the state that was read.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    products: &dyn ProductRepository,
    options: ExportOptions,
    to: impl Write,
    progress: &dyn Progress,
) -> Result<Exported, ExportError> {
    let mut rows = ProductWriter::new(to, options.archived, options.byte_order_mark)?;
    let mut exported = Exported::default();
    progress.begin("Writing products", None);
    let mut pages = ExportPages::new(options);
    while pages.write_next(products, &mut rows, &mut exported)? {
        progress.advance(exported.written);
    }
    rows.finish()?;
    Ok(exported)
}

/// The pages of an export, for a caller that writes them one at a time.
#[derive(Debug, Clone)]
pub struct ExportPages {
    options: ExportOptions,
    /// Whether the products on sale are written, and the archived ones follow.
    archived: bool,
    next: Option<CursorRequest>,
}

impl ExportPages {
    /// From the first page.
    #[must_use]
    pub fn new(options: ExportOptions) -> Self {
        Self {
            options,
            archived: false,
            next: Some(CursorRequest::first(PAGE)),
        }
    }

    /// Writes the next page, and counts its products; whether there was one.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn write_next(
        &mut self,
        products: &dyn ProductRepository,
        rows: &mut ProductWriter<impl Write>,
        exported: &mut Exported,
    ) -> Result<bool, ExportError> {
        let Some(request) = self.next.take() else {
            return Ok(false);
        };
        let by_id = Keyset::new(&Sorting::by(ProductField::Id, false));
        let by_id = by_id.map_err(|error: FieldError| io::Error::other(error.to_string()))?;
        let filter = ProductFilter {
            archived: self.archived,
            ..ProductFilter::default()
        };
        let page = products.cursor_page(&filter, by_id, &request)?;
        for product in &page.items {
            if product.sku.is_some() || self.options.without_sku {
                rows.write(product)?;
                exported.written = exported.written.saturating_add(1);
            } else {
                exported.left_out = exported.left_out.saturating_add(1);
            }
        }
        self.next = page.next;
        if self.next.is_none() && self.options.archived && !self.archived {
            self.archived = true;
            self.next = Some(CursorRequest::first(PAGE));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::catalog::{CreateProduct, ProductDraft};
    use tradepost_domain::kernel::NoProgress;
    use tradepost_domain::testing::{ProductBuilder, at, usd};
    use tradepost_memory::MemoryStore;

    #[test]
    fn an_export_has_every_product_once() {
        let store = MemoryStore::new(usd());
        let products: &dyn ProductRepository = &store;
        // More than two pages.
        for number in 1..=1_203 {
            let draft = ProductBuilder::new(number)
                .sku(&format!("S{number}"))
                .draft();
            let sku = draft.sku.clone().filter(|_| number % 100 > 0);
            let command = CreateProduct {
                draft: ProductDraft { sku, ..draft },
                key: None,
                by: None,
                at: at(number),
            };
            products.create(command).unwrap();
        }
        for (without_sku, written) in [(false, 1_191), (true, 1_203)] {
            let options = ExportOptions {
                without_sku,
                archived: true,
                ..ExportOptions::default()
            };
            let mut file = Vec::new();
            let exported = export(products, options, &mut file, &NoProgress).unwrap();
            assert_eq!(
                (exported.written, exported.left_out),
                (written, 1_203 - written)
            );
            let text = String::from_utf8(file).unwrap();
            let rows: Vec<&str> = text.lines().skip(1).collect();
            assert_eq!(u64::try_from(rows.len()), Ok(written));
            assert!(rows[0].starts_with("S1,") && rows.last().unwrap().starts_with("S1203,"));
        }
    }
}
