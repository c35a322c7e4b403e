//! One schema and one example per error code: the code determines which members the problem has.

use crate::error::{ApiError, Code};
use crate::respond::problem;
use actix_web::http::header::HeaderValue;
use serde_json::{Map, Value, json};
use tradepost_domain::cart::MAX_CART_ITEMS;
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{
    Currency, FieldError, Money, ProductId, Quantity, Refusal, StoreError, StoreErrorKind,
    ValidationErrors,
};
use tradepost_domain::orders::{OrderQuota, OrderStatus};

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

/// The members of a code beyond those that all problem documents have.
fn members(code: Code) -> Vec<(&'static str, Value)> {
    let whole = json!({"type": "integer", "format": "int64"});
    let status = json!({"$ref": "#/components/schemas/OrderStatus"});
    match code {
        Code::Invalid => vec![(
            "errors",
            json!({
                "type": "object",
                "description": "Each wrong field or parameter, with what is wrong with it.",
                "minProperties": 1,
                "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}}
            }),
        )],
        Code::InvalidCredentials => vec![(
            "non_field_errors",
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
        )],
        Code::InsufficientStock => vec![(
            "lines",
            json!({"type": "array", "items": {"$ref": "#/components/schemas/Shortage"}}),
        )],
        Code::ProductUnavailable => vec![(
            "products",
            json!({"type": "array", "items": whole, "description": "The ids of those no longer sold."}),
        )],
        Code::TotalChanged => vec![
            (
                "total_price",
                json!({"type": "string", "description": "The total now."}),
            ),
            ("currency", json!({"type": "string"})),
        ],
        Code::InvalidTransition => vec![
            ("from", status.clone()),
            ("to", status.clone()),
            (
                "allowed",
                json!({"type": "array", "items": status, "description": "What this user could choose instead."}),
            ),
        ],
        _ => Vec::new(),
    }
}

/// An error as a client gets it; null if the example cannot be built, which a test rejects.
pub(super) fn example(code: Code) -> Value {
    let (instance, error) = match sample(code) {
        Some(sample) => sample,
        None => return Value::Null,
    };
    let document = problem::document(&error, instance, "checkout-7");
    serde_json::from_slice(&document).unwrap_or_default()
}

fn sample(code: Code) -> Option<(&'static str, ApiError)> {
    let product = ProductId::new(12)?;
    let total = Money::from_minor(2_970, Currency::from_code("USD")?);
    let store = |kind| ApiError::Store(StoreError::new(kind));
    let refused = ApiError::Refused;
    Some(match code {
        Code::Invalid => ("/api/products/", refused(invalid())),
        Code::MalformedBody => (
            "/api/products/",
            ApiError::MalformedBody("The body is not valid JSON."),
        ),
        Code::BadRequest => ("/api/cart/", ApiError::CrossOrigin),
        Code::BadHost => ("/api/products/", ApiError::BadHost),
        Code::EmptyCart => ("/api/orders/", refused(Refusal::EmptyCart)),
        Code::InvalidCredentials => ("/api-token-auth/", refused(Refusal::InvalidCredentials)),
        Code::NoActiveAccount => ("/api/token/", ApiError::NoActiveAccount),
        Code::NotAuthenticated => ("/api/cart/", refused(Refusal::Unauthenticated)),
        Code::InvalidToken => ("/api/cart/", refused(Refusal::InvalidToken)),
        Code::Forbidden => ("/api/products/", refused(Refusal::Forbidden)),
        Code::NotFound => ("/api/products/12/", refused(Refusal::NotFound)),
        Code::MethodNotAllowed => (
            "/api/register/",
            ApiError::MethodNotAllowed(HeaderValue::from_static("POST, OPTIONS")),
        ),
        Code::RequestTimeout => ("/api/cart/", ApiError::BodyTimeout),
        Code::InsufficientStock => {
            let short = Refusal::short(product, StockLevel::new(1)?, Quantity::new(2).ok()?);
            ("/api/cart/", refused(short))
        }
        Code::ProductUnavailable => (
            "/api/orders/",
            refused(Refusal::ProductUnavailable(vec![product])),
        ),
        Code::CartFull => {
            let limit = MAX_CART_ITEMS;
            ("/api/cart/", refused(Refusal::CartFull { limit }))
        }
        Code::TotalChanged => {
            let current = total;
            ("/api/orders/", refused(Refusal::TotalChanged { current }))
        }
        Code::TotalTooLarge => ("/api/orders/", refused(Refusal::TotalTooLarge)),
        Code::InvalidTransition => ("/api/orders/1/", refused(transition())),
        Code::OrderNotPending => {
            let status = OrderStatus::Processing;
            (
                "/api/orders/1/",
                refused(Refusal::OrderNotPending { status }),
            )
        }
        Code::TooManyAttempts => {
            let seconds = 60;
            ("/api/token/", refused(Refusal::TooManyAttempts { seconds }))
        }
        Code::TooManyOrders => {
            let (limit, seconds) = (OrderQuota::default().hourly, 60);
            let refusal = Refusal::TooManyOrders { limit, seconds };
            ("/api/orders/", refused(refusal))
        }
        Code::PreconditionRequired => ("/api/products/12/", refused(Refusal::PreconditionRequired)),
        Code::Throttled => ("/api/cart/", ApiError::Throttled { seconds: 1 }),
        Code::IdempotencyKeyReused => ("/api/orders/", refused(Refusal::IdempotencyKeyReused)),
        Code::LastStaff => ("/api/users/1/", refused(Refusal::LastStaff)),
        Code::PreconditionFailed => ("/api/products/12/", refused(Refusal::PreconditionFailed)),
        Code::BodyTooLarge => ("/api/products/", ApiError::BodyTooLarge),
        Code::UnsupportedMediaType => ("/api/products/", ApiError::UnsupportedMediaType),
        Code::InternalError => ("/api/cart/", ApiError::Panicked),
        Code::Busy => ("/api/orders/", ApiError::Busy),
        Code::Unavailable => ("/api/orders/", store(StoreErrorKind::Unavailable)),
        Code::ListTimeout => ("/api/products/", ApiError::ListOverdue),
        Code::Schema => ("/readyz", store(StoreErrorKind::SchemaMismatch)),
        Code::OutcomeUnknown => ("/api/orders/", ApiError::OutcomeUnknown),
        Code::StorageFull => ("/api/orders/", store(StoreErrorKind::Full)),
    })
}

fn invalid() -> Refusal {
    let mut errors = ValidationErrors::of("name", FieldError::Required);
    errors.push("price", FieldError::TooManyDecimals { decimals: 2 });
    Refusal::Invalid(errors)
}

fn transition() -> Refusal {
    let from = OrderStatus::Pending;
    Refusal::InvalidTransition {
        from,
        to: OrderStatus::Delivered,
        allowed: from.next().to_vec(),
    }
}
