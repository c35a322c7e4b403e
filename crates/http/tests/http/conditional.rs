//! Conditional requests: `ETag`, `If-None-Match` and `If-Match`.

use crate::support::{App, Reply};
use futures_util::future::join_all;
use serde_json::json;

/// The `ETag` of a response.
fn tag(reply: &Reply) -> String {
    let tag = reply.header("etag");
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    assert!(inner.is_some_and(|inner| !inner.is_empty()), "{tag}");
    tag
}

struct Things {
    app: App,
    staff: String,
    ada: String,
    product: i64,
    /// The paths of a product, a line of Ada's cart and an order of hers.
    paths: [String; 3],
}

async fn things() -> Things {
    let app = App::new().await;
    let (staff, ada) = (app.staff("grace"), app.customer("ada"));
    let product = app.product(&staff, "19.99", 50).await;
    let order = app.order(&ada, product, 2).await;
    let line = app.fill(&ada, product, 1).await;
    let paths = [
        format!("/api/products/{product}/"),
        format!("/api/cart/{line}/"),
        format!("/api/orders/{order}/"),
    ];
    Things {
        app,
        staff,
        ada,
        product,
        paths,
    }
}

impl Things {
    async fn read(&self, path: &str) -> Reply {
        self.app.get(path).token(&self.ada).send().await
    }
}

