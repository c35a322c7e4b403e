//! Mass assignment: fields that clients must not set are ignored in the body, in the query and in
//! the headers, with no effect on the state.

use crate::support::described::{DOCUMENT, resolved};
use crate::support::{App, PASSWORD, Reply};
use actix_web::http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use tradepost_domain::kernel::Access;
use tradepost_http::table;

/// An app with a paused clock, so that each instance is the same.
struct World {
    app: App,
    staff: String,
    ada: String,
    refresh: String,
}

async fn world() -> World {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "19.99", 50).await;
    assert_eq!(app.order(&ada, product, 1).await, 1);
    assert_eq!(app.fill(&ada, product, 1).await, 2);
    let account = app
        .shop
        .accounts
        .verify_credentials("ada", PASSWORD)
        .unwrap();
    let refresh = app.shop.accounts.begin_session(&account).unwrap().refresh;
    World {
        app,
        staff,
        ada,
        refresh,
    }
}

/// A route that reads a body: whether staff call, a body, and every field that the route accepts.
type Write = (Method, &'static str, bool, Value, &'static [&'static str]);

/// All routes that read a body. Those without a row of their own send the example of the OpenAPI
/// document. A row that names no fields accepts those of its schema.
fn writes(refresh: &str) -> Vec<Write> {
    let mut rows = rows(refresh);
    for endpoint in table() {
        let (method, path) = (endpoint.method(), endpoint.path());
        let operation = &DOCUMENT["paths"][path][method.as_str().to_lowercase()];
        let body = &operation["requestBody"]["content"]["application/json"];
        if !body.is_object() {
            continue;
        }
        let described = || -> &'static [&'static str] {
            let fields = resolved(&body["schema"])["properties"].as_object().unwrap();
            fields.keys().map(String::as_str).collect::<Vec<_>>().leak()
        };
        let mut known = rows.iter_mut();
        match known.find(|row| row.0 == *method && row.1 == path) {
            Some((.., fields)) if fields.is_empty() => *fields = described(),
            Some(_) => {}
            None => {
                let is_staff = endpoint.access() == Access::Staff;
                let example = body["example"].clone();
                rows.push((method.clone(), path, is_staff, example, described()));
            }
        }
    }
    rows
}

#[rustfmt::skip]
fn rows(refresh: &str) -> Vec<Write> {
    const LINE: &[&str] = &["product_id", "quantity"];
    let sign_in = || json!({"username": "ada", "password": PASSWORD});
    let product = || json!({"name": "Cup", "price": "2.50"});
    let new = json!({"username": "new", "email": "new@example.org", "password": PASSWORD});
    let passwords =
        json!({"current_password": PASSWORD, "new_password": "wrong horse battery"});
    vec![
        (Method::POST, "/api-token-auth/", false, sign_in(), &["username", "password"]),
        (Method::POST, "/api/token/", false, sign_in(), &["username", "password"]),
        (Method::POST, "/api/token/refresh/", false, json!({"refresh": refresh}), &["refresh"]),
        (Method::POST, "/api/token/revoke/", false, json!({"refresh": refresh}), &["refresh"]),
        (Method::POST, "/api/token/verify/", false, json!({"token": "x"}), &["token"]),
        (Method::POST, "/api/register/", false, new, &["username", "email", "password"]),
        (
            Method::PATCH,
            "/api/users/me/",
            false,
            json!({"email": "a@example.org", "current_password": PASSWORD}),
            &["email", "current_password"],
        ),
        (
            Method::POST,
            "/api/users/me/password/",
            false,
            passwords,
            &["current_password", "new_password"],
        ),
        (Method::PATCH, "/api/users/{id}/", true, json!({}), &["is_active", "is_staff"]),
        (Method::POST, "/api/products/", true, product(), &[]),
        (Method::PUT, "/api/products/{id}/", true, product(), &[]),
        (Method::PATCH, "/api/products/{id}/", true, json!({"name": "Cup"}), &[]),
        (Method::POST, "/api/products/{id}/stock/", true, json!({"delta": 1}), &["delta", "reason"]),
        (Method::POST, "/api/cart/", false, json!({"product_id": 1}), LINE),
        (Method::PUT, "/api/cart/{id}/", false, json!({"quantity": 3}), LINE),
        (Method::PATCH, "/api/cart/{id}/", false, json!({"quantity": 3}), LINE),
        (Method::POST, "/api/orders/", false, json!({}), &["expected_total"]),
        (Method::PUT, "/api/orders/{id}/", false, json!({"status": "cancelled"}), &["status"]),
        (Method::PATCH, "/api/orders/{id}/", false, json!({}), &["status"]),
    ]
}

/// Keys that a route rejects, as ignoring them would change the order.
fn refused_keys(method: &Method, path: &str) -> &'static [&'static str] {
    match (method, path) {
        (&Method::POST, "/api/orders/") => &["items", "lines", "products"],
        (&Method::POST | &Method::PATCH, path) if path.starts_with("/api/cart/") => &["count"],
        _ => &[],
    }
}

