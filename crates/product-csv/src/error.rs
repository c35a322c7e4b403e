use crate::header::exported;
use std::io;

/// Why a file cannot be read as a table of products. Its text is the end of a sentence.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// No header.
    #[error("it is empty")]
    Empty,
    /// No column for the sku.
    #[error(
        "its first line has no column for the sku, but {found}. The columns are those of an \
         export ({}), of Shopify's product CSV, or of WooCommerce's",
        columns()
    )]
    NoSku {
        /// The columns.
        found: String,
    },
    /// Two columns of one name.
    #[error("its first line has the column {0} twice")]
    Repeated(String),
    /// Reading failed.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
}

/// The columns of an export whose values are imported.
fn columns() -> String {
    let columns = exported().filter(|name| *name != "currency");
    columns.chain(["archived"]).collect::<Vec<_>>().join(", ")
}

impl From<csv::Error> for CsvError {
    fn from(error: csv::Error) -> Self {
        Self::Unreadable(error.into())
    }
}
