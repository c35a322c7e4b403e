//! The OpenAPI 3.1 document, generated from the table of routes and the response DTOs.
//!
//! - `operations.rs` describes each route.
//! - `responses.rs` has the rules that derive codes, parameters and headers from the description.
//! - `problems.rs` has a schema and an example for each error code.
//! - `requests.rs` and `parameters.rs` describe the input; the DTOs, the output.
//! - `examples.rs` makes examples from the DTOs.

mod examples;
mod operations;
mod parameters;
mod problems;
mod requests;
mod responses;

use crate::error::Code;
use crate::resources::cart::CartResponse;
use crate::resources::json::{
    AccountResponse, MovementResponse, OrderResponse, PairResponse, ProductResponse, TokenResponse,
};
use crate::resources::probes::Health;
use crate::resources::root::Root;
use crate::resources::tokens::Nothing;
use crate::respond::pages::{CursorPageResponse, PageResponse};
use crate::respond::problem::Line;
use crate::routes::{self, Entry};
use operations::Operation;
use parameters::reference;
use requests::Body;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use tradepost_domain::kernel::Access;

/// The OpenAPI document of the HTTP API, as JSON, for a server at the root of its host.
pub fn document() -> &'static str {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    DOCUMENT.get_or_init(|| document_below("/"))
}

/// The same for a server at a path, which is empty at the root.
pub(crate) fn document_at(path: &str) -> String {
    match path {
        "" => document().to_owned(),
        path => document_below(path),
    }
}

fn document_below(path: &str) -> String {
    serde_json::to_string_pretty(&made(path)).unwrap_or_default()
}

const ABOUT: &str = "\
A shop's back end: catalogue, carts, orders, stock and users.

Every path serves the same without the slash at its end. HEAD answers as GET without the body, and \
OPTIONS with `Allow`. Keys of a request that nobody asks for are ignored. Errors are problem \
documents (RFC 9457), as `application/problem+json` for a client that accepts it; rely on their \
`code`.";

fn made(path: &str) -> Value {
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    let mut refusals = Map::new();
    for entry in routes::table() {
        if let Some(operation) = described(entry) {
            let method = entry.method().as_str().to_ascii_lowercase();
            let described = operation_object(entry, operation, &mut refusals);
            paths
                .entry(entry.path())
                .or_default()
                .insert(method, described);
        }
    }
    let tags = operations::TAGS.iter();
    let tags = tags.map(|(name, about)| json!({"name": name, "description": about}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tradepost",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"}
        },
        "servers": [{"url": path}],
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": refusals,
            "parameters": parameter_objects(),
            "headers": parameters::headers(),
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "`access` from `/api/token/`, or `token` from `/api-token-auth/`. `Token` and `JWT` are understood in place of `Bearer`."
            }}
        }
    })
}

/// The description of a route. A test keeps the two tables in step.
fn described(entry: &Entry) -> Option<&'static Operation> {
    let mut all = operations::TABLE.iter();
    all.find(|one| one.method == *entry.method() && one.path == entry.path())
}

fn operation_object(
    entry: &Entry,
    operation: &Operation,
    refusals: &mut Map<String, Value>,
) -> Value {
    let mut responses = Map::new();
    for (status, answer) in responses::successes(operation) {
        responses.insert(status.to_owned(), answer);
    }
    let codes = responses::codes(entry, operation);
    for (status, codes) in responses::by_status(codes) {
        let key = responses::key(&codes);
        responses.insert(status.to_string(), reference("responses", &key));
        refusals
            .entry(key)
            .or_insert_with(|| responses::refusal(&codes));
    }
    let parameters = responses::parameters(operation).into_iter();
    let bearer = json!({"bearer": []});
    let security = match entry.access() {
        Access::Public if entry.reads_token() => json!([{}, bearer]),
        Access::Public => json!([]),
        Access::Customer | Access::Staff => json!([bearer]),
    };
    let mut object = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": who(entry.access()),
        "parameters": parameters.map(|one| one.reference()).collect::<Vec<_>>(),
        "security": security,
        "responses": responses
    });
    if let (Some(body), Some(members)) = (operation.body, object.as_object_mut()) {
        members.insert("requestBody".to_owned(), body_object(body));
    }
    object
}

fn who(access: Access) -> &'static str {
    match access {
        Access::Public => "For all.",
        Access::Customer => "For whoever is signed in.",
        Access::Staff => "For staff.",
    }
}

fn body_object(body: &Body) -> Value {
    let media = |schema: Value| json!({"schema": schema, "example": body.example()});
    let form = media(reference("schemas", &body.form_name()));
    json!({"required": body.is_required(), "content": {
        "application/json": media(reference("schemas", body.name)),
        "application/x-www-form-urlencoded": form,
        "multipart/form-data": form
    }})
}

fn parameter_objects() -> Value {
    let all = parameters::ALL.iter();
    let all = all.map(|one| (one.key.to_owned(), one.description()));
    all.collect::<Map<_, _>>().into()
}

fn schemas() -> Value {
    let mut schemas = answers();
    for body in requests::ALL {
        schemas.insert(body.name.to_owned(), body.schema());
        schemas.insert(body.form_name(), body.form_schema());
    }
    for code in Code::ALL {
        schemas.insert(problems::name(*code), problems::schema(*code));
    }
    schemas.into()
}

/// The schemas of the response DTOs.
fn answers() -> Map<String, Value> {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    generator.subschema_for::<Root>();
    generator.subschema_for::<TokenResponse>();
    generator.subschema_for::<PairResponse>();
    generator.subschema_for::<Nothing>();
    generator.subschema_for::<PageResponse<AccountResponse>>();
    generator.subschema_for::<PageResponse<ProductResponse>>();
    generator.subschema_for::<PageResponse<MovementResponse>>();
    generator.subschema_for::<CartResponse>();
    generator.subschema_for::<PageResponse<OrderResponse>>();
    generator.subschema_for::<CursorPageResponse<ProductResponse>>();
    generator.subschema_for::<CursorPageResponse<OrderResponse>>();
    generator.subschema_for::<Health>();
    generator.subschema_for::<Line>();
    generator.take_definitions(true)
}
