//! Requests that are sent more than once under one `Idempotency-Key`.

mod unlucky;

use crate::support::{App, Reply, memory, settings};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tradepost_domain::Stores;
use tradepost_http::Settings;

const KEY: &str = "Idempotency-Key";

struct Shop {
    app: App,
    staff: String,
    ada: String,
    bob: String,
}

/// An app with a product, ten in stock, under the id 1.
async fn shop() -> Shop {
    with(memory(), settings()).await
}

async fn with(stores: Stores, settings: Settings) -> Shop {
    let app = App::with(stores, settings).await;
    let (staff, ada, bob) = (app.staff("boss"), app.customer("ada"), app.customer("bob"));
    assert_eq!(app.product(&staff, "19.99", 10).await, 1);
    Shop {
        app,
        staff,
        ada,
        bob,
    }
}

impl Shop {
    async fn post(&self, path: &str, token: &str, key: &str, body: &str) -> Reply {
        let call = self.app.post(path).token(token).header(KEY, key);
        call.body("application/json", body.to_owned()).await
    }

    async fn order(&self, token: &str, key: &str) -> Reply {
        self.post("/api/orders/", token, key, "{}").await
    }

    async fn patch(&self, path: &str, body: Value) {
        let call = self.app.patch(path).token(&self.staff);
        call.json(&body).await.expect_status(200);
    }

    async fn stock(&self) -> Value {
        let product = self.app.get("/api/products/1/?archived=true");
        product.token(&self.staff).send().await.json()["stock"].clone()
    }

    fn orders(&self) -> u64 {
        self.app.stores.ledger.audit().unwrap().orders
    }

    async fn snapshot(&self) -> Vec<Value> {
        self.app.snapshot(&self.staff, &self.ada).await
    }
}

#[track_caller]
fn made(reply: Reply) -> Reply {
    assert_eq!(reply.header("idempotent-replayed"), "");
    reply.expect_status(201)
}

/// The response equals the first one, to the byte.
#[track_caller]
fn replayed(reply: Reply, first: &Reply) {
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.text(), first.text());
    assert_eq!(reply.header("location"), first.header("location"));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("idempotent-replayed"), "true");
}

#[actix_web::test]
async fn an_orders_answer_stays_the_same() {
    let shop = shop().await;
    shop.app.fill(&shop.ada, 1, 2).await;
    let first = made(shop.order(&shop.ada, "a").await);
    assert_eq!(first.header("location"), "http://shop/api/orders/1/");
    assert_eq!(first.json()["status"], "pending");
    shop.app.clock.advance(60);
    replayed(shop.order(&shop.ada, "a").await, &first);
    shop.patch("/api/orders/1/", json!({"status": "processing"}))
        .await;
    shop.patch("/api/products/1/", json!({"name": "Cup", "price": 5}))
        .await;
    replayed(shop.order(&shop.ada, "a").await, &first);
    shop.app.fill(&shop.ada, 1, 1).await;
    let other = made(shop.order(&shop.ada, "b").await);
    assert_eq!(other.header("location"), "http://shop/api/orders/2/");
    let deleted = shop.app.delete("/api/orders/2/").token(&shop.ada);
    deleted.send().await.expect_status(204);
    replayed(shop.order(&shop.ada, "b").await, &other);
    // A cart that was filled meanwhile is left unchanged.
    shop.app.fill(&shop.ada, 1, 3).await;
    replayed(shop.order(&shop.ada, "a").await, &first);
    let cart = shop.app.get("/api/cart/").token(&shop.ada).send().await;
    assert_eq!(cart.json()["total_quantity"], 3);
    assert_eq!((shop.orders(), shop.stock().await), (2, json!(8)));
}

