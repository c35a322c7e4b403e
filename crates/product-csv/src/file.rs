//! The rows of a file.

use crate::bounded::{Bounded, MAX_ROW, RowBytes};
use crate::cells::Cells;
use crate::header::{Columns, Dialect, Field, separator};
use crate::lines::{Counted, Lines};
use crate::number::NumberFormat;
use crate::report::Report;
use crate::shopify::Shopify;
use crate::{CsvError, woocommerce};
use csv::{ReaderBuilder, StringRecord};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Cursor, Read};
use tradepost_domain::import::products::{ProductRow, RowFault, RowProblem};
use tradepost_domain::kernel::Currency;
use tradepost_text_file::Advice;

/// The remedies for a file that is no text.
const ADVICE: Advice = Advice {
    unpack: "unpack it first",
    convert: "Save it as UTF-8 (in Excel: CSV UTF-8), or convert it: \
              iconv -f {encoding} -t UTF-8 products.csv > products-utf8.csv",
};

/// How a file is read.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The shop's currency.
    pub currency: Currency,
    /// Whether stock is read.
    pub stock: bool,
}

impl Options {
    /// Every column is read.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            stock: true,
        }
    }
}

/// The rows of a file of products: an iterator of rows and of their problems.
pub struct ProductFile<'a> {
    rows: csv::Reader<Box<dyn Read + 'a>>,
    bytes: RowBytes,
    columns: Columns,
    format: NumberFormat,
    options: Options,
    report: Report,
    shopify: Shopify,
    lines: Lines,
    waiting: VecDeque<Result<ProductRow, RowProblem>>,
    is_broken: bool,
}

impl<'a> ProductFile<'a> {
    /// Opens a file: decodes it, detects its separator and reads its header.
    ///
    /// # Errors
    /// [`CsvError`].
    pub fn open(file: Box<dyn Read + 'a>, options: Options) -> Result<Self, CsvError> {
        let text = tradepost_text_file::open(file, ADVICE)?;
        let (text, bytes) = Bounded::new(text);
        let mut text = BufReader::new(text);
        let mut first = String::new();
        text.read_line(&mut first)?;
        let mut line = 1;
        // Excel names the separator in a line of its own.
        let named = first.trim_end().strip_prefix("sep=").map(str::as_bytes);
        let named = match named {
            Some([separator]) => Some(*separator),
            _ => None,
        };
        if named.is_some() {
            line = 2;
            first.clear();
            text.read_line(&mut first)?;
        }
        if first.trim().is_empty() {
            return Err(CsvError::Empty);
        }
        let separator = named.unwrap_or_else(|| separator(&first));
        let text = Cursor::new(first.into_bytes()).chain(text);
        let (text, lines) = Counted::new(text, line);
        let text: Box<dyn Read + 'a> = Box::new(text);
        let mut rows = ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .from_reader(text);
        let columns = Columns::new(rows.headers()?.iter())?;
        bytes.set(0);
        let format = NumberFormat {
            decimal_comma: separator != b',',
            decimals: options.currency.decimals(),
        };
        let known = columns.iter().filter(|(_, field)| field.is_some());
        let other = columns.iter().filter(|(_, field)| field.is_none());
        let report = Report {
            dialect: columns.dialect,
            separator: char::from(separator),
            recognised: known.map(|(name, _)| name.to_owned()).collect(),
            ignored: other.map(|(name, _)| (name.to_owned(), 0)).collect(),
            passed_over: BTreeMap::new(),
            rows: 0,
        };
        Ok(Self {
            rows,
            bytes,
            columns,
            format,
            options,
            report,
            shopify: Shopify::default(),
            lines,
            waiting: VecDeque::new(),
            is_broken: false,
        })
    }

    /// The report of the rows that were read so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Reads stock from now on, or leaves it out.
    pub fn read_stock(&mut self, stock: bool) {
        self.options.stock = stock;
    }

    /// Whether the file sets stock.
    #[must_use]
    pub fn has_stock(&self) -> bool {
        self.columns.positions(Field::Stock).next().is_some()
    }

    /// Reads the next row into the waiting ones; whether there was one.
    fn read(&mut self) -> Result<bool, CsvError> {
        self.bytes.set(0);
        let mut record = StringRecord::new();
        let read = self.rows.read_record(&mut record);
        let position = record.position().unwrap_or(self.rows.position());
        let line = self.lines.at(position.byte());
        if self.bytes.get() > MAX_ROW {
            // The rest of the file cannot be told apart from this row.
            self.is_broken = true;
            let fault = RowFault::TooLong { max: MAX_ROW };
            self.waiting
                .push_back(Err(RowProblem::new(line, "", fault)));
            return Ok(true);
        }
        if !read? {
            return Ok(false);
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(true);
        }
        self.report.rows = self.report.rows.saturating_add(1);
        if record.len() != self.columns.len() {
            let fault = RowFault::Width {
                found: record.len(),
                expected: self.columns.len(),
            };
            self.waiting
                .push_back(Err(RowProblem::new(line, "", fault)));
            return Ok(true);
        }
        self.note_ignored(&record);
        let mut cells = Cells {
            columns: &self.columns,
            record: &record,
            line,
            format: self.format,
            options: self.options,
            problems: Vec::new(),
        };
        let row = match self.columns.dialect {
            Dialect::Tradepost => own(&mut cells),
            Dialect::Shopify => self.shopify.row(&mut cells, &mut self.report),
            Dialect::WooCommerce => woocommerce::row(&mut cells, &mut self.report),
        };
        let problems = cells.problems;
        match row.filter(|_| problems.is_empty()) {
            Some(row) => self.waiting.push_back(Ok(row)),
            None => self.waiting.extend(problems.into_iter().map(Err)),
        }
        Ok(true)
    }

    fn note_ignored(&mut self, record: &StringRecord) {
        let cells = record.iter().zip(self.columns.iter());
        let ignored = cells.filter(|(_, (_, field))| field.is_none());
        for ((cell, _), (_, count)) in ignored.zip(&mut self.report.ignored) {
            if !cell.trim().is_empty() {
                *count = count.saturating_add(1);
            }
        }
    }
}

/// A row of this program's own columns. An empty description is one; other empty cells leave their
/// field unchanged.
fn own(cells: &mut Cells<'_>) -> Option<ProductRow> {
    let sku = cells.sku();
    let name = cells.name();
    let description = cells.text(Field::Description);
    let description = description.and_then(|text| cells.description(text));
    cells.currency();
    let (price, stock, measures) = (cells.price(), cells.stock(), cells.measures());
    let archived = cells.boolean(Field::Archived);
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

impl Iterator for ProductFile<'_> {
    type Item = Result<Result<ProductRow, RowProblem>, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.waiting.pop_front() {
                return Some(Ok(row));
            }
            if self.is_broken {
                return None;
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.is_broken = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
