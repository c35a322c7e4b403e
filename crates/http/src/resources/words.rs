//! The words of the enumerations in response DTOs, and their schemas.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;
use tradepost_domain::cart::CartIssue;
use tradepost_domain::inventory::Reason;
use tradepost_domain::orders::OrderStatus;

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

words! {
    /// The word for an [`OrderStatus`].
    OrderStatusWord as "OrderStatus", "Where an order is in its life.": statuses();
    /// The word for a [`Reason`].
    ReasonWord as "MovementReason", "Why stock changed.": Reason::ALL.map(Reason::as_str);
    /// The word for a [`CartIssue`].
    CartIssueWord as "CartIssue", "What stands in the way of ordering a line.":
        CartIssue::ALL.map(issue);
}

/// The words for each [`OrderStatus`].
pub(crate) fn statuses() -> Value {
    json!(OrderStatus::ALL.map(OrderStatus::as_str))
}

/// The word for an issue.
pub(crate) fn issue(issue: CartIssue) -> &'static str {
    match issue {
        CartIssue::ProductUnavailable => "product_unavailable",
        CartIssue::InsufficientStock => "insufficient_stock",
    }
}
