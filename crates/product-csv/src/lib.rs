//! Products as CSV (RFC 4180): reads the columns of Tradepost, Shopify and WooCommerce, and writes
//! those of Tradepost.
//!
//! Files are streamed: the memory of both directions is bounded by a row. Problems of cells are
//! values, so that a caller can list those of a whole file; only a file that cannot be read as a
//! table of products is an error.

mod bounded;
mod cells;
mod error;
mod escape;
mod export;
mod file;
mod header;
mod html;
mod lines;
mod number;
mod report;
mod shopify;
mod weight;
mod woocommerce;
mod writer;

pub use error::CsvError;
pub use escape::escape;
pub use export::{ExportError, ExportOptions, ExportPages, Exported, export};
pub use file::{Options, ProductFile};
pub use header::Dialect;
pub use report::Report;
pub use writer::ProductWriter;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
