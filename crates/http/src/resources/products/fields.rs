//! Types of the fields of product requests.

use crate::extract::fields::{decimal, integer, text};
use crate::extract::request::{FieldType, integer_schema, text_schema};
use crate::resources::prelude::*;
use crate::respond::json::DECIMAL;
use tradepost_domain::catalog::{Price, Weight};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Currency, Description, FieldError, Money, ProductName, Sku};

field_type! { ProductName = text(Self::new), text_schema(Self::MAX) }

// The maximum is in the description: a longer text often makes the body exceed its own limit, which
// is another error.
field_type! { Description = text(Self::new), json!({
    "type": "string",
    "description": format!("What it is, in at most {} characters.", Self::MAX)
}) }

field_type! { Price, currency: Currency =
    decimal(|text| Money::parse(text, currency).and_then(Self::new)),
    json!({
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10_i64.pow(Self::DIGITS)},
            {"type": "string", "maxLength": Money::MAX_TEXT, "pattern": DECIMAL}
        ],
        "description": format!(
            "Greater than 0, at most {} digits, no more decimals than the currency has.",
            Self::DIGITS
        )
    })
}

field_type! { StockLevel = integer(Self::requested), integer_schema(0, Self::MAX) }

field_type! { Weight = integer(Self::new), integer_schema(0, Self::MAX) }

/// An empty SKU is none.
impl FieldType for Option<Sku> {
    type Context<'a> = ();

    fn parse(json: &str, (): ()) -> Result<Self, FieldError> {
        let sku = |text: &str| {
            let is_named = !text.trim().is_empty();
            is_named.then(|| Sku::new(text)).transpose()
        };
        text(sku)(json)
    }

    fn schema() -> Value {
        json!({"type": "string", "maxLength": Sku::MAX})
    }

    fn nullable_schema() -> Value {
        json!({
            "type": ["string", "null"],
            "maxLength": Sku::MAX,
            "description": "The shop's own code; unique. An empty one is null."
        })
    }
}
