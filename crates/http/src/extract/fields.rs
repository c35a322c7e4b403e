//! Field parsing for request bodies, which collects all validation errors.
//!
//! Numbers are parsed from their text. None goes through a float, so that no digit is lost.

use crate::error::ApiError;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tradepost_domain::kernel::{FieldError, FieldName, Money, Refusal, ValidationErrors};

/// The fields of a request by name, and the errors found so far. A field that no handler reads is
/// never parsed.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: BTreeMap<String, Box<RawValue>>,
    is_form: bool,
    errors: ValidationErrors,
}

impl Fields {
    pub(crate) fn new(values: BTreeMap<String, Box<RawValue>>) -> Self {
        Self {
            values,
            is_form: false,
            errors: ValidationErrors::default(),
        }
    }

    /// The fields of a form, whose values are all strings. As in Django REST framework, an empty
    /// value stands for null where null is allowed, and for an absent field where a number or a
    /// boolean is optional: a form has no other way to express them.
    pub(crate) fn of_form(values: BTreeMap<String, Box<RawValue>>) -> Self {
        Self {
            is_form: true,
            ..Self::new(values)
        }
    }

    /// Rejects keys of other shop APIs that would change the order if they were read: `instead`
    /// names the field of this API. They are errors rather than ignored keys, in any case, and also
    /// with the brackets of a form's lists.
    pub(crate) fn refuse(&mut self, names: &[FieldName], instead: &'static str) {
        for name in names {
            if self.values.keys().any(|key| is_spelling_of(key, name)) {
                self.errors.push(name, FieldError::UseInstead { instead });
            }
        }
    }

    /// Whether a field has a value. A blank one in a form has none.
    pub(crate) fn has_value(&self, name: FieldName) -> bool {
        self.values.contains_key(name) && !self.is_blank_in_form(name)
    }

    /// A required field.
    pub(crate) fn required<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        let value = self.value(name, read).unwrap_or(Err(FieldError::Required));
        self.errors.keep(name, value)
    }

    fn value<T>(
        &self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<Result<T, FieldError>> {
        Some(match self.values.get(name)?.get() {
            "null" => Err(FieldError::Null),
            json => read(json),
        })
    }

    /// A field that may be absent, but not null.
    pub(crate) fn optional<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        let value = self.value(name, read)?;
        if self.is_blank_in_form(name) && value.as_ref().is_err_and(is_no_text) {
            return None;
        }
        self.errors.keep(name, value)
    }

    /// A boolean that may be absent: `true` or `false` in JSON, one of several words in a form.
    pub(crate) fn boolean(&mut self, name: FieldName) -> Option<bool> {
        let read = if self.is_form { boolean_word } else { boolean };
        self.optional(name, read)
    }

    fn is_blank_in_form(&self, name: FieldName) -> bool {
        let value = self.values.get(name);
        self.is_form && value.is_some_and(|value| value.get() == "\"\"")
    }

    /// A field that may be absent or null.
    pub(crate) fn nullable<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        let value = match self.values.get(name)?.get() {
            "null" => Ok(None),
            _ if self.is_blank_in_form(name) => Ok(None),
            json => read(json).map(Some),
        };
        self.errors.keep(name, value)
    }

    /// The value of an optional header; its error is listed among those of the fields.
    pub(crate) fn header<T>(
        &mut self,
        name: FieldName,
        value: Result<Option<T>, FieldError>,
    ) -> Option<T> {
        self.errors.keep(name, value).flatten()
    }

    /// The request that `read` makes of the fields, unless any field is invalid.
    pub(crate) fn parse<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, ApiError> {
        let request = read(&mut self);
        self.complete(request)
    }

    /// The value built from the required fields, unless any field is invalid.
    pub(crate) fn complete<T>(self, required: Option<T>) -> Result<T, ApiError> {
        match required {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Refusal::Invalid(self.errors).into()),
        }
    }
}

