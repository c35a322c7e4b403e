//! Types of the fields of product requests.

use crate::extract::fields::{decimal, integer, text};
use crate::extract::request::{Field, FieldGroup, FieldType, integer_schema, text_schema};
use crate::resources::prelude::*;
use crate::respond::json::DECIMAL;
use tradepost_domain::catalog::{Measure, MeasureChanges, Price};
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

impl FieldGroup for MeasureChanges {
    fn read(fields: &mut Fields) -> Self {
        let mut changes = Self::default();
        for measure in Measure::ALL {
            let value = fields.optional(measure.name(), integer(|value| measure.check(value)));
            let changed = value.and_then(|value| changes.with(*measure, value).ok());
            changes = changed.unwrap_or(changes);
        }
        changes
    }

    fn fields() -> Vec<Field> {
        let field = |measure: &Measure| {
            let schema = integer_schema(0, measure.max());
            Field::new(measure.name(), false, schema, Some(measure.about()))
        };
        Measure::ALL.iter().map(field).collect()
    }
}

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
