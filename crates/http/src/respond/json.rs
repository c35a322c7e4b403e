//! JSON values that several response DTOs have, with their schemas.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use tradepost_domain::kernel::Money;

/// Text of digits that is a decimal number, as amounts are parsed.
pub(crate) const DECIMAL: &str = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$";

/// An amount as a decimal string with all the decimals of its currency.
pub(crate) struct Amount(pub(crate) Money);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (minor, decimals) = (self.0.minor(), self.0.currency().decimals());
        let mut text = String::with_capacity(MAX_AMOUNT);
        if minor < 0 {
            text.push('-');
        }
        let unit = 10_u64.saturating_pow(decimals);
        let magnitude = minor.unsigned_abs();
        push_digits(&mut text, magnitude / unit, 1);
        if decimals > 0 {
            text.push('.');
            push_digits(&mut text, magnitude % unit, decimals);
        }
        serializer.serialize_str(&text)
    }
}

/// The length of the longest amount: sign, digits and point.
const MAX_AMOUNT: usize = 21;

/// Appends a number in decimal, with zeros in front up to this number of digits. A page of products
/// has dozens of numbers in its amounts and times, and the formatting machinery of the standard
/// library takes several times as long for each.
pub fn push_digits(text: &mut String, number: u64, width: u32) {
    let mut unit = 10_u64.saturating_pow(width.saturating_sub(1));
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        // The remainder is a single digit.
        let digit = u8::try_from(number / unit % 10).unwrap_or_default();
        text.push(char::from(b'0' + digit));
        unit /= 10;
    }
}

/// A time in RFC 3339, in UTC, always to the microsecond: the precision of every store.
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (date, time) = (self.0.date_naive(), self.0.time());
        let Ok(year @ ..=9_999) = u64::try_from(date.year()) else {
            return serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true));
        };
        let mut text = String::with_capacity(MAX_TIME);
        push_digits(&mut text, year, 4);
        for (separator, number) in [
            ('-', date.month()),
            ('-', date.day()),
            ('T', time.hour()),
            (':', time.minute()),
            // A leap second is the second 60.
            (':', time.second() + time.nanosecond() / 1_000_000_000),
        ] {
            text.push(separator);
            push_digits(&mut text, number.into(), 2);
        }
        text.push('.');
        push_digits(
            &mut text,
            u64::from(time.nanosecond() % 1_000_000_000) / 1_000,
            6,
        );
        text.push('Z');
        serializer.serialize_str(&text)
    }
}

/// The length of a time with a year of four digits.
const MAX_TIME: usize = 27;

/// The number of a resource.
pub(crate) struct Id;

/// A number of units.
pub(crate) struct Units;

/// Types whose schema is inlined.
macro_rules! inline {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)+) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

inline! {
    Id = json_schema!({"type": "integer", "format": "int64", "minimum": 1});
    Units = json_schema!({"type": "integer", "format": "int64", "minimum": 0});
    Amount = json_schema!({
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
        "description": "An amount, with all the decimals of the shop's currency."
    });
    Time = json_schema!({
        "type": "string",
        "format": "date-time",
        "pattern": r"\.[0-9]{6}Z$",
        "description": "A time in UTC, to the microsecond."
    });
}

/// Declares the schema of a set of words, which has a name of its own.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident as $api:literal, $about:literal: $words:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $api.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "description": $about, "enum": $words})
            }
        }
    };
}
pub(crate) use words;

/// A response as JSON text, to be stored under an idempotency key. Empty if it cannot be
/// serialized, which no outcome within its bounds is.
pub(crate) fn encode(response: &impl Serialize) -> String {
    serde_json::to_string(response).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use tradepost_domain::kernel::Currency;

    #[test]
    fn numbers_are_written_as_by_the_standard_library() {
        for number in [0, 1, 9, 10, 99, 100, 999_999, 1_000_000, u64::MAX] {
            for width in [0, 1, 6, 20] {
                let mut text = String::from("x");
                push_digits(&mut text, number, width.try_into().unwrap());
                assert_eq!(text, format!("x{number:0width$}"));
            }
        }
    }

    #[test]
    fn amounts_are_those_of_the_domain() {
        for (code, minors) in [
            (
                "USD",
                &[0, 5, 10, 99, 100, 101, -5, -1_234, i64::MAX, i64::MIN][..],
            ),
            ("JPY", &[0, 7, 1_000, -1, i64::MAX, i64::MIN]),
            ("KWD", &[0, 1, 999, 1_000, 12_345, -1_001, i64::MIN]),
        ] {
            let currency = Currency::from_code(code).unwrap();
            for minor in minors {
                let money = Money::from_minor(*minor, currency);
                assert_eq!(encode(&Amount(money)), format!("\"{money}\""));
            }
        }
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        let leap = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap();
        let leap = leap.and_hms_nano_opt(23, 59, 59, 1_250_000_999).unwrap();
        let micros = [
            0,
            -1,
            1,
            999_999,
            951_782_400_000_000,
            1_795_368_777_626_240,
            253_402_300_799_999_999,
            253_402_300_800_000_000,
            -62_167_219_200_000_000,
            -62_167_219_200_000_001,
        ];
        let times = micros.map(|micros| DateTime::from_timestamp_micros(micros).unwrap());
        for time in times.into_iter().chain([leap.and_utc()]) {
            let expected = time.to_rfc3339_opts(SecondsFormat::Micros, true);
            assert_eq!(encode(&Time(time)), format!("\"{expected}\""));
        }
    }
}
