//! Weights of other systems, rounded to whole grams in whole-number arithmetic.

use crate::number::{NumberFormat, decimal};
use tradepost_domain::catalog::Measure;
use tradepost_domain::import::products::RowFault;
use tradepost_domain::kernel::FieldError;

/// A unit of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Gram,
    Kilogram,
    Pound,
    Ounce,
}

impl Unit {
    /// Nanograms: both pounds and ounces are whole numbers of them, by their definition of 1959.
    fn nanograms(self) -> i128 {
        match self {
            Self::Gram => 1_000_000_000,
            Self::Kilogram => 1_000_000_000_000,
            Self::Pound => 453_592_370_000,
            Self::Ounce => 28_349_523_125,
        }
    }
}

/// Decimals of a weight that count: more are far below a gram.
const DECIMALS: u32 = 9;

/// The weight of a cell in a unit, in grams. Three decimals are no thousands here unless the file uses decimal
/// commas: systems write weights with a point and up to five decimals.
pub(crate) fn weight(cell: &str, unit: Unit, format: NumberFormat) -> Result<i64, RowFault> {
    let text = cell.trim();
    let is_pointed = !text.contains(',') && text.matches('.').count() == 1;
    let text = match is_pointed && !format.decimal_comma {
        true => text.to_owned(),
        false => decimal(text, format)?,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > 30
        || !is_digits(whole)
        || !is_digits(fraction)
        || whole.len() + fraction.len() == 0
    {
        return Err(FieldError::NotADecimal.into());
    }
    let kept = usize::try_from(DECIMALS).unwrap_or_default();
    let fraction: String = fraction
        .chars()
        .chain("0".repeat(kept).chars())
        .take(kept)
        .collect();
    let scaled: i128 = format!("{whole}{fraction}")
        .parse()
        .map_err(|_| FieldError::NotADecimal)?;
    let scale = 10_i128.pow(DECIMALS) * 1_000_000_000;
    // Rounds half up. At most 30 digits times 12 fit in 127 bits only up to a bound.
    let nanograms = scaled.checked_mul(unit.nanograms());
    let grams = nanograms
        .and_then(|sum| sum.checked_add(scale / 2))
        .map(|sum| sum / scale);
    let grams = grams
        .and_then(|grams| i64::try_from(grams).ok())
        .unwrap_or(i64::MAX);
    Ok(Measure::WeightGrams.check(grams)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_rounded_to_grams() {
        let point = NumberFormat {
            decimal_comma: false,
            decimals: 2,
        };
        let comma = NumberFormat {
            decimal_comma: true,
            decimals: 2,
        };
        use Unit::{Gram, Kilogram, Ounce, Pound};
        for (cell, unit, format, grams) in [
            ("500", Gram, point, 500),
            ("500.0", Gram, point, 500),
            ("453.59237", Gram, point, 454),
            ("0.5", Gram, point, 1),
            ("0.35", Kilogram, point, 350),
            ("1.234", Kilogram, point, 1_234),
            ("0,35", Kilogram, comma, 350),
            ("1", Pound, point, 454),
            ("16", Ounce, point, 454),
            (".5", Kilogram, point, 500),
            ("1000", Kilogram, point, 1_000_000),
        ] {
            let read = weight(cell, unit, format);
            assert_eq!(read, Ok(grams), "{cell} {unit:?}");
        }
        for cell in ["-1", "", ".", "x", "1e3", "1.2.3"] {
            assert!(weight(cell, Gram, point).is_err(), "{cell}");
        }
        assert!(weight("1000001", Gram, point).is_err());
        assert!(weight("99999999999999999999999999999", Kilogram, point).is_err());
        assert!(matches!(
            weight("1,234", Kilogram, comma),
            Err(RowFault::Ambiguous { .. })
        ));
    }
}
