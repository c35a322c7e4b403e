//! Order endpoints.

use crate::support::App;
use serde_json::{Value, json};

struct Orders {
    app: App,
    staff: String,
    ada: String,
    bob: String,
    product: i64,
}

async fn orders() -> Orders {
    let app = App::new().await;
    let (staff, ada, bob) = (app.staff("boss"), app.customer("ada"), app.customer("bob"));
    let product = app.product(&staff, "19.99", 10).await;
    Orders {
        app,
        staff,
        ada,
        bob,
        product,
    }
}

async fn stock(app: &App, product: i64) -> Value {
    let path = format!("/api/products/{product}/");
    app.get(&path).send().await.json()["stock"].clone()
}

#[actix_web::test]
async fn an_order_has_these_keys_in_this_order() {
    let Orders {
        app, ada, product, ..
    } = orders().await;
    app.fill(&ada, product, 3).await;
    let reply = app
        .post("/api/orders/")
        .token(&ada)
        .json(&json!({"status": "shipped"}))
        .await;
    let reply = reply.expect_status(201);
    let expected = concat!(
        r#"{"id":1,"user":2,"status":"pending","total_price":"59.97","currency":"USD","items":["#,
        r#"{"product_id":1,"name":"Tea mug","quantity":3,"price":"19.99","total_price":"59.97"}],"#,
        r#""created_at":"2023-11-14T22:13:20.000250Z","updated_at":"2023-11-14T22:13:20.000250Z"}"#,
    );
    assert_eq!(reply.text(), expected);
    assert_eq!(reply.header("location"), "http://shop/api/orders/1/");
    let shown = app
        .get("/api/orders/1/")
        .token(&ada)
        .send()
        .await
        .expect_status(200);
    assert_eq!(shown.text(), expected);
    assert_eq!(stock(&app, product).await, 7);
    let cart = app.get("/api/cart/").token(&ada).send().await.json();
    assert_eq!(cart["count"], 0);
}

#[actix_web::test]
async fn an_order_needs_no_body() {
    let Orders {
        app, ada, product, ..
    } = orders().await;
    for media in [None, Some("application/json"), Some("text/plain")] {
        app.fill(&ada, product, 1).await;
        let call = app.post("/api/orders/").token(&ada);
        let reply = match media {
            None => call.send().await,
            Some(media) => call.body(media, "").await,
        };
        reply.expect_status(201);
    }
    app.post("/api/orders/")
        .token(&ada)
        .send()
        .await
        .expect(400, "empty_cart");
}

#[actix_web::test]
async fn a_refused_order_changes_nothing() {
    let Orders {
        app,
        staff,
        ada,
        product,
        ..
    } = orders().await;
    let other = app.product(&staff, "5.00", 10).await;
    app.fill(&ada, product, 4).await;
    app.fill(&ada, other, 4).await;
    let place = || app.post("/api/orders/").token(&ada).send();
    for id in [product, other] {
        let path = format!("/api/products/{id}/");
        app.patch(&path)
            .token(&staff)
            .json(&json!({"stock": 3}))
            .await
            .expect_status(200);
    }
    let before = app.snapshot(&staff, &ada).await;
    let short = place().await.expect(409, "insufficient_stock").json();
    let lines =
        [product, other].map(|id| json!({"product_id": id, "available": 3, "requested": 4}));
    assert_eq!(short["lines"], json!(lines));
    assert_eq!(app.snapshot(&staff, &ada).await, before);

    app.delete(&format!("/api/products/{other}/"))
        .token(&staff)
        .send()
        .await
        .expect_status(204);
    let before = app.snapshot(&staff, &ada).await;
    let gone = place().await.expect(409, "product_unavailable").json();
    assert_eq!(gone["products"], json!([other]));
    assert_eq!(app.snapshot(&staff, &ada).await, before);
}

