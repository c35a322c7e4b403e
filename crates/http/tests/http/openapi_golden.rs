//! The golden files of the OpenAPI document, one for each resource.

use crate::golden::{expect_golden, expect_only};
use crate::openapi::{operations, walk};
use crate::support::described::DOCUMENT;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_http::{Endpoint, resources};

/// The components that a part of the document refers to, directly or by others: kind and name.
fn components(part: &'static Value, found: &mut BTreeSet<(String, String)>) {
    walk(part, &mut |object| {
        let target = object["$ref"].as_str().unwrap_or_default();
        let Some(target) = target.strip_prefix("#/components/") else {
            return;
        };
        let (kind, name) = target.split_once('/').unwrap();
        if found.insert((kind.to_owned(), name.to_owned())) {
            components(&DOCUMENT["components"][kind][name], found);
        }
    });
}

/// The examples of JSON bodies of the responses to GET requests, by the name of their schema.
fn examples() -> BTreeMap<String, &'static Value> {
    let mut found = BTreeMap::new();
    for (_, operation) in operations()
        .iter()
        .filter(|(name, _)| name.starts_with("GET"))
    {
        let media = &operation["responses"]["200"]["content"]["application/json"];
        let schema = media["schema"]["$ref"].as_str().unwrap_or_default();
        if let Some(name) = schema.strip_prefix("#/components/schemas/") {
            found.insert(name.to_owned(), &media["example"]);
        }
    }
    found
}

/// Replaces the examples of resources in other files, so that each is in one golden file.
fn elide(value: &mut Value, examples: &BTreeMap<String, &'static Value>) {
    if let Some((name, _)) = examples.iter().find(|(_, example)| **example == value) {
        *value = json!({"$example": name});
        return;
    }
    match value {
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| elide(member, examples)),
        Value::Array(items) => items.iter_mut().for_each(|item| elide(item, examples)),
        _ => {}
    }
}

/// The golden files: one for each resource, with its paths and the components that no resource
/// before it uses, and one with the rest of the document. The example of a component is in the file
/// that has the component.
fn golden_files() -> BTreeMap<String, Value> {
    let mut rest = DOCUMENT.clone();
    let mut files = BTreeMap::new();
    for (name, endpoints) in resources() {
        let mut file = json!({"paths": {}, "components": {}});
        let mut used = BTreeSet::new();
        for path in endpoints.iter().map(Endpoint::path) {
            file["paths"][path] = DOCUMENT["paths"][path].clone();
            rest["paths"].as_object_mut().unwrap().remove(path);
            components(&DOCUMENT["paths"][path], &mut used);
        }
        for (kind, name) in used {
            let all = rest["components"][&kind].as_object_mut().unwrap();
            if let Some(component) = all.remove(&name) {
                file["components"][kind][name] = component;
            }
        }
        let own = &file["components"]["schemas"];
        let mut others = examples();
        others.retain(|schema, _| own[schema].is_null());
        elide(&mut file["paths"], &others);
        files.insert(format!("{name}.json"), file);
    }
    files.insert("rest.json".to_owned(), rest);
    files
}

#[test]
fn the_document_is_that_of_the_golden_files() {
    let files = golden_files();
    for (name, file) in &files {
        let text = serde_json::to_string_pretty(file).unwrap();
        expect_golden(&format!("openapi/{name}"), &format!("{text}\n"));
    }
    assert_eq!(files["rest.json"]["paths"], json!({}), "of no resource");
    expect_only("openapi", &files.into_keys().collect::<Vec<_>>());
}
