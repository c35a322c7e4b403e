//! One schema and one example per error code: the code determines which members the problem has.

use crate::error::{ApiError, Code};
use crate::respond::problem;
use actix_web::http::header::HeaderValue;
use serde_json::{Map, Value, json};
use tradepost_domain::kernel::{Detail, Refusal, StoreError, StoreErrorKind};

/// The name of the schema and of the example: `insufficient_stock` is `InsufficientStockProblem`.
pub(super) fn name(code: Code) -> String {
    format!("{}Problem", camel(code))
}

pub(super) fn camel(code: Code) -> String {
    let words = code.word().split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

pub(super) fn schema(code: Code) -> Value {
    let kind = problem::kind(code);
    let mut properties = Map::new();
    for (name, schema) in [
        ("type", json!({"type": "string", "const": kind})),
        ("title", json!({"type": "string", "const": code.title()})),
        ("status", json!({"type": "integer", "const": code.status().as_u16()})),
        ("detail", json!({"type": "string", "description": "A sentence about this error; its words may change."})),
        ("code", json!({"type": "string", "const": code.word()})),
        ("instance", json!({"type": "string", "description": "The path of the request."})),
        ("request_id", json!({"type": "string", "description": "What to name when asking about it."})),
    ]
    .into_iter()
    .chain(members(code))
    {
        properties.insert(name.to_owned(), schema);
    }
    let required: Vec<_> = properties.keys().cloned().collect();
    let mut schema = json!({
        "type": "object",
        "description": code.title(),
        "properties": properties,
        "required": required
    });
    if let (Code::Invalid, Some(members)) = (code, schema.as_object_mut()) {
        let lists = "Each wrong field once more under its own name, unless the name is a member of every problem document.";
        let sentences = json!({"type": "array", "minItems": 1, "items": {"type": "string"}, "description": lists});
        members.insert("additionalProperties".to_owned(), sentences);
    }
    schema
}

/// The members of a code beyond those that all problem documents have: the details of its refusals.
fn members(code: Code) -> Vec<(&'static str, Value)> {
    let details = refusal(code).map_or_else(Vec::new, |refusal| refusal.details());
    let member = |detail: Detail| {
        let mut schema = problem::schema(&detail.value);
        if let (Some(description), Some(schema)) = (detail.description, schema.as_object_mut()) {
            schema.insert("description".to_owned(), description.into());
        }
        (detail.name, schema)
    };
    details.into_iter().map(member).collect()
}

/// An error as a client gets it; null if the example cannot be built, which a test rejects.
pub(super) fn example(code: Code) -> Value {
    let Some(error) = sample(code) else {
        return Value::Null;
    };
    let document = problem::document(&error, code.path(), "checkout-7");
    serde_json::from_slice(&document).unwrap_or_default()
}

/// The sample of the refusal with this code.
fn refusal(code: Code) -> Option<Refusal> {
    let mut samples = Refusal::samples().into_iter();
    samples.find(|refusal| Code::of(refusal) == code)
}

/// An error with this code: one of this crate, or a refusal.
fn sample(code: Code) -> Option<ApiError> {
    let store = |kind| ApiError::Store(StoreError::new(kind));
    Some(match code {
        Code::MalformedBody => ApiError::MalformedBody("The body is not valid JSON."),
        Code::BadRequest => ApiError::CrossOrigin,
        Code::BadHost => ApiError::BadHost,
        Code::NoActiveAccount => ApiError::NoActiveAccount,
        Code::MethodNotAllowed => {
            ApiError::MethodNotAllowed(HeaderValue::from_static("POST, OPTIONS"))
        }
        Code::RequestTimeout => ApiError::BodyTimeout,
        Code::Throttled => ApiError::Throttled { seconds: 1 },
        Code::BodyTooLarge => ApiError::BodyTooLarge,
        Code::UnsupportedMediaType => ApiError::UnsupportedMediaType,
        Code::InternalError => ApiError::Panicked,
        Code::Busy => ApiError::Busy,
        Code::Unavailable => store(StoreErrorKind::Unavailable),
        Code::ListTimeout => ApiError::ListOverdue,
        Code::Schema => store(StoreErrorKind::SchemaMismatch),
        Code::OutcomeUnknown => ApiError::OutcomeUnknown,
        Code::StorageFull => store(StoreErrorKind::Full),
        _ => ApiError::Refused(refusal(code)?),
    })
}
