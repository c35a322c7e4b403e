//! Privacy between users: the resources of another user cannot be read, changed, or distinguished
//! from missing ones.

use crate::support::{App, Reply, memory, settings};
use actix_web::http::Method;
use serde_json::{Value, json};
use tradepost_http::Settings;

/// An app in which Ada has a cart line and an order, and Bob probes for them.
struct World {
    app: App,
    staff: String,
    ada: String,
    bob: String,
    line: String,
    order: String,
}

async fn world() -> World {
    let settings = Settings {
        throttling: None,
        ..settings()
    };
    let app = App::with(memory(), settings).await;
    let (staff, ada, bob) = (app.staff("boss"), app.customer("ada"), app.customer("bob"));
    let product = app.product(&staff, "19.99", 50).await;
    let order = app.order(&ada, product, 1).await;
    let line = app.fill(&ada, product, 1).await;
    app.fill(&bob, product, 1).await;
    World {
        line: format!("/api/cart/{line}/"),
        order: format!("/api/orders/{order}/"),
        app,
        staff,
        ada,
        bob,
    }
}

/// The parts of a response that do not differ between requests.
fn seen(reply: &Reply) -> (u16, Vec<(String, String)>, Option<Value>) {
    let differs = ["x-request-id", "ratelimit"];
    let names = reply.headers.keys().map(|name| name.as_str().to_owned());
    let mut headers: Vec<(String, String)> = names
        .filter(|name| !differs.contains(&name.as_str()))
        .map(|name| (name.clone(), reply.header(&name)))
        .collect();
    headers.sort();
    let body = (!reply.body.is_empty()).then(|| reply.anonymous());
    (reply.status, headers, body)
}

#[actix_web::test]
async fn resources_of_other_users_look_missing() {
    let World {
        app,
        staff,
        ada,
        bob,
        line,
        order,
    } = &world().await;
    let before = app.snapshot(staff, ada).await;
    let line_tag = app.get(line).token(ada).send().await.header("etag");
    let order_tag = app.get(order).token(ada).send().await.header("etag");
    let headers: Vec<Option<(&str, &str)>> = vec![
        None,
        Some(("If-None-Match", &line_tag)),
        Some(("If-None-Match", &order_tag)),
        Some(("If-None-Match", "*")),
        Some(("If-Match", &line_tag)),
        Some(("If-Match", &order_tag)),
        Some(("If-Match", "*")),
        Some(("If-Match", "\"x\"")),
        Some(("Idempotency-Key", "k")),
        Some(("Accept", "application/problem+json")),
    ];
    let bodies = [
        json!({}),
        json!({"quantity": 2}),
        json!({"quantity": 0}),
        json!({"quantity": 9999}),
        json!({"quantity": -1}),
        json!({"quantity": 1, "product_id": 1}),
        json!({"quantity": 1, "product_id": 99}),
        json!({"status": "cancelled"}),
        json!({"status": "pending"}),
        json!({"status": "shipped"}),
        json!({"status": "x"}),
        json!(null),
    ];
    let mut compared = 0;
    for (theirs, nothing) in [(line, "/api/cart/4711/"), (order, "/api/orders/4711/")] {
        for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
            for query in ["", "?archived=true", "?archived=x", "?user=2"] {
                for header in &headers {
                    for body in &bodies {
                        let ask = |path: &str| {
                            let path = format!("{path}{query}");
                            let call = app.call(method.clone(), &path).token(bob);
                            match header {
                                Some((name, value)) => call.header(name, value),
                                None => call,
                            }
                            .json(body)
                        };
                        let (one, other) = (ask(theirs).await, ask(nothing).await);
                        assert_eq!(
                            seen(&one),
                            seen(&other),
                            "{method} {theirs}{query} {header:?} {body}"
                        );
                        assert!((400..500).contains(&one.status), "{one:?}");
                        compared += 1;
                    }
                }
            }
        }
    }
    assert_eq!(compared, 2 * 4 * 4 * 10 * 12);
    assert_eq!(app.snapshot(staff, ada).await, before);
}

#[actix_web::test]
async fn no_list_shows_resources_of_other_users() {
    let World { app, ada, bob, .. } = &world().await;
    for query in [
        "",
        "?user=2",
        "?archived=true",
        "?cursor=",
        "?cursor=&user=2",
        "?status=pending",
        "?created_after=2000-01-01T00:00:00Z",
        "?ordering=total_price",
        "?user_id=2",
        "?user=2&user=3",
    ] {
        let list = app.get(&format!("/api/orders/{query}")).token(bob);
        let list = list.send().await.json();
        assert_eq!(list["results"], json!([]), "{query}");
        assert!(list["next"].is_null() && list["previous"].is_null());
        assert!(list["count"].is_null() || list["count"] == 0, "{query}");
    }
    let cart = app.get("/api/cart/?user=2").token(bob).send().await.json();
    let own = app.get("/api/users/me/").token(bob).send().await.json();
    assert_eq!(
        (&cart["count"], &cart["results"][0]["user"]),
        (&json!(1), &own["id"])
    );
    let hers = app.get("/api/orders/").token(ada).send().await.json();
    assert_eq!(hers["count"], 1, "there is something to see");
}