/// Whether a key is this name in any case, with or without the suffix that forms append to the name
/// of a list: `items[]`, `items[0][product_id]`.
fn is_spelling_of(key: &str, name: FieldName) -> bool {
    let bare = key.split_once('[').map_or(key, |(bare, _)| bare);
    bare.eq_ignore_ascii_case(name)
}

/// Text. NUL is rejected in all texts: PostgreSQL cannot store it.
pub(crate) fn text<T>(
    make: impl FnOnce(&str) -> Result<T, FieldError>,
) -> impl FnOnce(&str) -> Result<T, FieldError> {
    |json| {
        let text = string(json)?;
        if text.contains('\0') {
            return Err(FieldError::ControlCharacter);
        }
        make(&text)
    }
}

/// Whether the error is about a type other than text: a number or a boolean.
fn is_no_text(problem: &FieldError) -> bool {
    matches!(
        problem,
        FieldError::NotAnInteger | FieldError::NotADecimal | FieldError::NotABoolean
    )
}

/// An integer, or a string with one, as Django REST framework parses them: with white space around
/// it, a sign, and zeros after the point, but without an exponent. A number beyond 64 bits is
/// clamped to the nearest within, which no field allows.
pub(crate) fn integer<T>(
    make: impl FnOnce(i64) -> Result<T, FieldError>,
) -> impl FnOnce(&str) -> Result<T, FieldError> {
    |json| {
        let text = number(json).ok_or(FieldError::NotAnInteger)?;
        make(whole_number(&text).ok_or(FieldError::NotAnInteger)?)
    }
}

fn whole_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, magnitude) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let digits = match magnitude.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => magnitude,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let beyond = if negative { i64::MIN } else { i64::MAX };
    let sign = if negative { "-" } else { "" };
    Some(format!("{sign}{digits}").parse().unwrap_or(beyond))
}

/// A decimal number, or a string with one and white space around it.
pub(crate) fn decimal<T>(
    make: impl FnOnce(&str) -> Result<T, FieldError>,
) -> impl FnOnce(&str) -> Result<T, FieldError> {
    |json| make(trimmed(&number(json).ok_or(FieldError::NotADecimal)?))
}

/// A decimal number without the white space around it. The bound on its length counts the white
/// space.
pub(crate) fn trimmed(text: &str) -> &str {
    if text.len() > Money::MAX_TEXT {
        text
    } else {
        text.trim()
    }
}

/// `true` or `false`, and no other spelling.
pub(crate) fn boolean(json: &str) -> Result<bool, FieldError> {
    match json {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(FieldError::NotABoolean),
    }
}

/// The words for true and false that Django REST framework accepts, in any case.
fn boolean_word(json: &str) -> Result<bool, FieldError> {
    const TRUE: [&str; 6] = ["true", "t", "yes", "y", "on", "1"];
    const FALSE: [&str; 6] = ["false", "f", "no", "n", "off", "0"];
    let word = string(json).map_err(|_| FieldError::NotABoolean)?;
    let is_one_of = |words: [&str; 6]| words.iter().any(|one| one.eq_ignore_ascii_case(&word));
    match (is_one_of(TRUE), is_one_of(FALSE)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(FieldError::NotABoolean),
    }
}