#[actix_web::test]
async fn an_expected_total_guards_against_another() {
    let Orders {
        app,
        staff,
        ada,
        product,
        ..
    } = orders().await;
    app.fill(&ada, product, 2).await;
    let before = app.snapshot(&staff, &ada).await;
    let place = |expected: &str| {
        let body = format!("{{\"expected_total\": {expected}}}");
        app.post("/api/orders/")
            .token(&ada)
            .body("application/json", body)
    };
    for other in ["\"39.97\"", "39.99", "0", "-39.98"] {
        let reply = place(other).await.expect(409, "total_changed").json();
        assert_eq!(
            (&reply["total_price"], &reply["currency"]),
            (&json!("39.98"), &json!("USD"))
        );
    }
    for wrong in ["null", "true", "[]", "\"x\"", "\"\"", "39.980", "1e99"] {
        place(wrong).await.expect_fields(&["expected_total"]);
    }
    assert_eq!(app.snapshot(&staff, &ada).await, before);
    place("39.98").await.expect_status(201);
    app.fill(&ada, product, 2).await;
    place("\"39.98\"").await.expect_status(201);
}

#[actix_web::test]
async fn a_customer_sees_own_orders_and_staff_all() {
    let Orders {
        app,
        staff,
        ada,
        bob,
        product,
    } = orders().await;
    let adas = app.order(&ada, product, 1).await;
    let bobs = app.order(&bob, product, 1).await;
    for (token, seen) in [
        (&ada, vec![adas]),
        (&bob, vec![bobs]),
        (&staff, vec![bobs, adas]),
    ] {
        let page = app
            .get("/api/orders/")
            .token(token)
            .send()
            .await
            .expect_status(200)
            .json();
        let rows = page["results"].as_array().unwrap().iter();
        let ids: Vec<_> = rows.map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!((ids, &page["count"]), (seen.clone(), &json!(seen.len())));
    }
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let call = |id: &str| {
            let path = format!("/api/orders/{id}/");
            let call = app.call(method.parse().unwrap(), &path).token(&bob);
            call.body("application/json", r#"{"status": "cancelled"}"#)
        };
        let theirs = call(&adas.to_string()).await.expect(404, "not_found");
        for id in ["999", "0", "-1", "abc", "9223372036854775808", "%00"] {
            let nobodys = call(id).await.expect(404, "not_found");
            assert_eq!(theirs.anonymous(), nobodys.anonymous(), "{id}");
        }
    }
    let path = format!("/api/orders/{adas}/");
    let kept = app
        .get(&path)
        .token(&staff)
        .send()
        .await
        .expect_status(200)
        .json();
    assert_eq!(kept["status"], "pending");
}

#[actix_web::test]
async fn an_order_goes_through_its_statuses() {
    let Orders {
        app,
        staff,
        ada,
        product,
        ..
    } = orders().await;
    let order = app.order(&ada, product, 3).await;
    let path = format!("/api/orders/{order}/");
    let set = |token: &str, method: &str, status: &str| {
        let call = app.call(method.parse().unwrap(), &path).token(token);
        call.body("application/json", format!("{{\"status\": \"{status}\"}}"))
    };
    set(&ada, "PATCH", "processing")
        .await
        .expect(403, "forbidden");
    set(&staff, "PATCH", "pending").await.expect_status(200);
    let skipped = set(&staff, "PUT", "delivered")
        .await
        .expect(409, "invalid_transition")
        .json();
    assert_eq!(
        (&skipped["from"], &skipped["to"]),
        (&json!("pending"), &json!("delivered"))
    );
    assert_eq!(skipped["allowed"], json!(["processing", "cancelled"]));
    app.clock.advance(60);
    let moved = set(&staff, "PUT", "processing")
        .await
        .expect_status(200)
        .json();
    assert_eq!(moved["status"], "processing");
    assert_eq!(moved["updated_at"], "2023-11-14T22:14:20.000250Z");
    let late = set(&ada, "PATCH", "cancelled")
        .await
        .expect(409, "invalid_transition")
        .json();
    assert_eq!(late["allowed"], json!([]));
    app.delete(&path)
        .token(&ada)
        .send()
        .await
        .expect(409, "order_not_pending");
    assert_eq!(stock(&app, product).await, 7);
    let cancelled = set(&staff, "PATCH", "cancelled")
        .await
        .expect_status(200)
        .json();
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(stock(&app, product).await, 10);
    set(&staff, "PATCH", "cancelled").await.expect_status(200);
    assert_eq!(stock(&app, product).await, 10);
    assert_eq!(app.stores.ledger.audit().unwrap().discrepancies, []);
}

