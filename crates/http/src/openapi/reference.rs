//! References to the components of the document.

use serde_json::{Value, json};

pub(super) fn reference(kind: &str, key: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{key}")})
}
