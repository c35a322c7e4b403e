//! The OpenAPI 3.1 document, derived from the endpoints of the route table.
//!
//! - `responses.rs` has the rules that derive codes, parameters and headers from an endpoint.
//! - `problems.rs` has a schema and an example for each error code.

mod headers;
mod problems;
mod reference;
mod responses;

use crate::endpoint::{Endpoint, Tag};
use crate::error::Code;
use crate::extract::request::RequestBody;
use crate::respond::problem::Line;
use crate::routes;
use reference::reference;
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
    let mut components = Components::default();
    for endpoint in routes::table() {
        let method = endpoint.method().as_str().to_ascii_lowercase();
        let operation = operation(endpoint, &mut components);
        let methods = paths.entry(endpoint.path()).or_default();
        methods.insert(method, operation);
    }
    let tags = Tag::ALL.map(|Tag(name, about)| json!({"name": name, "description": about}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tradepost",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"}
        },
        "servers": [{"url": path}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas(components.schemas),
            "responses": components.responses,
            "parameters": components.parameters,
            "headers": headers::headers(),
            "securitySchemes": {"bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "`access` from `/api/token/`, or `token` from `/api-token-auth/`. `Token` and `JWT` are understood in place of `Bearer`."
            }}
        }
    })
}

/// The components that the endpoints refer to.
#[derive(Default)]
struct Components {
    /// The schemas of the request bodies.
    schemas: Map<String, Value>,
    responses: Map<String, Value>,
    parameters: Map<String, Value>,
}

fn operation(endpoint: &Endpoint, components: &mut Components) -> Value {
    let mut responses = Map::new();
    for (status, answer) in responses::successes(endpoint) {
        responses.insert(status.to_owned(), answer);
    }
    for (status, codes) in responses::by_status(responses::codes(endpoint)) {
        let key = responses::key(&codes);
        responses.insert(status.to_string(), reference("responses", &key));
        let refusals = components.responses.entry(key);
        refusals.or_insert_with(|| responses::refusal(&codes));
    }
    let parameters = responses::parameters(endpoint).into_iter().map(|one| {
        let parameters = components.parameters.entry(one.key);
        parameters.or_insert_with(|| one.object());
        reference("parameters", one.key)
    });
    let parameters: Vec<_> = parameters.collect();
    let bearer = json!({"bearer": []});
    let security = match endpoint.access() {
        Access::Public if endpoint.policy.reads_token => json!([{}, bearer]),
        Access::Public => json!([]),
        Access::Customer | Access::Staff => json!([bearer]),
    };
    let mut operation = json!({
        "operationId": endpoint.id,
        "tags": [endpoint.tag.0],
        "summary": endpoint.summary,
        "description": who(endpoint.access()),
        "parameters": parameters,
        "security": security,
        "responses": responses
    });
    if let (Some(body), Some(members)) = (&endpoint.request, operation.as_object_mut()) {
        members.insert("requestBody".to_owned(), request_body(body));
        for (name, schema) in [
            (body.name.to_owned(), body.schema()),
            (body.form_name(), body.form_schema()),
        ] {
            components.schemas.insert(name, schema);
        }
    }
    operation
}

fn who(access: Access) -> &'static str {
    match access {
        Access::Public => "For all.",
        Access::Customer => "For whoever is signed in.",
        Access::Staff => "For staff.",
    }
}

fn request_body(body: &RequestBody) -> Value {
    let media = |schema: Value| json!({"schema": schema, "example": (body.example)()});
    let form = media(reference("schemas", &body.form_name()));
    json!({"required": body.is_required(), "content": {
        "application/json": media(reference("schemas", body.name)),
        "application/x-www-form-urlencoded": form,
        "multipart/form-data": form
    }})
}

/// All schemas: of the responses, the requests and the problem documents.
fn schemas(requests: Map<String, Value>) -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    for endpoint in routes::table() {
        for body in endpoint.success.bodies() {
            (body.define)(&mut generator);
        }
    }
    generator.subschema_for::<Line>();
    let mut schemas = generator.take_definitions(true);
    schemas.extend(requests);
    for code in Code::ALL {
        schemas.insert(problems::name(*code), problems::schema(*code));
    }
    schemas.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_name_have_one_schema() {
        let bodies = || routes::table().iter().filter_map(|one| one.request);
        for body in bodies() {
            for other in bodies().filter(|other| other.name == body.name) {
                assert_eq!(other.schema(), body.schema());
                assert_eq!((other.example)(), (body.example)());
            }
        }
    }
}
