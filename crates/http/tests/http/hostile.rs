//! Hostile input: each gets a 4xx of the contract, and changes nothing.

use crate::support::App;
use actix_web::http::Method;
use serde_json::json;

struct Shop {
    app: App,
    staff: String,
    ada: String,
}

/// A product, a cart line and an order, each with the id 1.
async fn shop() -> Shop {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "1.00", 50).await;
    let order = app.order(&ada, product, 1).await;
    let line = app.fill(&ada, product, 1).await;
    assert_eq!((product, order), (1, 1));
    // The order removed the cart's first line.
    assert_eq!(line, 2);
    Shop { app, staff, ada }
}

/// Invalid values as JSON text, each with whether an integer, a decimal, a text and a boolean field
/// rejects it.
const VALUES: &[(&str, [bool; 4])] = &[
    ("null", [true, true, true, true]),
    ("true", [true, true, true, false]),
    ("[]", [true, true, true, true]),
    ("[1]", [true, true, true, true]),
    ("{}", [true, true, true, true]),
    ("{\"a\": 1}", [true, true, true, true]),
    ("\"\"", [true, true, true, true]),
    ("\" \"", [true, true, true, true]),
    ("\"abc\"", [true, true, false, true]),
    ("\"a\\u0000b\"", [true, true, true, true]),
    ("\"\\ud800\"", [true, true, true, true]),
    ("\"\\udfff\\ud800\"", [true, true, true, true]),
    ("\"1\\u00002\"", [true, true, true, true]),
    ("\"1,5\"", [true, true, false, true]),
    ("\"NaN\"", [true, true, false, true]),
    ("\"Infinity\"", [true, true, false, true]),
    ("\"0x10\"", [true, true, false, true]),
    ("\"+-1\"", [true, true, false, true]),
    ("\" 1 1\"", [true, true, false, true]),
    ("\".\"", [true, true, false, true]),
    ("\"\u{661}\"", [true, true, false, true]),
    ("1.5e0", [true, false, true, true]),
    ("1.0", [false, false, true, true]),
    ("1e0", [true, false, true, true]),
    ("1e2", [true, false, true, true]),
    ("-1", [true, true, true, true]),
    ("-0.01", [true, true, true, true]),
    ("0.001", [true, true, true, true]),
    ("1.001", [true, true, true, true]),
    ("1e-400", [true, true, true, true]),
    ("1e400", [true, true, true, true]),
    ("1e99999999999999999999", [true, true, true, true]),
    ("9223372036854775807", [true, true, true, true]),
    ("9223372036854775808", [true, true, true, true]),
    ("-9223372036854775809", [true, true, true, true]),
    ("18446744073709551616", [true, true, true, true]),
    (
        "\"99999999999999999999999999999999999999999999\"",
        [true, true, false, true],
    ),
    ("10000000000.00", [true, true, true, true]),
    ("99999999999999999999.99", [true, true, true, true]),
];

const INTEGER: usize = 0;
const DECIMAL: usize = 1;
const TEXT: usize = 2;
const BOOLEAN: usize = 3;

#[actix_web::test]
async fn wrong_values_are_refused_field_by_field() {
    let Shop { app, staff, ada } = shop().await;
    let before = app.snapshot(&staff, &ada).await;
    let product = r#""name": "Cup", "price": 1"#;
    // method, path, token, the other required fields, the field, its type
    for (method, path, token, others, field, kind) in [
        (
            "POST",
            "/api/products/",
            &staff,
            r#""price": 1"#,
            "name",
            TEXT,
        ),
        (
            "POST",
            "/api/products/",
            &staff,
            r#""name": "Cup""#,
            "price",
            DECIMAL,
        ),
        ("POST", "/api/products/", &staff, product, "stock", INTEGER),
        ("PUT", "/api/products/1/", &staff, product, "stock", INTEGER),
        ("PATCH", "/api/products/1/", &staff, "", "name", TEXT),
        ("PATCH", "/api/products/1/", &staff, "", "price", DECIMAL),
        ("PATCH", "/api/products/1/", &staff, "", "stock", INTEGER),
        ("PATCH", "/api/products/1/", &staff, "", "archived", BOOLEAN),
        ("POST", "/api/cart/", &ada, "", "product_id", INTEGER),
        (
            "POST",
            "/api/cart/",
            &ada,
            r#""product_id": 1"#,
            "quantity",
            INTEGER,
        ),
        ("PUT", "/api/cart/2/", &ada, "", "quantity", INTEGER),
        ("PATCH", "/api/cart/2/", &ada, "", "quantity", INTEGER),
        (
            "PUT",
            "/api/cart/2/",
            &ada,
            r#""quantity": 1"#,
            "product_id",
            INTEGER,
        ),
    ] {
        for (value, refused) in VALUES.iter().filter(|(_, refused)| refused[kind]) {
            let comma = if others.is_empty() { "" } else { ", " };
            let body = format!("{{{others}{comma}\"{field}\": {value}}}");
            let call = app.call(method.parse().unwrap(), path).token(token);
            let reply = call.body("application/json", body.clone()).await;
            assert_eq!(reply.status, 400, "{method} {path} {body} {refused:?}");
            reply.expect_fields(&[field]);
        }
    }
    assert_eq!(app.snapshot(&staff, &ada).await, before);
}

