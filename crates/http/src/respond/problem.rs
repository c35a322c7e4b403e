//! Problem documents (RFC 9457): the body of an error response.

use crate::error::{ApiError, Code};
use crate::respond::json::{Amount, Id, Units};
use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::Serializer;
use tradepost_domain::kernel::{FieldName, ProductId, Refusal, Shortage, ValidationErrors};
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
    members: Members<'a>,
}

/// Members of a problem beyond those that all of them have.
#[derive(Serialize)]
#[serde(untagged)]
enum Members<'a> {
    None {},
    Fields {
        errors: Fields<'a>,
        /// The same lists at the top level, where clients of Django REST framework expect them.
        #[serde(flatten)]
        by_name: TopLevelFields<'a>,
    },
    Whole {
        non_field_errors: [String; 1],
    },
    Lines {
        lines: Vec<Line>,
    },
    Products {
        products: Vec<i64>,
    },
    Total {
        total_price: Amount,
        currency: &'static str,
    },
    Transition {
        from: &'static str,
        to: &'static str,
        allowed: Vec<&'static str>,
    },
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

/// Each field with all of its errors.
struct Fields<'a>(&'a ValidationErrors);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(sentences(self.0))
    }
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

/// Each field with all of its errors, without fields that are named like members of the document.
struct TopLevelFields<'a>(&'a ValidationErrors);

impl Serialize for TopLevelFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = sentences(self.0).into_iter();
        serializer.collect_map(fields.filter(|(name, _)| !MEMBERS.contains(name)))
    }
}

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

fn members(error: &ApiError) -> Members<'_> {
    let ApiError::Refused(refusal) = error else {
        return Members::None {};
    };
    match refusal {
        Refusal::Invalid(errors) => Members::Fields {
            errors: Fields(errors),
            by_name: TopLevelFields(errors),
        },
        Refusal::InvalidCredentials => Members::Whole {
            non_field_errors: [refusal.to_string()],
        },
        Refusal::InsufficientStock(shortages) => Members::Lines {
            lines: shortages.iter().map(line).collect(),
        },
        Refusal::ProductUnavailable(products) => Members::Products {
            products: products.iter().copied().map(ProductId::get).collect(),
        },
        Refusal::TotalChanged { current } => Members::Total {
            total_price: Amount(*current),
            currency: current.currency().code(),
        },
        Refusal::InvalidTransition { from, to, allowed } => Members::Transition {
            from: from.as_str(),
            to: to.as_str(),
            allowed: allowed.iter().copied().map(OrderStatus::as_str).collect(),
        },
        Refusal::Unauthenticated
        | Refusal::InvalidToken
        | Refusal::TooManyAttempts { .. }
        | Refusal::Forbidden
        | Refusal::NotFound
        | Refusal::CartFull { .. }
        | Refusal::EmptyCart
        | Refusal::TotalTooLarge
        | Refusal::OrderNotPending { .. }
        | Refusal::PreconditionFailed
        | Refusal::IdempotencyKeyReused
        | Refusal::TooManyKeys
        | Refusal::TooManyOpenOrders { .. }
        | Refusal::TooManyOrders { .. }
        | Refusal::PreconditionRequired
        | Refusal::LockConflict
        | Refusal::LastStaff => Members::None {},
    }
}

fn line(shortage: &Shortage) -> Line {
    Line {
        product_id: shortage.product.get(),
        available: shortage.available.units(),
        requested: shortage.requested,
    }
}
