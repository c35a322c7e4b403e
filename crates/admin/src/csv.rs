//! Rows of CSV (RFC 4180), for spreadsheets.

/// The byte order mark, without which Excel takes a file for another encoding.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// The first characters of formulas (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// Text of people: a cell that begins like a formula gets an apostrophe, so that a spreadsheet
    /// takes it for text.
    Text(String),
    /// A number, a word or a time that the shop writes.
    Plain(String),
}

/// Appends a row.
pub(crate) fn write_row(cells: impl IntoIterator<Item = Cell>, to: &mut String) {
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            to.push(',');
        }
        match cell {
            // Apostrophes of the text itself must not be taken for the one that is added.
            Cell::Text(text) if text.trim_start_matches('\'').starts_with(FORMULA) => {
                write_cell(&format!("'{text}"), to);
            }
            Cell::Text(text) | Cell::Plain(text) => write_cell(&text, to),
        }
    }
    to.push_str("\r\n");
}

fn write_cell(text: &str, to: &mut String) {
    if !text.contains([',', '"', '\r', '\n']) {
        to.push_str(text);
        return;
    }
    to.push('"');
    to.push_str(&text.replace('"', "\"\""));
    to.push('"');
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
            let mut row = String::new();
            write_row([cell, text("end")], &mut row);
            assert_eq!(row, format!("{written},end\r\n"));
        }
    }
}
