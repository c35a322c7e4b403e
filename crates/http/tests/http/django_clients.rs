//! Compatibility with clients of Django REST framework: forms, synonyms, and errors at the top
//! level.

use crate::support::{App, PASSWORD, Reply};
use actix_web::http::Method;
use serde_json::{Value, json};

const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

fn multipart(pairs: &[(&str, &str)]) -> String {
    let parts = pairs.iter().map(|(name, value)| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    format!("{}--XX--\r\n", parts.collect::<String>())
}

fn urlencoded(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.replace('%', "%25")
            .replace('+', "%2B")
            .replace(' ', "+")
    };
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The same form in both encodings, each sent to an app of its own.
async fn forms(
    method: &Method,
    path: &str,
    pairs: &[(&str, &str)],
    by_staff: bool,
) -> [(Reply, App, String, String); 2] {
    let send = async |media: &str, body: String| {
        let app = App::new().await;
        let (staff, ada) = (app.staff("boss"), app.customer("ada"));
        let product = app.product(&staff, "19.99", 50).await;
        app.order(&ada, product, 1).await;
        app.fill(&ada, product, 1).await;
        let token = if by_staff { &staff } else { &ada };
        let call = app.call(method.clone(), path).token(token);
        let reply = call.body(media, body).await;
        (reply, app, staff, ada)
    };
    [
        send(URLENCODED, urlencoded(pairs)).await,
        send(MULTIPART, multipart(pairs)).await,
    ]
}

/// Method, path, form, whether staff send it, and the expected status.
type Case<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], bool, u16);

#[actix_web::test]
async fn every_write_takes_forms() {
    let product = [("name", "Big cup"), ("price", "+2.50"), ("stock", " 7 ")];
    let sign_in = [("username", "ada"), ("password", PASSWORD)];
    let new = [
        ("username", "new"),
        ("email", "new@example.org"),
        ("password", PASSWORD),
    ];
    #[rustfmt::skip]
    let cases: &[Case] = &[
        (Method::POST, "/api/products/", &product, true, 201),
        (Method::PUT, "/api/products/1/", &product, true, 200),
        (Method::PATCH, "/api/products/1/", &[("archived", "on")], true, 200),
        (Method::POST, "/api/products/1/stock/", &[("delta", "-2"), ("reason", "lost")], true, 201),
        (Method::PATCH, "/api/users/2/", &[("is_active", "False")], true, 200),
        (Method::POST, "/api/cart/", &[("product_id", "1"), ("quantity", "2.0")], false, 201),
        (Method::PUT, "/api/cart/2/", &[("quantity", "3")], false, 200),
        (Method::PATCH, "/api/cart/2/", &[("quantity", "0")], false, 204),
        (Method::POST, "/api/orders/", &[("expected_total", "19.99")], false, 201),
        (Method::PUT, "/api/orders/1/", &[("status", "cancelled")], false, 200),
        (Method::PATCH, "/api/orders/1/", &[("status", "cancelled")], false, 200),
        (Method::POST, "/api-token-auth/", &sign_in, false, 200),
        (Method::POST, "/api/token/", &sign_in, false, 200),
        (Method::POST, "/api/register/", &new, false, 201),
    ];
    for (method, path, pairs, by_staff, status) in cases {
        for (reply, ..) in forms(method, path, pairs, *by_staff).await {
            assert_eq!(reply.status, *status, "{method} {path} {}", reply.text());
        }
    }
}

#[actix_web::test]
async fn blank_form_fields_are_null_or_absent() {
    let blank = [
        ("name", "Cup"),
        ("price", "1.00"),
        ("sku", ""),
        ("stock", ""),
        ("description", ""),
    ];
    for (reply, ..) in forms(&Method::POST, "/api/products/", &blank, true).await {
        let product = reply.expect_status(201).json();
        let seen = [&product["sku"], &product["stock"], &product["description"]];
        assert_eq!(seen, [&Value::Null, &json!(0), &json!("")]);
    }
    for (reply, ..) in forms(&Method::PATCH, "/api/products/1/", &[("stock", "")], true).await {
        assert_eq!(reply.expect_status(200).json()["stock"], 49);
    }
    for (reply, ..) in forms(
        &Method::PUT,
        "/api/products/1/",
        &[("name", ""), ("price", "")],
        true,
    )
    .await
    {
        reply.expect_fields(&["name", "price"]);
    }
}