#[actix_web::test]
async fn every_route_that_makes_something_replays() {
    let shop = shop().await;
    let product = r#"{"name": "Cup", "price": "2.00", "sku": "CUP", "stock": 4}"#;
    let (staff, ada) = (&shop.staff, &shop.ada);
    let stock = r#"{"delta": 5, "reason": "delivered"}"#;
    let rows = [
        (
            "/api/products/",
            staff,
            product,
            "http://shop/api/products/2/",
        ),
        ("/api/products/1/stock/", staff, stock, ""),
        ("/api/cart/", ada, r#"{"product_id": 1}"#, ""),
        ("/api/orders/", ada, "{}", "http://shop/api/orders/1/"),
    ];
    let mut first = Vec::new();
    for (path, token, body, location) in rows {
        let reply = made(shop.post(path, token, "a", body).await);
        assert_eq!(reply.header("location"), location);
        first.push(reply);
    }
    shop.patch("/api/products/1/", json!({"stock": 0, "price": 7}))
        .await;
    for id in [1, 2] {
        let archive = shop.app.delete(&format!("/api/products/{id}/"));
        archive.token(staff).send().await.expect_status(204);
    }
    let before = shop.snapshot().await;
    for ((path, token, body, _), first) in rows.into_iter().zip(&first) {
        for path in [path, path.trim_end_matches('/')] {
            for key in ["a", "\"a\""] {
                replayed(shop.post(path, token, key, body).await, first);
            }
        }
    }
    assert_eq!(shop.snapshot().await, before);
    assert_eq!(shop.stock().await, 0);
}

#[actix_web::test]
async fn the_same_command_in_other_words_is_the_same() {
    let shop = shop().await;
    for (path, token, bodies) in [
        (
            "/api/cart/",
            &shop.ada,
            &[
                r#"{"product_id": 1, "quantity": 2}"#,
                r#"{"quantity":"2","product_id":"01"}"#,
                r#"{ "product_id": 1, "quantity": 3, "quantity": 2, "note": "x" }"#,
            ][..],
        ),
        (
            "/api/orders/",
            &shop.ada,
            &[
                r#"{"expected_total": "39.98"}"#,
                r#"{"expected_total": 39.98, "x": []}"#,
            ],
        ),
        (
            "/api/products/",
            &shop.staff,
            &[
                r#"{"name": "Cup", "price": 2}"#,
                r#"{"name": " Cup ", "price": "2.00", "stock": 0, "sku": null, "description": ""}"#,
            ],
        ),
        (
            "/api/products/1/stock/",
            &shop.staff,
            &[r#"{"delta": -1}"#, r#"{"delta": "-1", "reason": null}"#],
        ),
    ] {
        let first = made(shop.post(path, token, "a", bodies[0]).await);
        for body in bodies {
            replayed(shop.post(path, token, "a", body).await, &first);
        }
    }
    // A missing body is an order without an expected total, as `{}` is.
    shop.app.fill(&shop.ada, 1, 1).await;
    let first = made(shop.order(&shop.ada, "b").await);
    let bare = shop
        .app
        .post("/api/orders/")
        .token(&shop.ada)
        .header(KEY, "b");
    replayed(bare.send().await, &first);
}

#[actix_web::test]
async fn another_command_under_a_key_is_422_and_changes_nothing() {
    let shop = shop().await;
    for (path, token, body, others) in [
        (
            "/api/cart/",
            &shop.ada,
            r#"{"product_id": 1}"#,
            &[
                r#"{"product_id": 1, "quantity": 2}"#,
                r#"{"product_id": 2}"#,
            ][..],
        ),
        (
            "/api/orders/",
            &shop.ada,
            "{}",
            &[r#"{"expected_total": "19.99"}"#, r#"{"expected_total": 0}"#],
        ),
        (
            "/api/products/",
            &shop.staff,
            r#"{"name": "Cup", "price": 2}"#,
            &[
                r#"{"name": "Cup", "price": 3}"#,
                r#"{"name": "Pot", "price": 2}"#,
                r#"{"name": "Cup", "price": 2, "sku": "x"}"#,
                r#"{"name": "Cup", "price": 2, "stock": 1}"#,
                r#"{"name": "Cup", "price": 2, "description": "x"}"#,
            ],
        ),
        (
            "/api/products/1/stock/",
            &shop.staff,
            r#"{"delta": 2}"#,
            &[r#"{"delta": -2}"#, r#"{"delta": 2, "reason": "found"}"#],
        ),
    ] {
        let first = made(shop.post(path, token, "a", body).await);
        let before = shop.snapshot().await;
        for other in others {
            let refused = shop.post(path, token, "a", other).await;
            assert_eq!(refused.header("idempotent-replayed"), "");
            refused.expect(422, "idempotency_key_reused");
        }
        assert_eq!(shop.snapshot().await, before);
        replayed(shop.post(path, token, "a", body).await, &first);
    }
}

#[actix_web::test]
async fn a_key_is_of_one_user_and_one_path() {
    let shop = shop().await;
    for token in [&shop.ada, &shop.bob] {
        let added = shop
            .post("/api/cart/", token, "a", r#"{"product_id": 1}"#)
            .await;
        made(added);
        made(shop.order(token, "a").await);
    }
    assert_eq!((shop.orders(), shop.stock().await), (2, json!(8)));
    assert_eq!(shop.app.product(&shop.staff, "1.00", 0).await, 2);
    for product in [1, 2] {
        let path = format!("/api/products/{product}/stock/");
        let moved = made(shop.post(&path, &shop.staff, "a", r#"{"delta": 3}"#).await);
        assert_eq!(moved.json()["product_id"], product);
    }
    let audit = shop.app.stores.ledger.audit().unwrap();
    assert_eq!(audit.discrepancies, []);
}

#[actix_web::test]
async fn rejected_commands_may_be_retried_under_their_key() {
    let shop = shop().await;
    shop.order(&shop.ada, "a").await.expect(400, "empty_cart");
    shop.app.fill(&shop.ada, 1, 5).await;
    shop.patch("/api/products/1/", json!({"stock": 4})).await;
    let short = shop.order(&shop.ada, "a").await;
    short.expect(409, "insufficient_stock");
    // Even with another command: nothing was executed under the key.
    let wish = r#"{"expected_total": 1}"#;
    shop.patch("/api/products/1/", json!({"stock": 5})).await;
    let changed = shop.post("/api/orders/", &shop.ada, "a", wish).await;
    changed.expect(409, "total_changed");
    let first = made(shop.order(&shop.ada, "a").await);
    replayed(shop.order(&shop.ada, "a").await, &first);

    let path = "/api/products/1/stock/";
    let take = || shop.post(path, &shop.staff, "a", r#"{"delta": -1}"#);
    take().await.expect(409, "insufficient_stock");
    shop.patch("/api/products/1/", json!({"stock": 1})).await;
    let first = made(take().await);
    replayed(take().await, &first);

    // An invalid request does not use up a key.
    let wrong = shop.post("/api/cart/", &shop.ada, "a", "{}").await;
    wrong.expect_fields(&["product_id"]);
    shop.patch("/api/products/1/", json!({"stock": 1})).await;
    made(
        shop.post("/api/cart/", &shop.ada, "a", r#"{"product_id": 1}"#)
            .await,
    );
}

#[actix_web::test]
async fn malformed_keys_are_named() {
    let shop = shop().await;
    shop.app.fill(&shop.ada, 1, 1).await;
    let before = shop.snapshot().await;
    let (staff, ada) = (&shop.staff, &shop.ada);
    let rows = [
        ("/api/products/", staff, r#"{"name": "Cup", "price": 2}"#),
        ("/api/products/1/stock/", staff, r#"{"delta": 1}"#),
        ("/api/cart/", ada, r#"{"product_id": 1}"#),
        ("/api/orders/", ada, "{}"),
    ];
    let longer = "k".repeat(256);
    let quoted = format!("\"{longer}\"");
    let long = "k".repeat(60_000);
    for (path, token, body) in rows {
        for key in [
            "",
            " ",
            "\"\"",
            "\"",
            "\"a",
            "\" \"",
            "a b",
            "a, b",
            "a\tb",
            "é",
            "\u{1f511}",
            &longer,
            &quoted,
            &long,
        ] {
            let reply = shop.post(path, token, key, body).await;
            reply.expect_fields(&[KEY]);
        }
        let two = shop
            .app
            .post(path)
            .token(token)
            .header(KEY, "a")
            .header(KEY, "a");
        two.body("application/json", body)
            .await
            .expect_fields(&[KEY]);
    }
    // Listed together with the other errors.
    let both = shop.post("/api/cart/", ada, "", r#"{"quantity": 0}"#).await;
    both.expect_fields(&[KEY, "product_id", "quantity"]);
    assert_eq!(shop.snapshot().await, before);
    // 403 takes precedence over an invalid key.
    let customer = shop.post("/api/products/", ada, "", "{}").await;
    customer.expect(403, "forbidden");
    // Other methods ignore the header.
    let patch = shop
        .app
        .patch("/api/products/1/")
        .token(staff)
        .header(KEY, "a b");
    patch.json(&json!({})).await.expect_status(200);
    for key in [
        "!",
        "~",
        "\"{}\"",
        "a\"b",
        "00000000-0000-0000-0000-000000000000",
    ] {
        made(
            shop.post("/api/cart/", ada, key, r#"{"product_id": 1}"#)
                .await,
        );
    }
}

#[actix_web::test]
async fn thirty_at_once_under_one_key_are_one_order() {
    let shop = shop().await;
    shop.app.fill(&shop.ada, 1, 3).await;
    let replies = join_all((0..30).map(|_| shop.order(&shop.ada, "a"))).await;
    let again = replies
        .iter()
        .filter(|reply| reply.header("idempotent-replayed") == "true");
    assert_eq!(again.count(), 29);
    for reply in &replies {
        assert_eq!(reply.status, 201);
        assert_eq!(reply.text(), replies[0].text());
        assert_eq!(reply.header("location"), "http://shop/api/orders/1/");
    }
    assert_eq!((shop.orders(), shop.stock().await), (1, json!(7)));

    for (path, token, body) in [
        (
            "/api/products/",
            &shop.staff,
            r#"{"name": "Cup", "price": 2, "sku": "CUP"}"#,
        ),
        ("/api/products/1/stock/", &shop.staff, r#"{"delta": 3}"#),
        (
            "/api/cart/",
            &shop.ada,
            r#"{"product_id": 1, "quantity": 2}"#,
        ),
    ] {
        let replies = join_all((0..30).map(|_| shop.post(path, token, "a", body))).await;
        let again = replies
            .iter()
            .filter(|reply| reply.header("idempotent-replayed") == "true");
        assert_eq!(again.count(), 29, "{path}");
        for reply in &replies {
            assert_eq!((reply.status, reply.text()), (201, replies[0].text()));
        }
    }
    assert_eq!(shop.stock().await, 10);
    let cart = shop.app.get("/api/cart/").token(&shop.ada).send().await;
    assert_eq!(cart.json()["total_quantity"], 2);
}