/// The path with ids for `{id}`: the product, Ada's order, her cart line, and Ada.
fn concrete(path: &str) -> String {
    let id = match path.split('/').nth(2) {
        Some("products" | "orders") => "1",
        _ => "2",
    };
    path.replace("{id}", id)
}

/// Collects every field name of a response, at any depth.
fn names(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                into.insert(name.clone());
                names(value, into);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, into)),
        _ => {}
    }
}

/// Internal names, and names by which other APIs were exploited.
#[rustfmt::skip]
const INSIDE: &[&str] = &[
    "user_id", "owner", "role", "roles", "is_superuser", "is_admin", "permissions", "groups",
    "password_hash", "session_epoch", "epoch", "username_key", "email_key", "archived_at",
    "deleted", "deleted_at", "placement_id", "price_minor", "unit_price", "discount", "total",
    "minor", "on_hand", "stock_on_hand", "level", "search_text", "folded", "version", "__proto__",
    "constructor", "_method", "pk", "key", "fingerprint", "verified", "date_joined", "last_login",
];

/// All field names.
async fn all_names() -> BTreeSet<String> {
    let World {
        app, staff, ada, ..
    } = world().await;
    let mut known: BTreeSet<String> = INSIDE.iter().map(|name| (*name).to_owned()).collect();
    for (path, token) in [
        ("/api/products/", &staff),
        ("/api/products/1/stock/", &staff),
        ("/api/orders/", &staff),
        ("/api/users/", &staff),
        ("/api/cart/", &ada),
    ] {
        names(&app.get(path).token(token).send().await.json(), &mut known);
    }
    for (_, _, _, _, settable) in writes("") {
        known.extend(settable.iter().map(|name| (*name).to_owned()));
    }
    assert!(
        known.contains("session_epoch") && known.contains("order_id"),
        "{known:?}"
    );
    known
}

/// The whole observable state.
async fn everything(world: &World) -> Vec<Value> {
    let World { app, staff, .. } = world;
    // Her earlier tokens end when her password changes.
    let account = app.shop.accounts.by_username("ada").unwrap().unwrap();
    let ada = &app.shop.accounts.issue_token(account).token;
    let mut all = app.snapshot(staff, ada).await;
    for (path, token) in [
        ("/api/users/?page_size=100", staff),
        ("/api/products/1/stock/?page_size=100", staff),
        ("/api/cart/?page_size=100", staff),
    ] {
        all.push(app.get(path).token(token).send().await.json());
    }
    all
}

/// The response, without the request id and the tokens, which differ each time.
fn told(reply: &Reply) -> (u16, Value) {
    let mut body = match reply.body.len() {
        0 => Value::Null,
        _ => reply.json(),
    };
    for made in ["refresh", "request_id"] {
        if let Some(value) = body.get_mut(made) {
            *value = Value::Null;
        }
    }
    (reply.status, body)
}

