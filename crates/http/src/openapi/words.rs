//! Schemas of the values that response DTOs consist of.

use crate::resources::json::{Amount, Time};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;
use tradepost_domain::cart::CartIssue;
use tradepost_domain::inventory::Reason;
use tradepost_domain::orders::OrderStatus;

/// Text of digits that is a decimal number, as amounts are parsed.
pub(super) const DECIMAL: &str = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$";

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

/// Types whose schema has a name of its own: one of a set of words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident as $api:literal, $about:literal: $words:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $api.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "description": $about, "enum": $words})
            }
        }
    )+};
}

/// The number of a resource.
pub(crate) struct Id;

/// A number of units.
pub(crate) struct Units;

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

words! {
    /// The word for an [`OrderStatus`].
    OrderStatusWord as "OrderStatus", "Where an order is in its life.": statuses();
    /// The word for a [`Reason`].
    ReasonWord as "MovementReason", "Why stock changed.": Reason::ALL.map(Reason::as_str);
    /// The word for a [`CartIssue`].
    CartIssueWord as "CartIssue", "What stands in the way of ordering a line.":
        CartIssue::ALL.map(crate::resources::json::issue);
}

/// The words for each [`OrderStatus`].
pub(super) fn statuses() -> Value {
    json!(OrderStatus::ALL.map(OrderStatus::as_str))
}
