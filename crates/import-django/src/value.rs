//! Parsers of field values, from their JSON text.

use serde::de::DeserializeOwned;
use tradepost_domain::kernel::{Currency, FieldError, Money};

/// A reference to another row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reference {
    Id(i64),
    /// By a key that is not an integer, or by a natural key, as `--natural-foreign` writes it.
    Natural(String),
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Natural(name) => write!(f, "{:?}", crate::row::printable(name)),
        }
    }
}

pub(crate) fn json<T: DeserializeOwned>(
    text: &str,
    expected: &'static str,
) -> Result<T, FieldError> {
    serde_json::from_str(text).map_err(|_| FieldError::WrongType { expected })
}

pub(crate) fn string(text: &str) -> Result<String, FieldError> {
    json(text, "a text")
}

/// Parses an integer, or a text of one.
pub(crate) fn integer(text: &str) -> Result<i64, FieldError> {
    let number = text.trim_matches('"').parse();
    number.map_err(|_| FieldError::NotAnInteger)
}

/// Parses a count. A decimal column of whole units is one: `2.00`.
pub(crate) fn whole(text: &str) -> Result<i64, FieldError> {
    let text = text.trim_matches('"');
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            integer(whole)
        }
        _ => integer(text),
    }
}

/// The rules for parsing amounts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts {
    pub(crate) currency: Currency,
    /// Whether to round amounts with more decimals than the currency has, half away from zero.
    pub(crate) round: bool,
}

impl Amounts {
    /// Parses an amount from a decimal number or text, without a float: Django writes as many zeros
    /// as the column has places.
    pub(crate) fn read(self, text: &str) -> Result<Money, FieldError> {
        let text = text.trim_matches('"').trim();
        let text = match text.split_once('.') {
            Some((_, decimals)) if decimals.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.trim_end_matches('0').trim_end_matches('.')
            }
            _ => text,
        };
        match Money::parse(text, self.currency) {
            Err(FieldError::TooManyDecimals { .. } | FieldError::AmountTooLarge) if self.round => {
                self.rounded(text)
            }
            read => read,
        }
    }

    fn rounded(self, text: &str) -> Result<Money, FieldError> {
        let decimals = self.currency.decimals();
        let exact = || Money::parse(text, self.currency);
        let Some((whole, fraction)) = text.split_once('.') else {
            return exact();
        };
        let kept = usize::try_from(decimals).unwrap_or(usize::MAX);
        let (Some(kept), Some(rest)) = (fraction.get(..kept), fraction.get(kept..)) else {
            return exact();
        };
        if !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return exact();
        }
        let cut = match kept {
            "" => whole.to_owned(),
            kept => format!("{whole}.{kept}"),
        };
        let cut = Money::parse(&cut, self.currency)?;
        let step = match (rest.bytes().next(), whole.starts_with('-')) {
            (Some(b'5'..=b'9'), false) => 1,
            (Some(b'5'..=b'9'), true) => -1,
            _ => 0,
        };
        let step = Money::from_minor(step, self.currency);
        cut.plus(step).map_err(|_| FieldError::AmountTooLarge)
    }
}

/// Parses a foreign key: a number, a text, or a natural key of one part.
pub(crate) fn reference(text: &str) -> Result<Reference, FieldError> {
    if let Ok(id) = integer(text) {
        return Ok(Reference::Id(id));
    }
    if let Ok(key) = string(text) {
        return Ok(Reference::Natural(key));
    }
    let expected = "the key of a row";
    let parts: Vec<String> = json(text, expected)?;
    match <[String; 1]>::try_from(parts) {
        Ok([name]) => Ok(Reference::Natural(name)),
        Err(_) => Err(FieldError::WrongType { expected }),
    }
}

/// Parses the keys of a many-to-many column.
pub(crate) fn references(text: &str) -> Result<Vec<Reference>, FieldError> {
    let keys: Vec<Box<serde_json::value::RawValue>> = json(text, "a list of keys")?;
    keys.iter().map(|key| reference(key.get())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_may_have_decimals_that_are_zero() {
        for (text, expected) in [
            ("2", Some(2)),
            ("\"2.00\"", Some(2)),
            ("1111.0", Some(1_111)),
            ("-1.0", Some(-1)),
            ("2.50", None),
            ("2.", None),
            (".0", None),
            ("1e2", None),
        ] {
            assert_eq!(whole(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn amounts_are_rounded_half_away_from_zero_where_it_is_allowed() {
        for (code, text, exact, rounded) in [
            ("USD", "19.99", Some(1_999), 1_999),
            ("USD", "89.98999999999999", None, 8_999),
            ("USD", "239.96999999999997", None, 23_997),
            ("USD", "0.005", None, 1),
            ("USD", "-0.005", None, -1),
            ("USD", "0.00499999", None, 0),
            ("USD", "-0.004", None, 0),
            ("JPY", "99.5", None, 100),
            ("JPY", "99.40", None, 99),
            ("KWD", "1.2345", None, 1_235),
        ] {
            let currency = Currency::from_code(code).unwrap();
            let read = |round| {
                let amount = Amounts { currency, round }.read(text);
                amount.ok().map(Money::minor)
            };
            assert_eq!((read(false), read(true)), (exact, Some(rounded)), "{text}");
        }
        let currency = Currency::from_code("USD").unwrap();
        let round = true;
        for text in ["1.x", "1.00x", "1e-3", "", "NaN"] {
            assert!(Amounts { currency, round }.read(text).is_err(), "{text}");
        }
    }
}