/// The response of a route to a request with these additions, and the state afterwards.
async fn outcome(
    at: usize,
    extra: &Map<String, Value>,
    query: &str,
    headers: bool,
) -> ((u16, Value), Vec<Value>) {
    let world = world().await;
    let (method, path, by_staff, mut body, _) = writes(&world.refresh).swap_remove(at);
    let token = if by_staff { &world.staff } else { &world.ada };
    for (name, value) in extra {
        body[name] = value.clone();
    }
    let call = world
        .app
        .call(method.clone(), &format!("{}{query}", concrete(path)));
    let mut call = call.token(token);
    if headers {
        for (name, value) in [
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Method-Override", "DELETE"),
            ("X-User-Id", "1"),
            ("X-Forwarded-User", "boss"),
            ("X-Remote-User", "boss"),
            ("Remote-User", "boss"),
            ("X-Original-URL", "/api/users/"),
            ("X-Rewrite-URL", "/api/users/"),
            ("From", "boss@example.org"),
        ] {
            call = call.header(name, value);
        }
    }
    let reply = call.json(&body).await;
    (told(&reply), everything(&world).await)
}

/// Covers the route table: every route with a body is tested.
#[test]
fn every_route_that_reads_a_body_is_tested() {
    let tried = writes("");
    for entry in table() {
        let reads = [Method::POST, Method::PUT, Method::PATCH].contains(entry.method());
        let found = tried
            .iter()
            .any(|(method, path, ..)| method == entry.method() && *path == entry.path());
        assert_eq!(found, reads, "{} {}", entry.method(), entry.path());
    }
}

#[actix_web::test]
async fn protected_fields_cannot_be_set() {
    let known = all_names().await;
    for (at, (method, path, _, _, settable)) in writes("").into_iter().enumerate() {
        let expected = outcome(at, &Map::new(), "", false).await;
        for value in [
            json!(1),
            json!(true),
            json!("boss"),
            json!({"id": 1}),
            json!(null),
        ] {
            let is_other = |name: &&String| {
                let name = name.as_str();
                !settable.contains(&name) && !refused_keys(&method, path).contains(&name)
            };
            let others = known.iter().filter(is_other);
            let extra = others.map(|name| (name.clone(), value.clone())).collect();
            let seen = outcome(at, &extra, "", false).await;
            assert_eq!(
                seen, expected,
                "{method} {path} with {value} in all other fields"
            );
        }
    }
}

/// A write takes neither its fields from the query, nor its owner from a header.
#[actix_web::test]
async fn queries_and_headers_set_nothing() {
    let known = all_names().await;
    let pairs: Vec<String> = known.iter().map(|name| format!("{name}=1")).collect();
    let query = format!("?{}", pairs.join("&"));
    for (at, (method, path, ..)) in writes("").into_iter().enumerate() {
        let expected = outcome(at, &Map::new(), "", false).await;
        let seen = outcome(at, &Map::new(), &query, true).await;
        assert_eq!(seen, expected, "{method} {path}");
    }
}

/// Control: the comparison detects a field that may be set.
#[actix_web::test]
async fn settable_fields_are_detected() {
    let known = writes("");
    let at = |wanted: (Method, &str)| {
        known
            .iter()
            .position(|(method, path, ..)| (method.clone(), *path) == wanted)
            .unwrap()
    };
    for (route, field, value) in [
        ((Method::PATCH, "/api/users/{id}/"), "is_staff", json!(true)),
        (
            (Method::PATCH, "/api/products/{id}/"),
            "archived",
            json!(true),
        ),
        (
            (Method::PATCH, "/api/orders/{id}/"),
            "status",
            json!("cancelled"),
        ),
        ((Method::POST, "/api/products/"), "stock", json!(7)),
    ] {
        let at = at(route);
        let extra = Map::from_iter([(field.to_owned(), value)]);
        let plain = outcome(at, &Map::new(), "", false).await;
        assert_ne!(outcome(at, &extra, "", false).await, plain, "{field}");
    }
}
