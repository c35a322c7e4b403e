//! The OpenAPI document is complete, correct, and served. `support/described.rs` checks each
//! response of each test against it.

use crate::support::described::{DOCUMENT, expect_valid, resolved};
use crate::support::{App, memory, settings};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tradepost_domain::kernel::Access;
use tradepost_http::{Settings, error_codes, table};

/// Each operation of the document, with its method and path.
pub(crate) fn operations() -> Vec<(String, &'static Value)> {
    let mut operations = Vec::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    operations
}

/// Visits each object in the document.
pub(crate) fn walk(value: &'static Value, visit: &mut dyn FnMut(&'static Value)) {
    match value {
        Value::Object(members) => {
            visit(value);
            members.values().for_each(|member| walk(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        _ => {}
    }
}

#[test]
fn it_has_each_route_and_no_other() {
    let described: BTreeSet<_> = operations().into_iter().map(|(name, _)| name).collect();
    let routes = table().iter();
    let routes = routes.map(|entry| format!("{} {}", entry.method(), entry.path()));
    assert_eq!(described, routes.collect());
}

#[test]
fn it_has_each_code_under_its_status_and_no_other() {
    let mut described = BTreeSet::new();
    for (_, operation) in operations() {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let answer = resolved(answer);
            if status.starts_with(['4', '5']) {
                let schema = &answer["content"]["application/json"]["schema"];
                assert_eq!(
                    *schema,
                    answer["content"]["application/problem+json"]["schema"]
                );
                let one = [schema.clone()];
                for schema in schema["oneOf"].as_array().map_or(&one[..], |all| all) {
                    let members = &resolved(schema)["properties"];
                    let code = members["code"]["const"].as_str().unwrap().to_owned();
                    assert_eq!(members["status"]["const"].to_string(), *status);
                    described.insert((status.parse().unwrap(), code));
                }
            }
        }
    }
    let given: BTreeSet<(u16, String)> = error_codes()
        .map(|(status, word, _)| (status, word.to_owned()))
        .collect();
    assert_eq!(described, given);
}

#[test]
fn access_is_that_of_the_route_table() {
    for entry in table() {
        let method = entry.method().as_str().to_lowercase();
        let operation = &DOCUMENT["paths"][entry.path()][method];
        let needs = operation["security"] == json!([{"bearer": []}]);
        assert_eq!(needs, entry.access() != Access::Public, "{}", entry.path());
        let forbids = operation["responses"]["403"].is_object();
        let staff = entry.access() == Access::Staff;
        assert!(forbids || !staff, "{}", entry.path());
    }
}

#[test]
fn operations_have_names_of_their_own_and_all_words() {
    let mut ids = BTreeSet::new();
    let tags: Vec<_> = DOCUMENT["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    for (name, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(id.chars().all(char::is_alphanumeric), "{id}");
        assert!(ids.insert(id), "{id} is there twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
        assert!(tags.contains(&&operation["tags"][0]), "{name}");
        let ids_in_path = name.contains('{');
        let parameters = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(resolved);
        let in_path = parameters.filter(|one| one["in"] == "path").count();
        assert_eq!(in_path, usize::from(ids_in_path), "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let mut used = BTreeSet::new();
    walk(&DOCUMENT, &mut |object| {
        if let Some(target) = object["$ref"].as_str() {
            assert!(
                DOCUMENT.pointer(target.trim_start_matches('#')).is_some(),
                "{target}"
            );
            used.insert(target.to_owned());
        }
    });
    for (kind, components) in DOCUMENT["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            let target = format!("#/components/{kind}/{name}");
            assert!(
                kind == "securitySchemes" || used.contains(&target),
                "{target}"
            );
        }
    }
}

#[test]
fn every_example_is_of_its_schema() {
    let mut looked_at = 0;
    walk(&DOCUMENT, &mut |media| {
        let schema = &media["schema"];
        let several = media["examples"]
            .as_object()
            .into_iter()
            .flat_map(|all| all.values());
        let examples = several.map(|one| &one["value"]).chain(media.get("example"));
        for example in examples {
            expect_valid(schema, example, "an example");
            looked_at += 1;
        }
    });
    assert!(looked_at > 100, "only {looked_at}");
}

#[test]
fn invalid_examples_are_detected() {
    let schema = json!({"$ref": "#/components/schemas/Product"});
    let product = DOCUMENT["paths"]["/api/products/{id}/"]["get"]["responses"]["200"]["content"]
        ["application/json"]["example"]
        .clone();
    expect_valid(&schema, &product, "the example itself");
    for (member, value) in [
        ("price", json!(14)),
        ("id", json!(0)),
        ("sku", json!(1)),
        ("created_at", json!("yesterday")),
        ("surprise", json!(true)),
    ] {
        let mut other = product.clone();
        other[member] = value;
        let schema = schema.clone();
        let refused = std::panic::catch_unwind(move || expect_valid(&schema, &other, ""));
        assert!(refused.is_err(), "{member}");
    }
}

/// The API accepts the examples of request bodies.
#[actix_web::test]
async fn every_example_of_a_body_can_be_sent() {
    let app = App::new().await;
    let staff = app.staff("ada");
    let customer = app.customer("judy");
    for (name, operation) in operations() {
        let body = &operation["requestBody"]["content"]["application/json"]["example"];
        // These need real tokens and passwords.
        let secret = ["token", "refresh", "username", "current_password"];
        let members = body
            .as_object()
            .into_iter()
            .flat_map(|members| members.keys());
        let is_secret = members
            .clone()
            .any(|member| secret.contains(&member.as_str()));
        if !body.is_object() || is_secret && name != "POST /api/register/" {
            continue;
        }
        let (method, path) = name.split_once(' ').unwrap();
        let product = app.product(&staff, "9.90", 40).await;
        let (id, token, body) = match path {
            "/api/products/" => (product, &staff, body.clone()),
            path if path.starts_with("/api/products/") => (product, &staff, without_sku(body)),
            "/api/users/{id}/" => (1, &staff, json!({"is_active": true})),
            path if path.starts_with("/api/cart/") => {
                let line = app.fill(&customer, product, 1).await;
                let mut body = body.clone();
                if body["product_id"].is_number() {
                    body["product_id"] = json!(product);
                }
                (line, &customer, body)
            }
            "/api/orders/" => {
                app.delete("/api/cart/").token(&customer).send().await;
                app.fill(&customer, product, 3).await;
                (0, &customer, body.clone())
            }
            "/api/orders/{id}/" => (app.order(&customer, product, 1).await, &staff, body.clone()),
            path => {
                let id = match path.split_once("{id}") {
                    Some((collection, _)) => app.example(&customer, collection).await,
                    None => 0,
                };
                (id, &customer, body.clone())
            }
        };
        let path = path.replace("{id}", &id.to_string());
        let reply = app
            .call(method.parse().unwrap(), &path)
            .token(token)
            .json(&body)
            .await;
        assert!(reply.status < 300, "{name}: {}", reply.text());
    }
}

/// A SKU is taken once it was used.
fn without_sku(body: &Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().remove("sku");
    body
}

#[actix_web::test]
async fn it_is_served_with_a_tag() {
    let app = App::new().await;
    let ada = app.customer("ada");
    for path in ["/api/schema/", "/api/docs/", "/api/docs/start.js/"] {
        app.get(path).token(&ada).send().await.expect_status(200);
        // As on every public path, an invalid token is an error.
        let stale = app.get(path).token("stale").send().await;
        stale.expect(401, "invalid_token");
    }
    for path in ["/api/schema/", "/api/schema"] {
        let reply = app.get(path).send().await.expect_status(200);
        assert_eq!(reply.text(), tradepost_http::document());
        let tag = reply.header("etag");
        let again = app.get(path).header("If-None-Match", &tag).send().await;
        assert_eq!(again.status, 304);
        assert_eq!(again.header("etag"), tag);
    }
}

#[actix_web::test]
async fn the_page_loads_from_this_server_alone() {
    let app = App::new().await;
    for path in ["/api/docs/", "/api/docs"] {
        let page = app.get(path).send().await.expect_status(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        for loose in ["http", "*", "unsafe"] {
            assert!(!policy.contains(loose), "{policy}");
        }
        assert!(!page.text().contains("//"), "{}", page.text());
        // Every file that the page names exists.
        let mut named = 0;
        for quoted in page
            .text()
            .split('"')
            .filter(|text| text.starts_with("/api/"))
        {
            app.get(quoted).send().await.expect_status(200);
            named += 1;
        }
        assert_eq!(named, 4);
    }
    let start = app.get("/api/docs/start.js").send().await;
    assert!(start.text().contains("\"/api/schema/\"") && !start.text().contains("http"));
}

/// A proxy strips the path before it forwards a request.
#[actix_web::test]
async fn the_page_below_a_path_names_existing_files() {
    let url = tradepost_http::PublicUrl::parse("https://shop/our/shop/").unwrap();
    let below = Settings {
        public_url: Some(url),
        ..settings()
    };
    let app = App::with(memory(), below).await;
    let page = app.get("/api/docs/").send().await.expect_status(200);
    let start = app.get("/api/docs/start.js").send().await;
    let start = start.expect_status(200);
    let texts = [page.text(), start.text()];
    let mut named = 0;
    for quoted in texts.iter().flat_map(|text| text.split('"')) {
        if let Some(path) = quoted.strip_prefix("/our/shop") {
            app.get(path).send().await.expect_status(200);
            named += 1;
        }
        assert!(!quoted.starts_with("/api/"), "{quoted}");
    }
    assert_eq!(named, 5);
    let document = app.get("/api/schema/").send().await.json();
    assert_eq!(document["servers"], json!([{"url": "/our/shop"}]));
}

#[actix_web::test]
async fn the_files_of_the_page_have_types_and_tags() {
    let app = App::new().await;
    for (name, media) in [
        ("start.js", "text/javascript; charset=utf-8"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("swagger-ui.css", "text/css; charset=utf-8"),
    ] {
        let path = format!("/api/docs/{name}");
        let file = app.get(&path).send().await.expect_status(200);
        assert_eq!(file.header("content-type"), media);
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        let tag = file.header("etag");
        let again = app.get(&path).header("If-None-Match", &tag).send().await;
        assert_eq!(again.status, 304);
    }
    for path in [
        "/api/docs/other.js",
        "/api/docs/..%2fstart.js",
        "/api/docs/START.JS",
    ] {
        app.get(path).send().await.expect(404, "not_found");
    }
}