#[actix_web::test]
async fn texts_have_bounds() {
    let Shop { app, staff, ada } = shop().await;
    let before = app.snapshot(&staff, &ada).await;
    for (field, value) in [
        ("name", "x".repeat(201)),
        ("name", "a\u{7f}".to_owned()),
        ("name", "a\nb".to_owned()),
        ("sku", "x".repeat(65)),
        ("sku", "\u{0}".to_owned()),
        ("description", "x".repeat(10_001)),
        ("description", "a\u{0}b".to_owned()),
        ("description", "a\u{1b}[2J".to_owned()),
    ] {
        let mut product = json!({"name": "Cup", "price": 1});
        product[field] = json!(value);
        let create = app.post("/api/products/").token(&staff);
        create.json(&product).await.expect_fields(&[field]);
        let change = app.patch("/api/products/1/").token(&staff);
        change
            .json(&json!({field: value}))
            .await
            .expect_fields(&[field]);
    }
    let null = json!({"name": "Cup", "price": 1, "description": null});
    let create = app.post("/api/products/").token(&staff);
    create.json(&null).await.expect_fields(&["description"]);
    assert_eq!(app.snapshot(&staff, &ada).await, before);
}

/// Every route that reads a body, with a token that may use it.
fn writes(shop: &Shop) -> Vec<(Method, &'static str, &str)> {
    vec![
        (Method::POST, "/api/products/", &shop.staff),
        (Method::PUT, "/api/products/1/", &shop.staff),
        (Method::PATCH, "/api/products/1/", &shop.staff),
        (Method::POST, "/api/products/1/stock/", &shop.staff),
        (Method::POST, "/api/cart/", &shop.ada),
        (Method::PUT, "/api/cart/2/", &shop.ada),
        (Method::PATCH, "/api/cart/2/", &shop.ada),
        (Method::POST, "/api/orders/", &shop.ada),
        (Method::PUT, "/api/orders/1/", &shop.ada),
        (Method::PATCH, "/api/orders/1/", &shop.ada),
        (Method::POST, "/api/register/", &shop.ada),
        (Method::POST, "/api-token-auth/", &shop.ada),
    ]
}

#[actix_web::test]
async fn bodies_that_cannot_be_read_are_400() {
    let shop = shop().await;
    let before = shop.app.snapshot(&shop.staff, &shop.ada).await;
    let deep_list = "[".repeat(60_000);
    let deep_object = "{\"a\":".repeat(10_000);
    let deep_value = format!("{{\"a\":{}", "[".repeat(60_000));
    let bodies: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"[]",
        b"[{}]",
        b"null",
        b"true",
        b"1",
        b"\"x\"",
        b" ",
        b"\n",
        b"{}{}",
        b"{},",
        b"{'a': 1}",
        b"{a: 1}",
        b"{\"a\" 1}",
        b"{\"a\": }",
        b"{\"a\": 1,}",
        b"{\"a\": NaN}",
        b"{\"a\": 01}",
        b"{\"a\": +1}",
        b"{\"a\": .5}",
        b"{\"a\": 1.}",
        b"{\"a\": \"\n\"}",
        b"{\"a\": \"\\x\"}",
        b"{\"a\": \"\\u12\"}",
        b"{\"\\ud800\": 1}",
        b"\xef\xbb\xbf{}",
        b"\x00",
        b"{}\x00",
        b"\xff\xfe{\x00}\x00",
        b"{\"a\": \"\xff\"}",
        b"{\"a\": \"\xc3\"}",
        b"{\"\xed\xa0\x80\": 1}",
        b"// {}",
        b"<a/>",
        b"a=b",
        deep_list.as_bytes(),
        deep_object.as_bytes(),
        deep_value.as_bytes(),
    ];
    for (method, path, token) in writes(&shop) {
        for body in &bodies {
            let call = shop.app.call(method.clone(), path).token(token);
            let reply = call.body("application/json", body.to_vec()).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(20)]);
            assert_eq!(reply.status, 400, "{method} {path} {shown}");
            reply.expect(400, "malformed_body");
        }
    }
    assert_eq!(shop.app.snapshot(&shop.staff, &shop.ada).await, before);
}

