//! Stock ledger endpoints, for staff.

use crate::support::App;
use serde_json::{Value, json};

const PATH: &str = "/api/products/1/stock/";

struct Shop {
    app: App,
    staff: String,
    ada: String,
}

/// An app with a product, ten in stock, under the id 1.
async fn shop() -> Shop {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    assert_eq!(app.product(&staff, "19.99", 10).await, 1);
    Shop { app, staff, ada }
}

async fn stock(app: &App) -> Value {
    app.get("/api/products/1/").send().await.json()["stock"].clone()
}

#[actix_web::test]
async fn a_movement_has_these_keys_in_this_order() {
    let Shop { app, staff, ada } = shop().await;
    app.clock.advance(60);
    let body = json!({"delta": "-3", "reason": " Broken \"in\" transit ", "stock": 7, "id": 9});
    let made = app.post(PATH).token(&staff).json(&body).await;
    let made = made.expect_status(201);
    assert_eq!(
        made.text(),
        concat!(
            r#"{"id":2,"product_id":1,"order_id":null,"delta":-3,"reason":"adjustment","#,
            r#""note":"Broken \"in\" transit","actor":1,"stock":7,"#,
            r#""created_at":"2023-11-14T22:14:20.000250Z"}"#,
        )
    );
    assert_eq!(made.header("location"), "");
    assert_eq!(stock(&app).await, 7);
    assert_eq!(app.order(&ada, 1, 2).await, 1);
    let listed = app.get(PATH).token(&staff).send().await.expect_status(200);
    assert_eq!(
        listed.text(),
        concat!(
            r#"{"count":3,"next":null,"previous":null,"results":["#,
            r#"{"id":3,"product_id":1,"order_id":1,"delta":-2,"reason":"sale","note":null,"actor":2,"#,
            r#""created_at":"2023-11-14T22:14:20.000250Z"},"#,
            r#"{"id":2,"product_id":1,"order_id":null,"delta":-3,"reason":"adjustment","#,
            r#""note":"Broken \"in\" transit","actor":1,"created_at":"2023-11-14T22:14:20.000250Z"},"#,
            r#"{"id":1,"product_id":1,"order_id":null,"delta":10,"reason":"opening","note":null,"#,
            r#""actor":1,"created_at":"2023-11-14T22:13:20.000250Z"}]}"#,
        )
    );
}

#[actix_web::test]
async fn an_adjustment_is_no_edit_of_the_product() {
    let Shop { app, staff, .. } = shop().await;
    let before = app.get("/api/products/1/").send().await.json();
    app.clock.advance(60);
    let made = app
        .post(PATH)
        .token(&staff)
        .json(&json!({"delta": 5}))
        .await;
    let made = made.expect_status(201).json();
    assert_eq!((&made["note"], &made["stock"]), (&Value::Null, &json!(15)));
    let after = app.get("/api/products/1/").send().await.json();
    assert_eq!(after["updated_at"], before["updated_at"]);
    assert_eq!(after["stock"], 15);
}

#[actix_web::test]
async fn adjustments_are_validated() {
    let Shop { app, staff, ada } = shop().await;
    let before = app.snapshot(&staff, &ada).await;
    let long = "x".repeat(201);
    for (body, fields) in [
        (json!({}), &["delta"][..]),
        (json!({"delta": null}), &["delta"]),
        (json!({"delta": 0}), &["delta"]),
        (json!({"delta": "0"}), &["delta"]),
        (json!({"delta": true}), &["delta"]),
        (json!({"delta": 1.5}), &["delta"]),
        (json!({"delta": "1.5"}), &["delta"]),
        (json!({"delta": "x"}), &["delta"]),
        (json!({"delta": [1]}), &["delta"]),
        (json!({"delta": 2_147_483_648_i64}), &["delta"]),
        (json!({"delta": -2_147_483_648_i64}), &["delta"]),
        (json!({"delta": i64::MIN}), &["delta"]),
        (json!({"delta": u64::MAX}), &["delta"]),
        // One more than the stock can hold, though not more than the field allows.
        (json!({"delta": 2_147_483_638}), &["delta"]),
        (json!({"delta": 1, "reason": ""}), &["reason"]),
        (json!({"delta": 1, "reason": 7}), &["reason"]),
        (json!({"delta": 1, "reason": "a\nb"}), &["reason"]),
        (json!({"delta": 1, "reason": "a\u{0}b"}), &["reason"]),
        (json!({"delta": 1, "reason": long}), &["reason"]),
        (json!({"delta": 0, "reason": long}), &["delta", "reason"]),
    ] {
        let reply = app.post(PATH).token(&staff).json(&body).await;
        reply.expect_fields(fields);
    }
    let short = app
        .post(PATH)
        .token(&staff)
        .json(&json!({"delta": -11}))
        .await;
    let short = short.expect(409, "insufficient_stock").json();
    let line = json!({"product_id": 1, "available": 10, "requested": 11});
    assert_eq!(short["lines"], json!([line]));
    assert_eq!(app.snapshot(&staff, &ada).await, before);
    for (delta, left) in [(-10, 0), (2_147_483_647, 2_147_483_647_i64)] {
        let reply = app
            .post(PATH)
            .token(&staff)
            .json(&json!({"delta": delta}))
            .await;
        assert_eq!(reply.expect_status(201).json()["stock"], left);
    }
}