#[actix_web::test]
async fn files_in_a_form_are_ignored_like_other_unknown_fields() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\xff\x00\r\n".to_vec();
    body.extend_from_slice(multipart(&[("name", "Cup"), ("price", "1")]).as_bytes());
    let created = app
        .post("/api/products/")
        .token(&staff)
        .body(MULTIPART, body)
        .await;
    assert_eq!(created.expect_status(201).json()["name"], "Cup");
}

#[actix_web::test]
async fn an_empty_sku_is_null() {
    let app = App::new().await;
    let staff = app.staff("boss");
    for sku in ["", " "] {
        let cup = json!({"name": "Cup", "price": "1.00", "sku": sku});
        let created = app.post("/api/products/").token(&staff).json(&cup).await;
        assert_eq!(created.expect_status(201).json()["sku"], Value::Null);
    }
    let named = json!({"sku": "CUP"});
    let path = "/api/products/1/";
    app.patch(path)
        .token(&staff)
        .json(&named)
        .await
        .expect_status(200);
    let cleared = app
        .patch(path)
        .token(&staff)
        .json(&json!({"sku": ""}))
        .await;
    assert_eq!(cleared.expect_status(200).json()["sku"], Value::Null);
}

#[actix_web::test]
async fn field_errors_also_stand_at_the_top_level() {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "19.99", 50).await;
    let order = app.order(&ada, product, 1).await;
    let taken = json!({"username": "ada", "email": "x", "password": "short"});
    let refused = app
        .post("/api/register/")
        .json(&taken)
        .await
        .expect_status(400);
    let refused = refused.json();
    for field in ["email", "password"] {
        assert!(refused[field][0].is_string(), "{refused}");
        assert_eq!(refused[field], refused["errors"][field]);
    }
    // `status` is a member of every problem document, and is not replaced.
    let path = format!("/api/orders/{order}/");
    let wrong = app
        .patch(&path)
        .token(&ada)
        .json(&json!({"status": "lost"}))
        .await;
    let wrong = wrong.expect_status(400).json();
    assert_eq!(wrong["status"], 400);
    assert!(wrong["errors"]["status"][0].is_string());
    // Query parameters are fields too.
    let query = app.get("/api/products/?min_price=x").send().await;
    let query = query.expect_status(400).json();
    assert_eq!(query["min_price"], query["errors"]["min_price"]);
}

