//! Values of fields, from the text of their JSON.

use serde::de::DeserializeOwned;
use tradepost_domain::{Currency, Money, Problem};

/// How a row names another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Reference {
    Id(i64),
    /// By what is unique about it, as `--natural-foreign` writes it.
    Natural(String),
}

pub(crate) fn json<T: DeserializeOwned>(text: &str, expected: &'static str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|_| Problem::WrongType { expected })
}

pub(crate) fn string(text: &str) -> Result<String, Problem> {
    json(text, "a text")
}

/// A whole number, or a text of one.
pub(crate) fn integer(text: &str) -> Result<i64, Problem> {
    let number = text.trim_matches('"').parse();
    number.map_err(|_| Problem::NotAnInteger)
}

/// An amount from its decimal text, whether it is a number or a text: Django writes as many zeros
/// as the column has places.
pub(crate) fn amount(text: &str, currency: Currency) -> Result<Money, Problem> {
    let text = text.trim_matches('"').trim();
    let text = match text.split_once('.') {
        Some((_, decimals)) if decimals.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.trim_end_matches('0').trim_end_matches('.')
        }
        _ => text,
    };
    Money::parse(text, currency)
}

/// A foreign key: a number, a text, or a natural key of one part.
pub(crate) fn reference(text: &str) -> Result<Reference, Problem> {
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
        Err(_) => Err(Problem::WrongType { expected }),
    }
}
