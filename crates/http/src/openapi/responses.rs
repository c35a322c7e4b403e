//! The responses of a route. Most of them follow from rules, which stand here once.

use super::operations::{Operation, Success};
use super::parameters::{self, Parameter, reference};
use super::{examples, problems};
use crate::error::Code;
use crate::routes::Entry;
use actix_web::http::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::kernel::Access;

/// The parameters of a route.
pub(super) fn parameters(operation: &Operation) -> Vec<&'static Parameter> {
    // The files of the docs page are conditional like any file, which HTTP itself defines.
    let shows = operation.method == Method::GET && operation.uses_store;
    let candidates = [
        (&parameters::ID, operation.path.contains("{id}")),
        (&parameters::FILE, operation.path.contains("{file}")),
        (&parameters::IDEMPOTENCY_KEY, operation.is_keyed),
        (&parameters::IF_NONE_MATCH, operation.is_tagged && shows),
        (&parameters::IF_MATCH, is_guarded(operation)),
        (&parameters::REQUEST_ID, true),
    ];
    let ruled = candidates
        .into_iter()
        .filter_map(|(one, has)| has.then_some(one));
    operation.query.iter().copied().chain(ruled).collect()
}

/// Whether the route edits a resource with an `ETag`, so that `If-Match` applies.
fn is_guarded(operation: &Operation) -> bool {
    let edits = [Method::PUT, Method::PATCH, Method::DELETE].contains(&operation.method);
    operation.is_tagged && edits
}

/// Every code that a route can answer with.
pub(super) fn codes(entry: &Entry, operation: &Operation) -> BTreeSet<Code> {
    let probe = crate::resources::probes::is_probe(operation.path);
    let reads = operation.method == Method::GET;
    let knows_callers = entry.reads_token();
    let asks = operation.uses_store || knows_callers;
    let is_page = operation
        .query
        .iter()
        .any(|one| one.key == parameters::PAGE.key);
    // A cart is short, and not read through the pool of lists.
    let is_cart = operation.path == "/api/cart/";
    let rules: &[(bool, &[Code])] = &[
        (
            true,
            &[
                Code::BadRequest,
                Code::MethodNotAllowed,
                Code::InternalError,
            ],
        ),
        (!probe, &[Code::BadHost]),
        (entry.counts(), &[Code::Throttled]),
        (knows_callers, &[Code::InvalidToken]),
        (entry.access() != Access::Public, &[Code::NotAuthenticated]),
        (entry.access() == Access::Staff, &[Code::Forbidden]),
        (!operation.query.is_empty(), &[Code::Invalid]),
        (is_page || operation.path.contains('{'), &[Code::NotFound]),
        (
            operation.body.is_some(),
            &[
                Code::Invalid,
                Code::MalformedBody,
                Code::RequestTimeout,
                Code::BodyTooLarge,
                Code::UnsupportedMediaType,
            ],
        ),
        (
            operation.is_keyed,
            &[Code::Invalid, Code::IdempotencyKeyReused],
        ),
        (is_guarded(operation), &[Code::PreconditionFailed]),
        (
            asks,
            &[
                Code::Busy,
                Code::Unavailable,
                Code::Schema,
                Code::StorageFull,
            ],
        ),
        (is_page && !is_cart, &[Code::ListTimeout]),
        (asks && !reads, &[Code::OutcomeUnknown]),
    ];
    let ruled = rules.iter().filter(|(holds, _)| *holds);
    let ruled = ruled.flat_map(|(_, codes)| codes.iter());
    ruled.chain(operation.refusals).copied().collect()
}

/// The codes grouped by status.
pub(super) fn by_status(codes: BTreeSet<Code>) -> BTreeMap<u16, Vec<Code>> {
    let mut statuses = BTreeMap::<u16, Vec<Code>>::new();
    for code in codes {
        statuses
            .entry(code.status().as_u16())
            .or_default()
            .push(code);
    }
    statuses
}

/// The component key of the response with these codes.
pub(super) fn key(codes: &[Code]) -> String {
    let names: Vec<_> = codes.iter().map(|code| problems::camel(*code)).collect();
    names.join("Or")
}