#[actix_web::test]
async fn keys_that_would_change_what_is_bought_are_refused() {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "19.99", 50).await;
    let line = app.fill(&ada, product, 2).await;
    let before = app.snapshot(&staff, &ada).await;
    for key in ["items", "lines", "products", "order_items", "lineItems"] {
        let order = json!({key: [{"product_id": product, "quantity": 1}]});
        let refused = app.post("/api/orders/").token(&ada).json(&order).await;
        let refused = refused.expect_fields(&[key]);
        let text = refused.text();
        assert!(text.contains("/api/cart/"), "{text}");
    }
    let path = format!("/api/cart/{line}/");
    for key in ["qty", "count", "amount", "units"] {
        let added = json!({"product_id": product, key: 5});
        let refused = app.post("/api/cart/").token(&ada).json(&added).await;
        let refused = refused.expect_fields(&[key]);
        let text = refused.text();
        assert!(text.contains("quantity"), "{text}");
        let set = app.patch(&path).token(&ada).json(&json!({key: 5})).await;
        set.expect_fields(&[key]);
    }
    for (path, fields, key) in [
        ("/api/orders/", "items[]=1", "items"),
        (
            "/api/orders/",
            "items[0][product_id]=1&items[0][quantity]=1",
            "items",
        ),
        ("/api/orders/", "Products=1", "products"),
        ("/api/cart/", "qty[]=5&product_id=PRODUCT", "qty"),
        ("/api/cart/", "Qty=5&product_id=PRODUCT", "qty"),
        // A blank number in a form counts as absent.
        ("/api/cart/", "quantity=&qty=5&product_id=PRODUCT", "qty"),
    ] {
        let fields = fields.replace("PRODUCT", &product.to_string());
        let sent = app.post(path).token(&ada).body(URLENCODED, fields).await;
        sent.expect_fields(&[key]);
    }
    assert_eq!(app.snapshot(&staff, &ada).await, before);
    // Beside the quantity they add nothing, and are ignored like any unknown key.
    let both = json!({"product_id": product, "quantity": 1, "qty": 5});
    let added = app.post("/api/cart/").token(&ada).json(&both).await;
    assert_eq!(added.expect_status(201).json()["quantity"], 3);
}

#[actix_web::test]
async fn numbers_are_read_as_django_rest_framework_reads_them() {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "19.99", 50).await;
    for two in [
        json!(2),
        json!("2"),
        json!(2.0),
        json!("2.0"),
        json!(" 2 "),
        json!("+2"),
    ] {
        let line = json!({"product_id": product, "quantity": two});
        let added = app.post("/api/cart/").token(&ada).json(&line).await;
        let line = added.expect_status(201).json();
        assert_eq!(line["quantity"], 2, "{two}");
        let path = format!("/api/cart/{}/", line["id"]);
        app.delete(&path)
            .token(&ada)
            .send()
            .await
            .expect_status(204);
    }
    for (price, expected) in [
        (".5", "0.50"),
        ("5.", "5.00"),
        ("+5", "5.00"),
        (" 0.10 ", "0.10"),
    ] {
        let change = json!({"price": price});
        let changed = app
            .patch("/api/products/1/")
            .token(&staff)
            .json(&change)
            .await;
        assert_eq!(changed.expect_status(200).json()["price"], expected);
    }
}

#[actix_web::test]
async fn a_date_selects_the_orders_of_its_whole_day() {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "19.99", 50).await;
    // The test clock stands at 2023-11-14T22:13:20Z.
    app.order(&ada, product, 1).await;
    app.clock.advance(3 * 3_600);
    // Her first token has expired.
    let account = app
        .shop
        .accounts
        .verify_credentials("ada", PASSWORD)
        .unwrap();
    let ada = app.shop.accounts.issue_token(account).token;
    app.order(&ada, product, 1).await;
    for (query, orders) in [
        (
            "created_after=2023-11-14&created_before=2023-11-14",
            vec![1],
        ),
        (
            "created_after=2023-11-15&created_before=2023-11-15",
            vec![2],
        ),
        ("created_after=2023-11-14", vec![2, 1]),
        ("created_before=2023-11-13", vec![]),
        (
            "created_after=&created_before=&status=&ordering=&user=",
            vec![2, 1],
        ),
    ] {
        let page = app
            .get(&format!("/api/orders/?{query}"))
            .token(&ada)
            .send()
            .await;
        let page = page.expect_status(200).json();
        let ids = page["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["id"].as_i64().unwrap());
        assert_eq!(ids.collect::<Vec<_>>(), orders, "{query}");
    }
}

#[actix_web::test]
async fn compressed_bodies_are_refused_by_their_name() {
    let app = App::new().await;
    let call = app
        .post("/api-token-auth/")
        .header("Content-Encoding", "gzip");
    let refused = call.body("application/json", "{}").await;
    let refused = refused.expect(415, "unsupported_media_type");
    assert!(
        refused.text().contains("Content-Encoding"),
        "{}",
        refused.text()
    );
}
