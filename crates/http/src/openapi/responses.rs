//! The parameters and responses of an endpoint. Most of them follow from rules, which stand here
//! once.

use super::problems;
use super::reference::reference;
use crate::endpoint::{
    Endpoint, ID, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, REQUEST_ID, ResponseBody, SHOP_URL,
    Success,
};
use crate::error::Code;
use crate::extract::parameter::{CURSOR, PAGE, PAGE_SIZE, Parameter};
use actix_web::http::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::kernel::Access;

/// The parameters of an endpoint.
pub(super) fn parameters(endpoint: &Endpoint) -> Vec<&'static Parameter> {
    let pages: &[&Parameter] = match endpoint.success {
        Success::Page(_) => &[&PAGE.parameter, &PAGE_SIZE.parameter],
        Success::List { .. } => &[&PAGE.parameter, &PAGE_SIZE.parameter, &CURSOR.parameter],
        _ => &[],
    };
    // The files of the docs page are conditional like any file, which HTTP itself defines.
    let shows = *endpoint.method() == Method::GET && endpoint.uses_store;
    let candidates = [
        (&ID, endpoint.path().contains("{id}")),
        (&IDEMPOTENCY_KEY, endpoint.is_idempotent),
        (&IF_NONE_MATCH, endpoint.has_etag && shows),
        (&IF_MATCH, endpoint.reads_if_match()),
        (&REQUEST_ID, true),
    ];
    let ruled = candidates
        .into_iter()
        .filter_map(|(one, has)| has.then_some(one));
    let own = endpoint.policy.parameters.iter();
    pages.iter().chain(own).copied().chain(ruled).collect()
}

/// Every code that an endpoint can answer with.
pub(super) fn codes(endpoint: &Endpoint) -> BTreeSet<Code> {
    let (policy, access) = (endpoint.policy, endpoint.access());
    let reads = *endpoint.method() == Method::GET;
    let asks = endpoint.uses_store || policy.reads_token;
    let is_list = matches!(endpoint.success, Success::Page(_) | Success::List { .. });
    let has_query = parameters(endpoint).iter().any(|one| one.is_in_query());
    #[rustfmt::skip]
    let rules: &[(bool, &[Code])] = &[
        (true, &[Code::BadRequest, Code::MethodNotAllowed, Code::InternalError]),
        // Probes and metrics are answered for any host, and are not rate limited.
        (policy.counts, &[Code::BadHost, Code::Throttled]),
        (policy.reads_token, &[Code::InvalidToken]),
        (access != Access::Public, &[Code::NotAuthenticated]),
        (access == Access::Staff, &[Code::Forbidden]),
        (has_query, &[Code::Invalid]),
        (is_list, &[Code::NotFound, Code::ListTimeout]),
        (endpoint.path().contains('{'), &[Code::NotFound]),
        (endpoint.request.is_some(), &[
            Code::Invalid, Code::MalformedBody, Code::RequestTimeout, Code::BodyTooLarge,
            Code::UnsupportedMediaType,
        ]),
        (endpoint.is_idempotent, &[Code::Invalid, Code::IdempotencyKeyReused]),
        (endpoint.reads_if_match(), &[Code::PreconditionFailed]),
        (asks, &[Code::Busy, Code::Unavailable, Code::Schema, Code::StorageFull]),
        (asks && !reads, &[Code::OutcomeUnknown]),
    ];
    let ruled = rules.iter().filter(|(holds, _)| *holds);
    let ruled = ruled.flat_map(|(_, codes)| codes.iter());
    ruled.chain(endpoint.errors).copied().collect()
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

/// The success responses of an endpoint, by status.
pub(super) fn successes(endpoint: &Endpoint) -> Vec<(&'static str, Value)> {
    let with = |has, name| if has { Some(name) } else { None };
    let mut names = ANY.to_vec();
    names.extend(with(endpoint.has_location, "Location"));
    names.extend(with(endpoint.is_idempotent, "Idempotent-Replayed"));
    let shows = *endpoint.method() != Method::DELETE;
    names.extend(with(endpoint.has_etag && shows, "ETag"));
    let full = headers(&names);
    let nothing = json!({"description": "It is done.", "headers": headers(ANY)});
    let ok =
        |content: Value| json!({"description": "Here it is.", "headers": full, "content": content});
    let url = format!("{SHOP_URL}{}", endpoint.path().replace("{id}", "12"));
    let mut answers = vec![match endpoint.success {
        Success::Ok(body) | Success::Page(body) => ("200", ok(json_content(body, &url))),
        Success::List { page, cursor_page } => ("200", ok(list_content(page, cursor_page, &url))),
        Success::Created(body) => (
            "201",
            json!({"description": "It was made.", "headers": full, "content": json_content(body, &url)}),
        ),
        Success::NoContent => ("204", nothing.clone()),
        Success::Text(media) => {
            let content = media.iter().map(|media| ((*media).to_owned(), text(media)));
            ("200", ok(content.collect::<Map<_, _>>().into()))
        }
    }];
    if endpoint.may_remove {
        answers.push(("204", nothing));
    }
    if endpoint.has_etag && *endpoint.method() == Method::GET {
        let about = "The client holds it already.";
        answers.push(("304", json!({"description": about, "headers": full})));
    }
    answers
}

fn json_content(body: ResponseBody, url: &str) -> Value {
    json!({"application/json": {"schema": schema(body), "example": (body.example)(url)}})
}

/// A numbered page, or a cursor page.
fn list_content(page: ResponseBody, cursor_page: ResponseBody, url: &str) -> Value {
    json!({"application/json": {
        "schema": {"anyOf": [schema(page), schema(cursor_page)]},
        "examples": {
            "page": {"summary": "By page", "value": (page.example)(url)},
            "cursor": {"summary": "By cursor", "value": (cursor_page.example)(url)}
        }
    }})
}

fn schema(body: ResponseBody) -> Value {
    reference("schemas", &(body.name)())
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
