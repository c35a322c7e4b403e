//! Checks every response of every test against the OpenAPI document.

use super::Reply;
use actix_web::http::Method;
use jsonschema::{Validator, draft202012};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

/// The document.
pub(crate) static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(tradepost_http::document()).unwrap());

/// Follows a reference into the components.
pub(crate) fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(target) => DOCUMENT.pointer(target.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// The path of the document that matches the path of a request.
fn described_path(path: &str) -> Option<&'static str> {
    let bare = |path: &'_ str| path.strip_suffix('/').unwrap_or(path).to_owned();
    let asked = bare(path);
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fits = |template: &str| {
        let template = bare(template);
        let parts = template.split('/').zip(asked.split('/'));
        template.split('/').count() == asked.split('/').count()
            && parts
                .into_iter()
                .all(|(due, part)| due == part || due.starts_with('{'))
    };
    // A path without parameters takes precedence over a matching one with parameters.
    let fitting = paths.keys().filter(|template| fits(template));
    let path = fitting.min_by_key(|template| template.matches('{').count());
    path.map(String::as_str)
}

/// Compares a response with the document, if the document has the path.
pub(super) fn check(reply: &Reply, method: &Method, path: &str) {
    let Some(described) = described_path(path) else {
        assert!(
            [400, 404, 429].contains(&reply.status),
            "{method} {path}: {reply:?}"
        );
        return;
    };
    let methods = &DOCUMENT["paths"][described];
    let asked = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let operation = &methods[asked.as_str().to_ascii_lowercase()];
    let answer = if operation.is_object() {
        &operation["responses"][reply.status.to_string()]
    } else if *method == Method::OPTIONS && reply.status < 300 {
        return;
    } else {
        let any = methods.as_object().unwrap().values().next().unwrap();
        &any["responses"][reply.status.to_string()]
    };
    let place = format!("{method} {path} {}", reply.status);
    assert!(answer.is_object(), "{place} is not described: {reply:?}");
    let answer = resolved(answer);
    check_headers(reply, answer, &place);
    check_body(reply, answer, method, &place);
}

fn check_headers(reply: &Reply, answer: &Value, place: &str) {
    // Headers of HTTP itself, of browsers and of CORS.
    const OTHERS: [&str; 10] = [
        "content-type",
        "content-encoding",
        "content-length",
        "connection",
        "vary",
        "cache-control",
        "content-security-policy",
        "referrer-policy",
        "x-content-type-options",
        "date",
    ];
    let described = answer["headers"].as_object().unwrap();
    for name in reply.headers.keys() {
        let known = described
            .keys()
            .any(|key| key.eq_ignore_ascii_case(name.as_str()));
        let other = OTHERS.contains(&name.as_str()) || name.as_str().starts_with("access-control-");
        assert!(known || other, "{place} has {name}");
    }
    for (name, header) in described {
        let header = resolved(header);
        let Some(value) = reply.headers.get(name.as_str()) else {
            assert_ne!(header["required"], true, "{place} has no {name}");
            continue;
        };
        let text = value.to_str().unwrap();
        let value = match header["schema"]["type"].as_str() {
            Some("integer") => json!(text.parse::<i64>().unwrap()),
            _ => json!(text),
        };
        expect_valid(&header["schema"], &value, &format!("{place} {name}"));
    }
}

fn check_body(reply: &Reply, answer: &Value, method: &Method, place: &str) {
    let Some(content) = answer["content"].as_object() else {
        assert!(reply.body.is_empty(), "{place} has a body");
        return;
    };
    if *method == Method::HEAD {
        return;
    }
    let declared = reply.header("content-type");
    let media = declared.split(';').next().unwrap();
    let schema = &content[media]["schema"];
    assert!(schema.is_object(), "{place} is {media}");
    if schema["type"] != "string" {
        expect_valid(schema, &reply.json(), place);
    }
}

/// Fails unless a value matches a schema of the document, without any member that the schema does
/// not name.
pub(crate) fn expect_valid(schema: &Value, value: &Value, place: &str) {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, &'static Validator>>> =
        LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS
        .lock()
        .unwrap_or_else(|broken| broken.into_inner());
    let validator = *validators
        .entry(schema.to_string())
        .or_insert_with(|| Box::leak(Box::new(validator(schema))));
    drop(validators);
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|e| format!("{e} at {}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{place}: {errors:?} in {value}");
}

fn validator(schema: &Value) -> Validator {
    let mut closed = DOCUMENT["components"].clone();
    for (_, schema) in closed["schemas"].as_object_mut().unwrap() {
        if schema["properties"].is_object() && schema["additionalProperties"].is_null() {
            schema["additionalProperties"] = json!(false);
        }
    }
    let mut whole = schema.clone();
    whole["components"] = closed;
    draft202012::options()
        .should_validate_formats(true)
        .build(&whole)
        .unwrap()
}
