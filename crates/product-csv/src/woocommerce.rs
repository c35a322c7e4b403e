//! Rows of WooCommerce: simple products and variations are sold; variable and grouped products are
//! their frames.

use crate::cells::Cells;
use crate::header::Field;
use crate::html::to_text;
use crate::report::Report;
use tradepost_domain::import::products::{ProductRow, RowFault};

/// `None` for the frame of other products, and for a row with a problem.
pub(crate) fn row(cells: &mut Cells<'_>, report: &mut Report) -> Option<ProductRow> {
    let kinds = cells.text(Field::Type).unwrap_or_default().to_lowercase();
    for kind in kinds.split(',').map(str::trim) {
        let reason = match kind {
            "variable" => "of variable products, of which the variations are imported",
            "grouped" => "of grouped products",
            "external" => "of products that another shop sells",
            _ => continue,
        };
        report.pass_over(reason);
        return None;
    }
    let sku = cells.sku();
    let name = cells.name();
    // The export writes line breaks of HTML as \n.
    let html = [Field::Description, Field::ShortDescription]
        .into_iter()
        .find_map(|field| cells.filled(field));
    let description = html.and_then(|html| cells.description(&to_text(&html.replace("\\n", "\n"))));
    let (price, stock, measures) = (cells.price(), cells.stock(), cells.measures());
    let archived = archived(cells);
    Some(ProductRow {
        name,
        description,
        price,
        stock,
        measures,
        archived,
        ..ProductRow::new(cells.line, sku?)
    })
}

/// Published is 1, private is 0, a draft is -1.
fn archived(cells: &mut Cells<'_>) -> Option<bool> {
    let archived = match cells.filled(Field::Published)?.trim() {
        "1" => Ok(false),
        "0" | "-1" => Ok(true),
        _ => {
            let why = "It has to be 1 (published), 0 (private) or -1 (draft).";
            Err(RowFault::Format(why.into()))
        }
    };
    cells.keep(Field::Published, archived)
}
