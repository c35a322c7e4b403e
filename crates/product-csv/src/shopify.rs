//! Rows of Shopify: the first row of a handle is the product with its first variant, the others are
//! further variants or images.

use crate::cells::Cells;
use crate::header::Field;
use crate::html::to_text;
use crate::report::Report;
use tradepost_domain::import::products::{ProductRow, RowFault};
use tradepost_domain::kernel::{Description, ProductName};

/// The product of the rows with one handle.
#[derive(Debug, Default)]
pub(crate) struct Shopify {
    handle: String,
    title: String,
    description: Option<Description>,
    archived: Option<bool>,
}

/// The value of the only option of a product without variants.
const NO_OPTION: &str = "Default Title";

impl Shopify {
    pub(crate) fn row(&mut self, cells: &mut Cells<'_>, report: &mut Report) -> Option<ProductRow> {
        let handle = cells.text(Field::Handle).unwrap_or_default().trim();
        if let Some(title) = cells.filled(Field::Name) {
            let description = cells.text(Field::Description);
            *self = Self {
                handle: handle.to_owned(),
                title: title.trim().to_owned(),
                description: description.and_then(|html| cells.description(&to_text(html))),
                archived: archived(cells),
            };
        } else if handle != self.handle {
            let why = "No earlier row has a title for this handle.";
            cells.keep::<()>(Field::Handle, Err(RowFault::Format(why.into())));
            return None;
        }
        let is_variant = [Field::Sku, Field::Price, Field::Stock];
        if !is_variant
            .into_iter()
            .any(|field| cells.filled(field).is_some())
        {
            report.pass_over("without a variant, such as further images");
            return None;
        }
        let sku = cells.sku();
        let name = self.name(cells);
        let (price, stock, measures) = (cells.price(), cells.stock(), cells.measures());
        Some(ProductRow {
            name,
            description: self.description.clone(),
            price,
            stock,
            measures,
            archived: self.archived,
            ..ProductRow::new(cells.line, sku?)
        })
    }

    /// The title with the values of the options.
    fn name(&self, cells: &mut Cells<'_>) -> Option<ProductName> {
        let options = cells.texts(Field::OptionValue).into_iter();
        let options = options.filter(|value| !value.is_empty() && *value != NO_OPTION);
        let options: Vec<&str> = options.collect();
        let name = match options.is_empty() {
            true => self.title.clone(),
            false => format!("{} - {}", self.title, options.join(" / ")),
        };
        let name = ProductName::new(&name).map_err(RowFault::from);
        cells.keep(Field::Name, name)
    }
}

/// Whether the product is not sold: neither published nor active.
fn archived(cells: &mut Cells<'_>) -> Option<bool> {
    let published = cells.boolean(Field::Published);
    let status = cells
        .filled(Field::Status)
        .map(|word| word.trim().to_ascii_lowercase());
    let active = match status.as_deref() {
        None => None,
        Some("active") => Some(Ok(true)),
        Some("draft" | "archived" | "unlisted") => Some(Ok(false)),
        Some(_) => {
            let why = "The status has to be active, draft, archived or unlisted.";
            Some(Err(RowFault::Format(why.into())))
        }
    };
    let active = active.and_then(|active| cells.keep(Field::Status, active));
    match (published, active) {
        (None, None) => None,
        (published, active) => Some(published == Some(false) || active == Some(false)),
    }
}
