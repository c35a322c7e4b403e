use crate::escape::escape;
use crate::header::exported;
use std::io::{self, Write};
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::Sku;

/// Writes products as CSV (RFC 4180), which [`ProductFile`](crate::ProductFile) reads back as the same
/// values. Cells that begin like formulas are escaped.
pub struct ProductWriter<W: Write> {
    rows: csv::Writer<W>,
    archived: bool,
}

impl<W: Write> ProductWriter<W> {
    /// Writes the header, after a byte order mark if requested: Excel takes a file without one for
    /// another encoding. `archived` adds the column of this name.
    ///
    /// # Errors
    /// If writing fails.
    pub fn new(mut to: W, archived: bool, byte_order_mark: bool) -> io::Result<Self> {
        if byte_order_mark {
            to.write_all("\u{feff}".as_bytes())?;
        }
        let mut rows = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(to);
        rows.write_record(exported().chain(archived.then_some("archived")))?;
        Ok(Self { rows, archived })
    }

    /// Goes on with a file that has its header.
    pub fn continued(to: W, archived: bool) -> Self {
        let mut rows = csv::WriterBuilder::new();
        let rows = rows.terminator(csv::Terminator::CRLF).from_writer(to);
        Self { rows, archived }
    }

    /// Writes a product.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&mut self, product: &Product) -> io::Result<()> {
        let money = product.price.money();
        let price = money.to_string();
        let stock = product.stock.to_string();
        let measures = product.measures.iter().map(|(_, value)| value.to_string());
        let measures: Vec<String> = measures.collect();
        let sku = escape(product.sku.as_ref().map_or("", Sku::as_str));
        let name = escape(product.name.as_str());
        let description = escape(product.description.as_str());
        let cells = [
            &*sku,
            &*name,
            &*description,
            &*price,
            money.currency().code(),
            &*stock,
        ];
        let measures = measures.iter().map(String::as_str);
        let archived = if product.archived { "true" } else { "false" };
        let archived = self.archived.then_some(archived);
        Ok(self
            .rows
            .write_record(cells.into_iter().chain(measures).chain(archived))?)
    }

    /// Flushes the buffer.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<()> {
        self.rows.flush()
    }
}