/// A response with one of these codes, all of one status.
pub(super) fn refusal(codes: &[Code]) -> Value {
    let schema = one_of(codes);
    let examples = codes.iter().map(|code| {
        let example = json!({"summary": code.title(), "value": problems::example(*code)});
        (code.word().to_owned(), example)
    });
    let examples: Map<_, _> = examples.collect();
    let media = json!({"schema": schema, "examples": examples});
    let about = codes
        .iter()
        .map(|code| format!("`{}`: {}.", code.word(), code.title()));
    let mut names = ANY.to_vec();
    for code in codes {
        names.extend(match code {
            Code::Busy
            | Code::Unavailable
            | Code::ListTimeout
            | Code::Throttled
            | Code::TooManyAttempts
            | Code::TooManyOrders => Some("Retry-After"),
            Code::NotAuthenticated | Code::InvalidToken | Code::NoActiveAccount => {
                Some("WWW-Authenticate")
            }
            Code::MethodNotAllowed => Some("Allow"),
            _ => None,
        });
    }
    json!({
        "description": about.collect::<Vec<_>>().join(" "),
        "headers": headers(&names),
        "content": {"application/json": media, "application/problem+json": media}
    })
}

/// The schema of one of these codes, discriminated by `code`.
fn one_of(codes: &[Code]) -> Value {
    let schemas = codes
        .iter()
        .map(|code| reference("schemas", &problems::name(*code)));
    let schemas: Vec<_> = schemas.collect();
    if let [one] = schemas.as_slice() {
        return one.clone();
    }
    let mapping = codes.iter().map(|code| {
        let schema = format!("#/components/schemas/{}", problems::name(*code));
        (code.word().to_owned(), schema)
    });
    let mapping: BTreeMap<_, _> = mapping.collect();
    json!({"oneOf": schemas, "discriminator": {"propertyName": "code", "mapping": mapping}})
}

/// The success responses of a route, by status.
pub(super) fn successes(operation: &Operation) -> Vec<(&'static str, Value)> {
    let reads = operation.method == Method::GET;
    let with = |has, name| if has { Some(name) } else { None };
    let mut names = ANY.to_vec();
    names.extend(with(operation.is_located, "Location"));
    names.extend(with(operation.is_keyed, "Idempotent-Replayed"));
    names.extend(with(
        operation.is_tagged && operation.method != Method::DELETE,
        "ETag",
    ));
    let full = headers(&names);
    let bare = headers(ANY);
    let nothing = json!({"description": "It is done.", "headers": bare});
    let ok_with_etag = |about: &str, media: Value| json!({"description": about, "headers": full, "content": {"application/json": media}});
    let mut answers = vec![match operation.success {
        Success::Shows(schema) => ("200", ok_with_etag("Here it is.", media(schema))),
        Success::Lists(one) => ("200", ok_with_etag("Here it is.", parts(one))),
        Success::Makes(schema) => ("201", ok_with_etag("It was made.", media(schema))),
        Success::Nothing => ("204", nothing.clone()),
        Success::Text(media) => {
            let content = media.iter().map(|media| ((*media).to_owned(), text(media)));
            let content: Map<_, _> = content.collect();
            (
                "200",
                json!({"description": "Here it is.", "headers": full, "content": content}),
            )
        }
    }];
    if operation.may_remove {
        answers.push(("204", nothing));
    }
    if operation.is_tagged && reads {
        let about = "The client holds it already.";
        answers.push(("304", json!({"description": about, "headers": full})));
    }
    answers
}

fn media(schema: &str) -> Value {
    json!({"schema": reference("schemas", schema), "example": examples::of(schema)})
}

/// A numbered page, or a cursor page.
fn parts(one: &str) -> Value {
    let (page, slice) = (format!("{one}Page"), format!("{one}Slice"));
    json!({
        "schema": {"anyOf": [reference("schemas", &page), reference("schemas", &slice)]},
        "examples": {
            "page": {"summary": "By page", "value": examples::of(&page)},
            "cursor": {"summary": "By cursor", "value": examples::of(&slice)}
        }
    })
}

fn text(media: &str) -> Value {
    match media {
        "application/json" => json!({"schema": {"type": "object"}}),
        _ => json!({"schema": {"type": "string"}}),
    }
}

/// The headers of every response.
const ANY: &[&str] = &["X-Request-ID", "RateLimit", "RateLimit-Policy"];

fn headers(names: &[&str]) -> Value {
    let headers = names
        .iter()
        .map(|name| ((*name).to_owned(), reference("headers", name)));
    headers.collect::<Map<_, _>>().into()
}
