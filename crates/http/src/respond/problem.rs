//! Problem documents (RFC 9457): the body of an error response.

use crate::error::{ApiError, Code};
use crate::respond::json::{Amount, Id, Units};
use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};
use tradepost_domain::inventory::Shortage;
use tradepost_domain::kernel::{Detail, DetailValue, FieldName, ProductId, ValidationErrors};
use tradepost_domain::orders::OrderStatus;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    instance: &'a str,
    request_id: &'a str,
    #[serde(flatten)]
    members: Members,
}

/// Members of a problem beyond those that all of them have: the details of a refusal.
struct Members(Vec<Detail>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        for Detail { name, value, .. } in &self.0 {
            members.serialize_entry(name, &Member(value))?;
            if let DetailValue::Fields(errors) = value {
                // The same lists at the top level, where clients of Django REST framework expect
                // them. A field that is named like a member of the document stands in `errors`
                // alone.
                for (field, sentences) in sentences(errors) {
                    if !MEMBERS.contains(&field) {
                        members.serialize_entry(field, &sentences)?;
                    }
                }
            }
        }
        members.end()
    }
}

/// A detail of a refusal as a JSON value.
struct Member<'a>(&'a DetailValue);

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            DetailValue::Fields(errors) => serializer.collect_map(sentences(errors)),
            DetailValue::Sentences(sentences) => serializer.collect_seq(sentences),
            DetailValue::Shortages(shortages) => serializer.collect_seq(shortages.iter().map(line)),
            DetailValue::Products(products) => {
                serializer.collect_seq(products.iter().copied().map(ProductId::get))
            }
            DetailValue::Number(number) => serializer.serialize_i64(*number),
            DetailValue::Money(amount) => Amount(*amount).serialize(serializer),
            DetailValue::Currency(currency) => serializer.serialize_str(currency.code()),
            DetailValue::Status(status) => serializer.serialize_str(status.as_str()),
            DetailValue::Statuses(statuses) => {
                serializer.collect_seq(statuses.iter().copied().map(OrderStatus::as_str))
            }
        }
    }
}

/// The schema of the JSON value of a detail.
pub(crate) fn schema(value: &DetailValue) -> Value {
    let list = |items: Value| json!({"type": "array", "items": items});
    let component = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let sentences = json!({"type": "array", "minItems": 1, "items": {"type": "string"}});
    match value {
        DetailValue::Fields(_) => json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": sentences
        }),
        DetailValue::Sentences(_) => sentences,
        DetailValue::Shortages(_) => list(component("Shortage")),
        DetailValue::Products(_) => list(json!({"type": "integer", "format": "int64"})),
        DetailValue::Number(_) => json!({"type": "integer", "format": "int64"}),
        DetailValue::Money(_) | DetailValue::Currency(_) => json!({"type": "string"}),
        DetailValue::Status(_) => component("OrderStatus"),
        DetailValue::Statuses(_) => list(component("OrderStatus")),
    }
}

/// A product of which there is not enough.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Shortage")]
pub(crate) struct Line {
    #[schemars(with = "Id")]
    product_id: i64,
    /// Units on hand.
    #[schemars(with = "Units")]
    available: i64,
    /// Units that the whole line would hold, or that would be taken.
    requested: i64,
}

/// The members of every problem document. A field with one of these names stands in `errors` alone.
const MEMBERS: [&str; 8] = [
    "type",
    "title",
    "status",
    "detail",
    "code",
    "instance",
    "request_id",
    "errors",
];

/// The sentences about each field, in the order in which the errors were found.
fn sentences(errors: &ValidationErrors) -> Vec<(FieldName, Vec<String>)> {
    let mut fields: Vec<(FieldName, Vec<String>)> = Vec::new();
    for (name, problem) in errors.iter() {
        let sentence = problem.to_string();
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sentences)) => sentences.push(sentence),
            None => fields.push((name, vec![sentence])),
        }
    }
    fields
}

/// The `type` of a code, a URN.
pub(crate) fn kind(code: Code) -> String {
    format!("urn:tradepost:error:{}", code.word())
}

/// Renders the problem document of an error.
pub(crate) fn document(error: &ApiError, instance: &str, request_id: &str) -> Vec<u8> {
    let code = error.code();
    let document = Document {
        kind: kind(code),
        title: code.title(),
        status: code.status().as_u16(),
        detail: error.to_string(),
        code: code.word(),
        instance,
        request_id,
        members: members(error),
    };
    // Strings and numbers under string keys can always be serialized.
    serde_json::to_vec(&document).unwrap_or_default()
}

fn members(error: &ApiError) -> Members {
    Members(match error {
        ApiError::Refused(refusal) => refusal.details(),
        _ => Vec::new(),
    })
}

fn line(shortage: &Shortage) -> Line {
    Line {
        product_id: shortage.product.get(),
        available: shortage.available.units(),
        requested: shortage.requested,
    }
}
