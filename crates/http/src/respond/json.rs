//! JSON values that several response DTOs have, with their schemas.

use chrono::{DateTime, SecondsFormat, Utc};
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
        serializer.collect_str(&self.0)
    }
}

/// A time in RFC 3339, in UTC, always to the microsecond: the precision of every store.
pub(crate) struct Time(pub(crate) DateTime<Utc>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

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
