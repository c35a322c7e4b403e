//! Numbers of cells. A number that can be read in two ways is refused.

use tradepost_domain::import::products::RowFault;
use tradepost_domain::kernel::FieldError;

/// The decimal separators of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NumberFormat {
    /// Whether a comma separates decimals: in files whose cells are separated by semicolons or
    /// tabs, which spreadsheets write where a comma separates decimals.
    pub(crate) decimal_comma: bool,
    /// Decimals of the currency.
    pub(crate) decimals: u32,
}

/// The decimal text of a cell, with a point: `12.50` for `12,50`.
///
/// Exactly three digits after the only separator are decimals or thousands, unless the currency has
/// three decimals and the file uses points, or nothing but zero stands before.
///
/// # Errors
/// [`RowFault::Ambiguous`], and [`FieldError::NotADecimal`].
pub(crate) fn decimal(cell: &str, format: NumberFormat) -> Result<String, RowFault> {
    let text = cell.trim();
    let ambiguous = || {
        Err(RowFault::Ambiguous {
            text: text.chars().take(40).collect(),
        })
    };
    let separators: Vec<char> = text.chars().filter(|c| matches!(c, '.' | ',')).collect();
    let [separator] = *separators else {
        return match separators.is_empty() {
            true => plain(text),
            false => ambiguous(),
        };
    };
    if separator == ',' && !format.decimal_comma {
        return ambiguous();
    }
    let (whole, fraction) = text.split_once(separator).unwrap_or((text, ""));
    let has_zero = whole
        .trim_start_matches(['+', '-'])
        .trim_start_matches('0')
        .is_empty();
    let is_own = separator == '.' && !format.decimal_comma && format.decimals == 3;
    if fraction.len() == 3 && !has_zero && !is_own {
        return ambiguous();
    }
    // Zeros beyond the decimals of the currency change no value: 1200.00 of a currency without any.
    let decimals = usize::try_from(format.decimals).unwrap_or_default();
    let zeros = fraction.get(decimals..).unwrap_or_default();
    let fraction = match zeros.bytes().all(|byte| byte == b'0') {
        true => fraction.get(..decimals).unwrap_or(fraction),
        false => fraction,
    };
    match fraction.is_empty() {
        true => plain(whole),
        false => plain(&format!("{whole}.{fraction}")),
    }
}

/// Digits with a sign and a point. The exponents that the domain reads are those of APIs.
fn plain(text: &str) -> Result<String, RowFault> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    match !digits.is_empty() && digits.chars().all(is_number) {
        true => Ok(text.to_owned()),
        false => Err(FieldError::NotADecimal.into()),
    }
}

/// A whole number, with or without zeros as decimals.
///
/// # Errors
/// [`RowFault::Ambiguous`], and [`FieldError::NotAnInteger`].
pub(crate) fn integer(cell: &str, format: NumberFormat) -> Result<i64, RowFault> {
    let format = NumberFormat {
        decimals: 0,
        ..format
    };
    let text = match decimal(cell, format) {
        Err(RowFault::Field(_)) => return Err(FieldError::NotAnInteger.into()),
        other => other?,
    };
    let whole = text.parse();
    whole.map_err(|_| FieldError::NotAnInteger.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &str, decimal_comma: bool, decimals: u32) -> Option<String> {
        let format = NumberFormat {
            decimal_comma,
            decimals,
        };
        match decimal(cell, format) {
            Ok(text) => Some(text),
            Err(RowFault::Ambiguous { .. }) => None,
            Err(other) => Some(other.to_string()),
        }
    }

    #[test]
    fn a_decimal_has_one_reading_or_is_refused() {
        let not = "A decimal number is required.";
        for (cell, comma, decimals, expected) in [
            ("12.50", false, 2, Some("12.50")),
            (" 12 ", false, 2, Some("12")),
            ("12,50", true, 2, Some("12.50")),
            ("12.50", true, 2, Some("12.50")),
            ("12,50", false, 2, None),
            ("1.234", false, 2, None),
            ("1.234", true, 2, None),
            ("1,234", true, 2, None),
            ("1,234", false, 2, None),
            ("1.234", false, 3, Some("1.234")),
            ("1.234", true, 3, None),
            ("0.125", false, 2, Some("0.125")),
            ("1,234.50", false, 2, None),
            ("1.234,50", true, 2, None),
            ("1.234.567", true, 2, None),
            ("1200.00", false, 0, Some("1200")),
            ("19.9000", false, 2, Some("19.90")),
            ("19.9010", false, 2, Some("19.9010")),
            ("1.000", false, 2, None),
            ("", false, 2, Some(not)),
            ("$5", false, 2, Some(not)),
            ("1e3", false, 2, Some(not)),
            ("1 234", false, 2, Some(not)),
            ("٣", false, 2, Some(not)),
        ] {
            let read = read(cell, comma, decimals);
            assert_eq!(read.as_deref(), expected, "{cell} {comma} {decimals}");
        }
    }

    #[test]
    fn an_integer_may_have_zeros_as_decimals() {
        let format = NumberFormat {
            decimal_comma: false,
            decimals: 2,
        };
        for (cell, expected) in [
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("-3", Some(-3)),
            ("+3", Some(3)),
        ] {
            assert_eq!(integer(cell, format).ok(), expected, "{cell}");
        }
        for cell in ["7.5", "", "x", "9223372036854775808"] {
            let error = integer(cell, format);
            assert_eq!(error, Err(FieldError::NotAnInteger.into()), "{cell}");
        }
        let thousands = integer("1.000", format);
        assert!(matches!(thousands, Err(RowFault::Ambiguous { .. })));
    }
}