#[actix_web::test]
async fn if_none_match_with_the_current_tag_is_304() {
    let things = things().await;
    for path in &things.paths {
        let first = things.read(path).await;
        let held = tag(&first);
        assert_eq!(tag(&things.read(path).await), held, "{path}");
        for (given, status) in [
            (held.clone(), 304),
            (format!("W/{held}"), 304),
            (format!("\"other\", {held}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
            (held.trim_matches('"').to_owned(), 200),
            ("nonsense".to_owned(), 200),
            (String::new(), 200),
        ] {
            for method in ["GET", "HEAD"] {
                let call = things.app.call(method.parse().unwrap(), path);
                let call = call.token(&things.ada).header("If-None-Match", &given);
                let reply = call.send().await;
                assert_eq!(reply.status, status, "{method} {path} {given}");
                assert_eq!(tag(&reply), held);
                if status == 304 {
                    assert!(reply.text().is_empty() && reply.header("content-type").is_empty());
                }
            }
        }
    }
}

/// A tag covers the whole response.
#[actix_web::test]
async fn every_visible_change_changes_the_tag() {
    let Things {
        app,
        staff,
        ada,
        product,
        paths: [product_path, line_path, order_path],
    } = &things().await;
    let tags = async || {
        let read = async |path: &String| tag(&app.get(path).token(ada).send().await);
        join_all([product_path, line_path, order_path].map(&read)).await
    };
    let bob = &app.customer("bob");
    let first = tags().await;
    app.order(bob, *product, 1).await;
    let sold = tags().await;
    assert!(sold[0] != first[0] && sold[1] != first[1] && sold[2] == first[2]);
    app.patch(product_path)
        .token(staff)
        .json(&json!({"price": "5.00"}))
        .await
        .expect_status(200);
    let priced = tags().await;
    assert!(priced[0] != sold[0] && priced[1] != sold[1] && priced[2] == sold[2]);
    app.clock.advance(1);
    app.patch(order_path)
        .token(staff)
        .json(&json!({"status": "processing"}))
        .await
        .expect_status(200);
    let moved = tags().await;
    assert!(moved[..2] == priced[..2] && moved[2] != priced[2]);
}

/// Creating, changing and reading return the same tag, so that clients need no read after a write.
#[actix_web::test]
async fn writes_return_the_same_tag_as_reads() {
    let app = App::new().await;
    let (staff, ada) = (app.staff("grace"), app.customer("ada"));
    let cup = json!({"name": "Cup", "price": "1.00", "stock": 5});
    let made = app.post("/api/products/").token(&staff).json(&cup).await;
    let id = made.json()["id"].as_i64().unwrap();
    let path = format!("/api/products/{id}/");
    assert_eq!(tag(&made), tag(&app.get(&path).send().await));
    let changed = app.patch(&path).token(&staff);
    let changed = changed.json(&json!({"name": "Mug"})).await;
    assert_ne!(tag(&made), tag(&changed));
    assert_eq!(tag(&changed), tag(&app.get(&path).send().await));

    let line = json!({"product_id": id});
    let line = app.post("/api/cart/").token(&ada).json(&line).await;
    let path = format!("/api/cart/{}/", line.json()["id"]);
    let read = app.get(&path).token(&ada).send().await;
    assert_eq!(tag(&line), tag(&read));

    let place = || {
        app.post("/api/orders/")
            .token(&ada)
            .header("Idempotency-Key", "k")
    };
    let (order, again) = (place().send().await, place().send().await);
    let path = format!("/api/orders/{}/", order.json()["id"]);
    let read = app.get(&path).token(&ada).send().await;
    assert_eq!(tag(&order), tag(&read));
    // The current tag may differ by now.
    assert_eq!(again.header("etag"), "");
}

#[actix_web::test]
async fn if_match_with_another_tag_is_412() {
    let Things {
        app,
        staff,
        ada,
        paths,
        ..
    } = &things().await;
    let bodies = [
        json!({"name": "Bowl", "price": "1.00"}),
        json!({"quantity": 3}),
        json!({"status": "cancelled"}),
    ];
    for (path, body) in paths.iter().zip(bodies) {
        let token = if path.contains("products") {
            staff
        } else {
            ada
        };
        let held = tag(&app.get(path).token(token).send().await);
        for given in ["\"other\"", "W/\"other\"", "nonsense", ""] {
            for method in ["PUT", "PATCH", "DELETE"] {
                let call = app.call(method.parse().unwrap(), path).token(token);
                let reply = call.header("If-Match", given).json(&body).await;
                reply.expect(412, "precondition_failed");
            }
            // Even if it would change nothing.
            let call = app.patch(path).token(token).header("If-Match", given);
            call.json(&json!({}))
                .await
                .expect(412, "precondition_failed");
        }
        let seen = app.get(path).token(token).send().await;
        assert_eq!(tag(&seen), held, "nothing was changed");
        // A proxy that compresses responses makes their tags weak.
        let weak = format!("W/{held}");
        for given in ["*".to_owned(), format!("\"other\", {held}"), weak] {
            let call = app.patch(path).token(token).header("If-Match", &given);
            call.json(&json!({})).await.expect_status(200);
        }
        app.clock.advance(1);
        let edit = || app.put(path).token(token).header("If-Match", &held);
        edit().json(&body).await.expect_status(200);
        edit().json(&body).await.expect(412, "precondition_failed");
        let outdated = app
            .put(path)
            .token(token)
            .header("If-Match", &format!("W/{held}"));
        outdated
            .json(&body)
            .await
            .expect(412, "precondition_failed");
    }
}

#[actix_web::test]
async fn a_sale_fails_if_match_only_for_edits_of_stock() {
    let Things {
        app,
        staff,
        ada,
        product,
        paths: [path, line, _],
    } = &things().await;
    let held = tag(&app.get(path).send().await);
    let line_held = tag(&app.get(line).token(ada).send().await);
    let bob = &app.customer("bob");
    app.order(bob, *product, 1).await;
    for (body, status) in [
        (json!({"stock": 50}), 412),
        (json!({"name": "Bowl", "stock": 50}), 412),
        (json!({"name": "Bowl"}), 200),
    ] {
        let edit = app.patch(path).token(staff).header("If-Match", &held);
        edit.json(&body).await.expect_status(status);
    }
    // Nor does the sale matter to a cart.
    let set = app.patch(line).token(ada).header("If-Match", &line_held);
    set.json(&json!({"quantity": 2})).await.expect_status(200);
    let held = tag(&app.get(path).send().await);
    app.order(bob, *product, 1).await;
    let archive = app.delete(path).token(staff).header("If-Match", &held);
    archive.send().await.expect_status(204);
}

/// Validation errors take precedence over the precondition.
#[actix_web::test]
async fn preconditions_neither_hide_errors_nor_reveal_resources() {
    let Things {
        app, ada, paths, ..
    } = &things().await;
    let eve = &app.customer("eve");
    let [product, line, order] = paths;
    let ask = |method: &str, path: &str, token: &str| {
        let call = app.call(method.parse().unwrap(), path).token(token);
        call.header("If-Match", "\"other\"")
    };
    for path in [line, order] {
        let reply = ask("DELETE", path, eve).send().await;
        reply.expect(404, "not_found");
        let held = tag(&app.get(path).token(ada).send().await);
        let call = app.get(path).token(eve).header("If-None-Match", &held);
        call.send().await.expect(404, "not_found");
    }
    let shipped = ask("PATCH", order, ada)
        .json(&json!({"status": "shipped"}))
        .await;
    shipped.expect(403, "forbidden");
    let reply = ask("PATCH", product, ada).json(&json!({})).await;
    reply.expect(403, "forbidden");
    let reply = ask("PATCH", line, ada).json(&json!({"quantity": -1})).await;
    reply.expect(400, "invalid");
}