/// Fails for other types, and for lone surrogates, which stand for no character.
fn string(json: &str) -> Result<String, FieldError> {
    let expected = if json.starts_with('"') {
        "a string of Unicode characters"
    } else {
        "a string"
    };
    serde_json::from_str(json).map_err(|_| FieldError::WrongType { expected })
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

    fn read_integer(json: &str) -> Result<i64, FieldError> {
        integer(Ok)(json)
    }

    #[test]
    fn integers_are_parsed_as_django_rest_framework_parses_them() {
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
            ("2.0", Some(2)),
            ("-2.000", Some(-2)),
            ("\"2.0\"", Some(2)),
            ("\"2.\"", Some(2)),
            ("\"+2\"", Some(2)),
            ("\" 2 \"", Some(2)),
            ("\" +2.0\\n\"", Some(2)),
            ("9223372036854775808.0", Some(i64::MAX)),
            ("2.5", None),
            ("2.0000000000000000000000001", None),
            ("1e2", None),
            ("2e0", None),
            ("\"+-2\"", None),
            ("\"2 0\"", None),
            ("\".0\"", None),
            ("\"1_000\"", None),
            ("\"\"", None),
            ("\"-\"", None),
            ("\"two\"", None),
            ("\"\u{661}\"", None),
            ("true", None),
            ("[2]", None),
            ("{}", None),
        ] {
            let expected = expected.ok_or(FieldError::NotAnInteger);
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
            ("\" +.5 \"", Ok("+.5")),
            ("true", Err(FieldError::NotADecimal)),
            ("[1]", Err(FieldError::NotADecimal)),
        ] {
            assert_eq!(read(json), expected.map(str::to_owned), "{json}");
        }
    }

    #[test]
    fn forms_have_words_for_booleans_and_json_has_none() {
        let read = |text: &str| {
            let values = || BTreeMap::from([("a".to_owned(), serde_json::from_str(text).unwrap())]);
            let mut form = Fields::of_form(values());
            let mut json = Fields::new(values());
            (form.boolean("a"), json.boolean("a"))
        };
        for word in ["true", "True", "ON", "1", "yes"] {
            assert_eq!(read(&format!("\"{word}\"")), (Some(true), None), "{word}");
        }
        for word in ["false", "FALSE", "off", "0", "No"] {
            assert_eq!(read(&format!("\"{word}\"")), (Some(false), None), "{word}");
        }
        for word in ["", "2", "maybe", "null", "\\ud800"] {
            assert_eq!(read(&format!("\"{word}\"")), (None, None), "{word}");
        }
        assert_eq!(read("true"), (None, Some(true)));
        for json in ["1", "0", "[]", "{}"] {
            assert_eq!(read(json), (None, None), "{json}");
        }
    }

    #[test]
    fn blank_form_fields_are_absent_or_null_unless_they_are_text() {
        let values = || serde_json::from_str(r#"{"a": "", "b": ""}"#).unwrap();
        let blank = |text: &str| match text {
            "" => Err(FieldError::Blank),
            text => Ok(text.to_owned()),
        };
        let mut form = Fields::of_form(values());
        assert_eq!(form.optional("a", integer(Ok)), None);
        assert_eq!(form.boolean("a"), None);
        assert_eq!(form.nullable("a", text(blank)), Some(None));
        assert!(form.errors.is_empty());
        assert_eq!(form.optional("a", text(blank)), None);
        assert_eq!(form.required("b", integer(Ok)), None);
        let wrong: Vec<_> = form.errors.iter().collect();
        assert_eq!(
            wrong,
            [("a", &FieldError::Blank), ("b", &FieldError::NotAnInteger)]
        );

        let mut json = Fields::new(values());
        assert_eq!(json.optional("a", integer(Ok)), None);
        assert_eq!(json.nullable("b", text(blank)), None);
        assert_eq!(json.errors.iter().count(), 2);
    }

    #[test]
    fn texts_are_whole_characters_without_nul() {
        let read = |json| text(|text| Ok(text.to_owned()))(json);
        assert_eq!(read(r#""é\u00e9 \ud83d\ude00""#), Ok("éé 😀".to_owned()));
        assert_eq!(read(r#""a\u0000b""#), Err(FieldError::ControlCharacter));
        for json in [r#""\ud800""#, r#""\udc00\ud800""#, "1", "true", "[]", "{}"] {
            assert!(
                matches!(read(json), Err(FieldError::WrongType { .. })),
                "{json}"
            );
        }
    }

    #[test]
    fn all_validation_errors_are_collected() {
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
