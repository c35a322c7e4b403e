//! Types of the fields of cart requests.

use crate::extract::fields::integer;
use crate::extract::request::integer_schema;
use crate::resources::prelude::*;
use tradepost_domain::kernel::{FieldError, FieldName, ProductId, Quantity};

field_type! { ProductId = integer(product_id), integer_schema(1, i64::MAX) }

fn product_id(number: i64) -> Result<ProductId, FieldError> {
    ProductId::new(number).ok_or(FieldError::UnknownProduct)
}

field_type! { Quantity = integer(Self::new), integer_schema(1, i64::from(Self::MAX)) }

// The quantity of an item; 0, which is `None`, removes it.
field_type! { Option<Quantity> =
    integer(Quantity::or_removal), integer_schema(0, i64::from(Quantity::MAX))
}

/// Names for `quantity` in other shop APIs. If they were ignored, an item would hold one unit, or
/// keep its quantity.
const QUANTITY_SYNONYMS: &[FieldName] = &["qty", "count", "amount", "units"];

/// Rejects other names for `quantity`, unless it has a value itself.
pub(super) fn refuse_quantity_synonyms(fields: &mut Fields) {
    if !fields.has_value("quantity") {
        fields.refuse(QUANTITY_SYNONYMS, "the units of a line are its quantity");
    }
}