#[actix_web::test]
async fn cursors_of_other_users_are_rejected() {
    let World {
        app,
        staff,
        ada,
        bob,
        ..
    } = &world().await;
    app.order(ada, 1, 1).await;
    let cursor = |token: &str, query: &str| {
        let path = format!("/api/orders/?cursor=&page_size=1{query}");
        let call = app.get(&path).token(token);
        async move {
            let next = call.send().await.json()["next"].clone();
            let (_, query) = next.as_str().unwrap().split_once('?').unwrap();
            let pairs = query.split('&');
            let cursor = pairs.into_iter().find(|pair| pair.starts_with("cursor="));
            cursor.unwrap().to_owned()
        }
    };
    let own = cursor(ada, "").await;
    let of_staff = cursor(staff, "").await;
    let of_staff_for_ada = cursor(staff, "&user=2").await;
    for cursor in [&own, &of_staff, &of_staff_for_ada] {
        for query in ["", "&user=2", "&page_size=1"] {
            let call = app.get(&format!("/api/orders/?{cursor}{query}")).token(bob);
            call.send().await.expect_fields(&["cursor"]);
        }
    }
    let call = app.get(&format!("/api/orders/?{own}")).token(ada);
    call.send().await.expect_status(200);
    let call = app.get(&format!("/api/orders/?{of_staff}")).token(ada);
    call.send().await.expect_fields(&["cursor"]);
}

/// Name, price and SKU of an archived product cannot be found by searching, sorting, filtering, or
/// adding it to a cart.
#[actix_web::test]
async fn archived_products_cannot_be_probed_for() {
    let World {
        app, staff, bob, ..
    } = &world().await;
    let secret = json!({"name": "Secret lamp", "price": "77.77", "stock": 3, "sku": "S-1"});
    let made = app.post("/api/products/").token(staff).json(&secret).await;
    let id = made.json()["id"].as_i64().unwrap();
    let path = format!("/api/products/{id}/");
    let archived = app.delete(&path).token(staff).send().await;
    archived.expect_status(204);
    for query in [
        "search=secret",
        "min_price=77&max_price=78",
        "in_stock=true&ordering=-price",
        "cursor=&ordering=-price",
        "archived=true",
        "archived=true&search=lamp",
        "cursor=&archived=true",
    ] {
        for token in [None, Some(bob)] {
            let call = app.get(&format!("/api/products/?{query}"));
            let call = match token {
                Some(token) => call.token(token),
                None => call,
            };
            let list = call.send().await.expect_status(200);
            assert!(!list.text().contains("Secret"), "{query}");
        }
    }
    let nothing = app.get("/api/products/4711/?archived=true").token(bob);
    let there = app.get(&format!("{path}?archived=true")).token(bob);
    assert_eq!(seen(&there.send().await), seen(&nothing.send().await));
    let add = |id: i64| {
        let line = json!({"product_id": id});
        let call = app.post("/api/cart/").token(bob);
        async move { call.json(&line).await }
    };
    assert_eq!(seen(&add(id).await), seen(&add(4711).await));
    let list = app.get("/api/products/?archived=true").token(staff);
    assert!(list.send().await.text().contains("Secret lamp"));
}

/// Under a key that Ada used, Bob gets the same response as under any other.
#[actix_web::test]
async fn an_idempotency_key_tells_nothing_about_others() {
    let World { app, ada, bob, .. } = &world().await;
    let order = |token: &str, key: &str| {
        let call = app.post("/api/orders/").token(token);
        call.header("Idempotency-Key", key).send()
    };
    order(ada, "used").await.expect_status(201);
    let key = |name: &str| order(bob, name);
    let first = key("used").await.expect_status(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_ne!(first.json()["user"], 2, "{}", first.text());
    let (used, fresh) = (order(bob, "other").await, order(bob, "fresh").await);
    assert_eq!(seen(&used), seen(&fresh));
    used.expect(400, "empty_cart");
}

/// Customers cannot find out whether a user exists.
#[actix_web::test]
async fn customers_cannot_probe_for_users() {
    let World { app, bob, .. } = &world().await;
    for method in [Method::GET, Method::PATCH] {
        for query in ["", "?search=ada"] {
            let ask = |id: i64| {
                let path = format!("/api/users/{id}/{query}");
                let call = app.call(method.clone(), &path).token(bob);
                async move { call.json(&json!({"is_staff": true})).await }
            };
            let (there, nothing) = (ask(2).await, ask(4711).await);
            assert_eq!(seen(&there), seen(&nothing));
            there.expect(403, "forbidden");
        }
    }
    let search = app.get("/api/users/?search=ada").token(bob).send().await;
    search.expect(403, "forbidden");
    let sign_in = |name: &str| {
        let body = json!({"username": name, "password": "wrong"});
        let call = app.post("/api-token-auth/");
        async move { call.json(&body).await }
    };
    assert_eq!(seen(&sign_in("ada").await), seen(&sign_in("nobody").await));
}
