//! Reads the fields of a request, and finds all that is wrong with them at once.
//!
//! Numbers are read from their text. None goes through a float, so that no digit is lost.

use crate::error::ApiError;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tradepost_domain::{FieldErrors, FieldName, Problem, Refusal};

/// The fields that a request has, by name, and what was found to be wrong so far. A field that
/// nobody asks for is never looked at.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: BTreeMap<String, Box<RawValue>>,
    errors: FieldErrors,
}

impl Fields {
    pub(crate) fn new(values: BTreeMap<String, Box<RawValue>>) -> Self {
        Self {
            values,
            errors: FieldErrors::default(),
        }
    }

    /// A field that has to be there.
    pub(crate) fn required<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        if !self.values.contains_key(name) {
            self.errors.push(name, Problem::Required);
        }
        self.optional(name, read)
    }

    /// A field that may be left out, but not be null.
    pub(crate) fn optional<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let value = match self.values.get(name)?.get() {
            "null" => Err(Problem::Null),
            json => read(json),
        };
        self.errors.keep(name, value)
    }

    /// A field that may be left out, and be null as well.
    pub(crate) fn nullable<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<Option<T>> {
        let value = match self.values.get(name)?.get() {
            "null" => Ok(None),
            json => read(json).map(Some),
        };
        self.errors.keep(name, value)
    }

    /// What a header says, which may be left out.
    pub(crate) fn header<T>(
        &mut self,
        name: FieldName,
        value: Result<Option<T>, Problem>,
    ) -> Option<T> {
        self.errors.keep(name, value).flatten()
    }

    /// What was made of the required fields, unless something is wrong with any field.
    pub(crate) fn complete<T>(self, required: Option<T>) -> Result<T, ApiError> {
        match required {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Refusal::Invalid(self.errors).into()),
        }
    }
}

/// Text. NUL is refused in any of it: PostgreSQL cannot store it.
pub(crate) fn text<T>(
    make: impl FnOnce(&str) -> Result<T, Problem>,
) -> impl FnOnce(&str) -> Result<T, Problem> {
    |json| {
        let text = string(json)?;
        if text.contains('\0') {
            return Err(Problem::ControlCharacter);
        }
        make(&text)
    }
}

/// A whole number, or a string of its digits. One beyond 64 bits is read as the nearest within,
/// which no field allows.
pub(crate) fn integer<T>(
    make: impl FnOnce(i64) -> Result<T, Problem>,
) -> impl FnOnce(&str) -> Result<T, Problem> {
    |json| {
        let text = number(json).ok_or(Problem::NotAnInteger)?;
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, &*text),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::NotAnInteger);
        }
        let beyond = if negative { i64::MIN } else { i64::MAX };
        make(text.parse().unwrap_or(beyond))
    }
}

/// A decimal number, or a string with one.
pub(crate) fn decimal<T>(
    make: impl FnOnce(&str) -> Result<T, Problem>,
) -> impl FnOnce(&str) -> Result<T, Problem> {
    |json| make(&number(json).ok_or(Problem::NotADecimal)?)
}

/// `true` or `false`, and nothing that could be taken for them.
pub(crate) fn boolean(json: &str) -> Result<bool, Problem> {
    match json {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem::WrongType {
            expected: "true or false",
        }),
    }
}

/// Fails for other types, and for halves of surrogate pairs, which stand for no character.
fn string(json: &str) -> Result<String, Problem> {
    let expected = if json.starts_with('"') {
        "a string of Unicode characters"
    } else {
        "a string"
    };
    serde_json::from_str(json).map_err(|_| Problem::WrongType { expected })
}

/// The text of a number, or of a string that may hold one.
fn number(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::new(serde_json::from_str(json).unwrap())
    }

    fn read_integer(json: &str) -> Result<i64, Problem> {
        integer(Ok)(json)
    }

    #[test]
    fn integers_as_a_table() {
        for (json, expected) in [
            ("2", Some(2)),
            ("-2", Some(-2)),
            ("-0", Some(0)),
            ("\"2\"", Some(2)),
            ("\"-2\"", Some(-2)),
            ("\"007\"", Some(7)),
            ("\"\\u0032\"", Some(2)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", Some(i64::MAX)),
            ("-9223372036854775809", Some(i64::MIN)),
            ("2.0", None),
            ("1e2", None),
            ("\"2.0\"", None),
            ("\"+2\"", None),
            ("\" 2\"", None),
            ("\"\"", None),
            ("\"-\"", None),
            ("\"two\"", None),
            ("\"\u{661}\"", None),
            ("true", None),
            ("[2]", None),
            ("{}", None),
        ] {
            let expected = expected.ok_or(Problem::NotAnInteger);
            assert_eq!(read_integer(json), expected, "{json}");
        }
    }

    #[test]
    fn decimals_keep_every_digit() {
        let read = |json| decimal(|text| Ok(text.to_owned()))(json);
        for (json, expected) in [
            ("0.1", Ok("0.1")),
            ("19.990", Ok("19.990")),
            ("\"19.99\"", Ok("19.99")),
            ("12345678901234567890.123", Ok("12345678901234567890.123")),
            ("true", Err(Problem::NotADecimal)),
            ("[1]", Err(Problem::NotADecimal)),
        ] {
            assert_eq!(read(json), expected.map(str::to_owned), "{json}");
        }
    }

    #[test]
    fn texts_are_whole_characters_without_nul() {
        let read = |json| text(|text| Ok(text.to_owned()))(json);
        assert_eq!(read(r#""é\u00e9 \ud83d\ude00""#), Ok("éé 😀".to_owned()));
        assert_eq!(read(r#""a\u0000b""#), Err(Problem::ControlCharacter));
        for json in [r#""\ud800""#, r#""\udc00\ud800""#, "1", "true", "[]", "{}"] {
            assert!(
                matches!(read(json), Err(Problem::WrongType { .. })),
                "{json}"
            );
        }
    }

    #[test]
    fn all_that_is_wrong_is_found_at_once() {
        let mut fields = fields(r#"{"b": null, "c": true, "d": null, "x": []}"#);
        assert_eq!(fields.required("a", integer(Ok)), None);
        assert_eq!(fields.optional("b", integer(Ok)), None);
        assert_eq!(fields.optional("c", integer(Ok)), None);
        assert_eq!(fields.nullable("d", integer(Ok)), Some(None));
        assert_eq!(fields.nullable("e", integer(Ok)), None);
        let Err(ApiError::Refused(Refusal::Invalid(errors))) = fields.complete(Some(())) else {
            panic!()
        };
        let seen: Vec<_> = errors.iter().map(|(name, _)| name).collect();
        assert_eq!(seen, ["a", "b", "c"]);
    }
}