#[actix_web::test]
async fn the_ledger_is_for_staff_alone() {
    let Shop { app, staff, ada } = shop().await;
    let before = app.snapshot(&staff, &ada).await;
    for path in [PATH, PATH.trim_end_matches('/'), "/api/products/999/stock/"] {
        let body = json!({"delta": 5});
        app.post(path)
            .json(&body)
            .await
            .expect(401, "not_authenticated");
        let customers = app.post(path).token(&ada).json(&body).await;
        customers.expect(403, "forbidden");
        app.get(path).send().await.expect(401, "not_authenticated");
        let customers = app.get(path).token(&ada).send().await;
        customers.expect(403, "forbidden");
    }
    assert_eq!(app.snapshot(&staff, &ada).await, before);
}

#[actix_web::test]
async fn a_missing_product_is_404_and_an_archived_one_keeps_its_ledger() {
    let Shop { app, staff, .. } = shop().await;
    for id in ["999", "0", "-1", "abc", "9223372036854775808", "%00"] {
        let path = format!("/api/products/{id}/stock/");
        let made = app
            .post(&path)
            .token(&staff)
            .json(&json!({"delta": 5}))
            .await;
        made.expect(404, "not_found");
        let listed = app.get(&path).token(&staff).send().await;
        listed.expect(404, "not_found");
    }
    let archive = app.delete("/api/products/1/").token(&staff);
    archive.send().await.expect_status(204);
    let made = app
        .post(PATH)
        .token(&staff)
        .json(&json!({"delta": 5}))
        .await;
    made.expect(404, "not_found");
    let listed = app.get(PATH).token(&staff).send().await.expect_status(200);
    assert_eq!(listed.json()["count"], 1);
}

#[actix_web::test]
async fn movements_have_pages() {
    let Shop { app, staff, .. } = shop().await;
    for delta in 1..=4 {
        let made = app
            .post(PATH)
            .token(&staff)
            .json(&json!({"delta": delta}))
            .await;
        made.expect_status(201);
    }
    let page = |query: &str| {
        let path = format!("{PATH}{query}");
        app.get(&path).token(&staff).send()
    };
    let deltas = |page: &Value| -> Vec<i64> {
        let rows = page["results"].as_array().unwrap().iter();
        rows.map(|row| row["delta"].as_i64().unwrap()).collect()
    };
    let second = page("?page=2&page_size=2").await.expect_status(200).json();
    assert_eq!(deltas(&second), [2, 1]);
    let url = format!("http://shop{PATH}");
    assert_eq!(second["previous"], format!("{url}?page_size=2"));
    assert_eq!(second["next"], format!("{url}?page=3&page_size=2"));
    page("?page=4&page_size=2").await.expect(404, "not_found");
    page("?page_size=0").await.expect_fields(&["page_size"]);
}

#[actix_web::test]
async fn deliveries_at_once_all_count() {
    let Shop { app, staff, .. } = shop().await;
    let body = json!({"delta": 3});
    let deliver = || app.post(PATH).token(&staff).json(&body);
    let replies = futures_util::future::join_all((0..20).map(|_| deliver())).await;
    let mut levels: Vec<_> = replies
        .into_iter()
        .map(|reply| reply.expect_status(201).json()["stock"].as_i64().unwrap())
        .collect();
    levels.sort_unstable();
    let expected: Vec<_> = (1..=20).map(|times| 10 + 3 * times).collect();
    assert_eq!(levels, expected);
    assert_eq!(app.stores.ledger.audit().unwrap().discrepancies, []);
}
