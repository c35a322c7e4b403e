//! Formulas: a spreadsheet would execute a cell that begins like one. An export puts an apostrophe
//! before it, as spreadsheets do themselves, and an import removes exactly these apostrophes.

use std::borrow::Cow;

/// The first characters of formulas (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Whether a cell begins like a formula, after any number of apostrophes: those that it has itself
/// must not be taken for the one of an export.
fn begins_like_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// The cell that a spreadsheet takes for text: a text that begins like a formula gets an apostrophe.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    match begins_like_formula(text) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

/// The text of an escaped cell.
pub(crate) fn unescape(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if begins_like_formula(text) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_text() {
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("'=1", "''=1"),
            ("'tis", "'tis"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!((&*escape(text), unescape(cell)), (cell, text));
        }
    }

    proptest! {
        #[test]
        fn escaping_is_undone(text in "['=+@\t\r\na-]{0,8}") {
            let cell = escape(&text);
            prop_assert_eq!(unescape(&cell), &text);
            prop_assert!(!cell.starts_with(FORMULA));
        }
    }
}