#[actix_web::test]
async fn status_changes_are_validated() {
    let Orders {
        app,
        staff,
        ada,
        product,
        ..
    } = orders().await;
    let order = app.order(&ada, product, 1).await;
    let path = format!("/api/orders/{order}/");
    let before = app.get(&path).token(&ada).send().await.json();
    for (method, body, ok) in [
        ("PATCH", json!({}), true),
        ("PUT", json!({}), false),
        ("PATCH", json!({"status": null}), false),
        ("PATCH", json!({"status": "lost"}), false),
        ("PATCH", json!({"status": "Shipped"}), false),
        ("PATCH", json!({"status": ""}), false),
        ("PATCH", json!({"status": 1}), false),
        ("PUT", json!({"status": ["shipped"]}), false),
        (
            "PATCH",
            json!({"total_price": "0.01", "user": 1, "items": []}),
            true,
        ),
    ] {
        for token in [&staff, &ada] {
            let reply = app
                .call(method.parse().unwrap(), &path)
                .token(token)
                .json(&body)
                .await;
            if ok {
                assert_eq!(reply.expect_status(200).json(), before, "{body}");
            } else {
                reply.expect_fields(&["status"]);
            }
        }
    }
}

#[actix_web::test]
async fn a_deleted_order_is_for_staff_on_request() {
    let Orders {
        app,
        staff,
        ada,
        product,
        ..
    } = orders().await;
    let kept = app.order(&ada, product, 1).await;
    let gone = app.order(&ada, product, 3).await;
    let path = format!("/api/orders/{gone}/");
    app.delete(&path)
        .token(&ada)
        .send()
        .await
        .expect_status(204);
    assert_eq!(stock(&app, product).await, 9);
    for (token, query, seen, status) in [
        (&ada, "", vec![kept], 404),
        (&ada, "?archived=true", vec![kept], 404),
        (&staff, "", vec![kept], 404),
        (&staff, "?archived=true", vec![gone], 200),
    ] {
        let page = app
            .get(&format!("/api/orders/{query}"))
            .token(token)
            .send()
            .await
            .json();
        let rows = page["results"].as_array().unwrap().iter();
        let ids: Vec<_> = rows.map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, seen, "{query}");
        let reply = app.get(&format!("{path}{query}")).token(token).send().await;
        assert_eq!(reply.status, status, "{query}");
    }
    app.delete(&path)
        .token(&ada)
        .send()
        .await
        .expect(404, "not_found");
    app.get("/api/orders/?archived=2")
        .token(&ada)
        .send()
        .await
        .expect_fields(&["archived"]);
    let mine = app
        .patch(&path)
        .token(&staff)
        .json(&json!({"status": "pending"}))
        .await;
    mine.expect(404, "not_found");
}

#[actix_web::test]
async fn the_last_units_are_sold_once() {
    let Orders { app, product, .. } = orders().await;
    let mut customers = Vec::new();
    for buyer in 0..20 {
        let token = app.customer(&format!("buyer{buyer}"));
        app.fill(&token, product, 1).await;
        customers.push(token);
    }
    let placing = customers
        .iter()
        .map(|token| app.post("/api/orders/").token(token).send());
    let replies = futures_util::future::join_all(placing).await;
    let placed = replies.iter().filter(|reply| reply.status == 201).count();
    let refused = replies.iter().filter(|reply| reply.status == 409).count();
    assert_eq!((placed, refused), (10, 10));
    assert_eq!(stock(&app, product).await, 0);
    assert_eq!(app.stores.ledger.audit().unwrap().discrepancies, []);
}