#[actix_web::test]
async fn bodies_of_another_type_are_415() {
    let shop = shop().await;
    let before = shop.app.snapshot(&shop.staff, &shop.ada).await;
    let full =
        r#"{"name": "Cup", "price": 1, "product_id": 1, "quantity": 1, "status": "cancelled"}"#;
    for (method, path, token) in writes(&shop) {
        for media in [
            "text/plain",
            "text/html",
            "application/xml",
            "application/octet-stream",
            "application/json; charset=utf-16",
            "application/merge-patch+json",
            "json",
            "",
        ] {
            let call = shop.app.call(method.clone(), path).token(token);
            let reply = call.body(media, full).await;
            assert_eq!(reply.status, 415, "{method} {path} {media}");
        }
        let untold = shop
            .app
            .call(method.clone(), path)
            .token(token)
            .raw(full)
            .await;
        untold.expect(415, "unsupported_media_type");
        let squeezed = shop.app.call(method.clone(), path).token(token);
        let squeezed = squeezed.header("Content-Encoding", "gzip");
        let squeezed = squeezed.body("application/json", full).await;
        squeezed.expect(415, "unsupported_media_type");
    }
    assert_eq!(shop.app.snapshot(&shop.staff, &shop.ada).await, before);
}

#[actix_web::test]
async fn bodies_over_the_limit_are_413() {
    let shop = shop().await;
    let before = shop.app.snapshot(&shop.staff, &shop.ada).await;
    let body = |length: usize| format!("{{\"x\":\"{}\"}}", "x".repeat(length - 8));
    for (method, path, token) in writes(&shop) {
        let over = shop.app.call(method.clone(), path).token(token);
        over.body("application/json", body(65_537))
            .await
            .expect(413, "body_too_large");
    }
    assert_eq!(shop.app.snapshot(&shop.staff, &shop.ada).await, before);
    // A body at the limit is read to its end.
    let fits = shop.app.patch("/api/products/1/").token(&shop.staff);
    fits.body("application/json", body(65_536))
        .await
        .expect_status(200);
}

#[actix_web::test]
async fn the_last_of_duplicate_keys_counts_and_unknown_keys_are_ignored() {
    let Shop { app, staff, .. } = shop().await;
    let body =
        r#"{"name": 1, "name": "Cup", "NAME": "x", "": 1, "price ": 1, "id": 7, "stock": "3"}"#;
    let reply = app
        .patch("/api/products/1/")
        .token(&staff)
        .body("application/json", body)
        .await;
    let product = reply.expect_status(200).json();
    assert_eq!(
        (&product["id"], &product["name"], &product["stock"]),
        (&json!(1), &json!("Cup"), &json!(3))
    );
}

#[actix_web::test]
async fn hostile_queries_cause_no_server_error() {
    let Shop { app, staff, .. } = shop().await;
    for (query, status) in [
        ("?%00=%00", 200),
        ("?&&&", 200),
        ("?=", 200),
        ("?page=%00", 404),
        ("?page=1%00", 404),
        ("?page[]=2", 200),
        ("?page=%D9%A1", 404),
        ("?page_size=%00", 400),
        ("?page_size=1e1", 400),
        ("?archived=%FF", 400),
        ("?x=%FF%FE", 200),
        ("?x=%", 200),
        ("?page=99999999999999999999999999999999999", 404),
        ("?page_size=99999999999999999999999999999999999", 200),
    ] {
        for path in ["/api/products/", "/api/orders/", "/api/cart/"] {
            if path == "/api/cart/" && query.contains("archived") {
                continue;
            }
            let reply = app
                .get(&format!("{path}{query}"))
                .token(&staff)
                .send()
                .await;
            assert_eq!(reply.status, status, "{path}{query}");
        }
    }
    let long = format!("/api/products/?page_size=1&x={}", "%26".repeat(2_000));
    app.get(&long).send().await.expect_status(200);
}

#[actix_web::test]
async fn unauthorized_callers_learn_nothing_about_the_body() {
    let Shop { app, ada, .. } = shop().await;
    for (media, body) in [
        ("application/json", "{".to_owned()),
        ("text/plain", "x".to_owned()),
        ("application/json", "x".repeat(70_000)),
    ] {
        let anonymous = app.post("/api/products/").body(media, body.clone()).await;
        anonymous.expect(401, "not_authenticated");
        let forged = app
            .post("/api/products/")
            .token("forged")
            .body(media, body.clone())
            .await;
        forged.expect(401, "invalid_token");
        let customer = app
            .post("/api/products/")
            .token(&ada)
            .body(media, body.clone())
            .await;
        customer.expect(403, "forbidden");
        let missing = app.delete("/api/products/999/").token(&ada).send().await;
        missing.expect(403, "forbidden");
    }
}
