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
    let by_id = Keyset::new(&Sorting::by(ProductField::Id, false));
    let by_id = by_id.map_err(|error: FieldError| io::Error::other(error.to_string()))?;
    let mut exported = Exported::default();
    progress.begin("Writing products", None);
    for archived in [false, true] {
        if archived && !options.archived {
            break;
        }
        let filter = ProductFilter {
            archived,
            ..ProductFilter::default()
        };
        let mut next = Some(CursorRequest::first(PAGE));
        while let Some(request) = next {
            let page = products.cursor_page(&filter, by_id, &request)?;
            for product in &page.items {
                if product.sku.is_some() || options.without_sku {
                    rows.write(product)?;
                    exported.written = exported.written.saturating_add(1);
                } else {
                    exported.left_out = exported.left_out.saturating_add(1);
                }
            }
            progress.advance(exported.written);
            next = page.next;
        }
    }
    rows.finish()?;
    Ok(exported)
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
