//! Rows of CSV (RFC 4180), for spreadsheets.

use tradepost_product_csv::escape;

/// The byte order mark, without which Excel takes a file for another encoding.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A cell.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// Text of people: a cell that begins like a formula gets an apostrophe, so that a spreadsheet
    /// takes it for text.
    Text(String),
    /// A number, a word or a time that the shop writes.
    Plain(String),
}

/// The bytes of rows.
///
/// # Errors
/// None in practice: the rows are written to memory.
pub(crate) fn write_rows<Row>(rows: impl IntoIterator<Item = Row>) -> csv::Result<Vec<u8>>
where
    Row: IntoIterator<Item = Cell>,
{
    let mut writer = csv::WriterBuilder::new();
    let mut writer = writer
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.into_iter().map(Cell::written))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

impl Cell {
    fn written(self) -> String {
        match self {
            Self::Text(text) => escape(&text).into_owned(),
            Self::Plain(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_are_text() {
        let text = |text: &str| Cell::Text(text.to_owned());
        for (cell, written) in [
            (text("Mug"), "Mug"),
            (text(""), ""),
            (text("Mug, \"large\""), "\"Mug, \"\"large\"\"\""),
            (text("one\ntwo"), "\"one\ntwo\""),
            (text("=1+1"), "'=1+1"),
            (text("'=1"), "''=1"),
            (text("'tis"), "'tis"),
            (text("@a,b"), "\"'@a,b\""),
            (text("\tx"), "'\tx"),
            (Cell::Plain("-5.00".to_owned()), "-5.00"),
        ] {
            let row = write_rows([[cell, text("end")]]).unwrap();
            let expected = format!("{written},end\r\n");
            assert_eq!(String::from_utf8(row).unwrap(), expected);
        }
    }
}
