//! Cart endpoints.

use crate::support::App;
use serde_json::{Value, json};

struct Cart {
    app: App,
    staff: String,
    ada: String,
    bob: String,
    product: i64,
}

async fn cart() -> Cart {
    let app = App::new().await;
    let (staff, ada, bob) = (app.staff("boss"), app.customer("ada"), app.customer("bob"));
    let product = app.product(&staff, "19.99", 5).await;
    Cart {
        app,
        staff,
        ada,
        bob,
        product,
    }
}

#[actix_web::test]
async fn a_line_has_these_keys_in_this_order() {
    let Cart {
        app, ada, product, ..
    } = cart().await;
    let reply = app
        .post("/api/cart/")
        .token(&ada)
        .json(&json!({"product_id": product}))
        .await;
    let reply = reply.expect_status(201);
    let time = "\"2023-11-14T22:13:20.000250Z\"";
    // The keys of a product have a test of their own.
    let shown = app.get(&format!("/api/products/{product}/")).send().await;
    let shown = shown.expect_status(200);
    let product = shown.text();
    let line = format!(
        "{{\"id\":1,\"user\":2,\"product\":{product},\"quantity\":1,\"total_price\":\"19.99\",\
         \"issues\":[],\"created_at\":{time},\"updated_at\":{time}}}"
    );
    assert_eq!(reply.text(), line);
    let shown = app
        .get("/api/cart/1/")
        .token(&ada)
        .send()
        .await
        .expect_status(200);
    assert_eq!(shown.text(), line);
    let page = app
        .get("/api/cart/")
        .token(&ada)
        .send()
        .await
        .expect_status(200);
    let expected = format!(
        "{{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{line}],\
         \"total_price\":\"19.99\",\"total_quantity\":1}}"
    );
    assert_eq!(page.text(), expected);
}

#[actix_web::test]
async fn the_page_has_the_totals_of_the_whole_cart() {
    let Cart {
        app, staff, ada, ..
    } = cart().await;
    let empty = app
        .get("/api/cart/")
        .token(&ada)
        .send()
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        (&empty["total_price"], &empty["total_quantity"]),
        (&json!("0.00"), &json!(0))
    );
    for price in 1..=12 {
        let product = app.product(&staff, &price.to_string(), 9).await;
        app.fill(&ada, product, 2).await;
    }
    for (query, rows, next, previous) in [
        ("", 10, Some("?page=2"), None),
        ("?page=2", 2, None, Some("")),
        (
            "?page_size=5&page=2",
            5,
            Some("?page=3&page_size=5"),
            Some("?page_size=5"),
        ),
    ] {
        let page = app
            .get(&format!("/api/cart/{query}"))
            .token(&ada)
            .send()
            .await;
        let page = page.expect_status(200).json();
        let link =
            |link: Option<&str>| link.map(|link| json!(format!("http://shop/api/cart/{link}")));
        assert_eq!(page["results"].as_array().unwrap().len(), rows, "{query}");
        assert_eq!(page["next"], link(next).unwrap_or(Value::Null), "{query}");
        assert_eq!(
            page["previous"],
            link(previous).unwrap_or(Value::Null),
            "{query}"
        );
        let totals = (
            &page["count"],
            &page["total_price"],
            &page["total_quantity"],
        );
        assert_eq!(
            totals,
            (&json!(12), &json!("156.00"), &json!(24)),
            "{query}"
        );
    }
    app.get("/api/cart/?page=3")
        .token(&ada)
        .send()
        .await
        .expect(404, "not_found");
    app.get("/api/cart/?page_size=0")
        .token(&ada)
        .send()
        .await
        .expect_fields(&["page_size"]);
}

#[actix_web::test]
async fn adding_adds_up_in_one_line() {
    let Cart {
        app, ada, product, ..
    } = cart().await;
    let line = app.fill(&ada, product, 2).await;
    assert_eq!(app.fill(&ada, product, 3).await, line);
    let more = app
        .post("/api/cart/")
        .token(&ada)
        .json(&json!({"product_id": product}))
        .await;
    let more = more.expect(409, "insufficient_stock").json();
    assert_eq!(
        more["lines"],
        json!([{"product_id": product, "available": 5, "requested": 6}])
    );
    let kept = app
        .get(&format!("/api/cart/{line}/"))
        .token(&ada)
        .send()
        .await;
    let kept = kept.expect_status(200).json();
    assert_eq!(
        (&kept["quantity"], &kept["total_price"]),
        (&json!(5), &json!("99.95"))
    );
}

#[actix_web::test]
async fn additions_that_fail_are_explained() {
    let Cart {
        app,
        staff,
        ada,
        product,
        ..
    } = cart().await;
    let archived = app.product(&staff, "1.00", 5).await;
    app.delete(&format!("/api/products/{archived}/"))
        .token(&staff)
        .send()
        .await;
    for (line, fields) in [
        (json!({}), &["product_id"][..]),
        (json!({"product_id": null}), &["product_id"]),
        (json!({"product_id": 999}), &["product_id"]),
        (json!({"product_id": archived}), &["product_id"]),
        (json!({"product_id": 0}), &["product_id"]),
        (json!({"product_id": -1}), &["product_id"]),
        (
            json!({"product_id": 9_223_372_036_854_775_808_u64}),
            &["product_id"],
        ),
        (json!({"product_id": true}), &["product_id"]),
        (
            json!({"product_id": "x", "quantity": 0}),
            &["product_id", "quantity"],
        ),
        (json!({"product_id": product, "quantity": 0}), &["quantity"]),
        (
            json!({"product_id": product, "quantity": null}),
            &["quantity"],
        ),
        (
            json!({"product_id": product, "quantity": 10_000}),
            &["quantity"],
        ),
        (
            json!({"product_id": product, "quantity": 1.5}),
            &["quantity"],
        ),
        (json!({"product_id": product, "qty": 3}), &["qty"]),
        (json!({"product_id": product, "count": 3}), &["count"]),
    ] {
        let reply = app.post("/api/cart/").token(&ada).json(&line).await;
        reply.expect_fields(fields);
    }
    let strings = json!({"product_id": product.to_string(), "quantity": "2"});
    app.post("/api/cart/")
        .token(&ada)
        .json(&strings)
        .await
        .expect_status(201);
}

#[actix_web::test]
async fn quantities_are_set_or_rejected_with_their_field() {
    let Cart {
        app,
        staff,
        ada,
        product,
        ..
    } = cart().await;
    let other = app.product(&staff, "1.00", 5).await;
    let line = app.fill(&ada, product, 2).await;
    let path = format!("/api/cart/{line}/");
    for (method, body, status, fields) in [
        ("PUT", json!({}), 400, &["quantity"][..]),
        ("PATCH", json!({}), 200, &[]),
        ("PUT", json!({"quantity": 3}), 200, &[]),
        ("PATCH", json!({"quantity": "4"}), 200, &[]),
        (
            "PUT",
            json!({"quantity": 5, "product_id": product}),
            200,
            &[],
        ),
        (
            "PUT",
            json!({"quantity": 5, "product_id": other}),
            400,
            &["product_id"],
        ),
        (
            "PATCH",
            json!({"quantity": 5, "product_id": other}),
            400,
            &["product_id"],
        ),
        ("PATCH", json!({"product_id": other}), 400, &["product_id"]),
        ("PATCH", json!({"product_id": product}), 200, &[]),
        (
            "PUT",
            json!({"quantity": 5, "product_id": 0}),
            400,
            &["product_id"],
        ),
        ("PUT", json!({"quantity": -1}), 400, &["quantity"]),
        ("PUT", json!({"quantity": null}), 400, &["quantity"]),
        ("PATCH", json!({"quantity": null}), 400, &["quantity"]),
        ("PATCH", json!({"quantity": 10_000}), 400, &["quantity"]),
        ("PATCH", json!({"quantity": false}), 400, &["quantity"]),
        ("PUT", json!({"quantity": 6}), 409, &[]),
    ] {
        let reply = app
            .call(method.parse().unwrap(), &path)
            .token(&ada)
            .json(&body)
            .await;
        let reply = reply.expect_status(status);
        match status {
            400 => drop(reply.expect_fields(fields)),
            409 => drop(reply.expect(409, "insufficient_stock")),
            _ => {}
        }
    }
    let kept = app.get(&path).token(&ada).send().await.json();
    assert_eq!(kept["quantity"], 5);
}

#[actix_web::test]
async fn zero_removes_a_line_and_delete_removes_it_too() {
    let Cart {
        app, ada, product, ..
    } = cart().await;
    for method in ["PUT", "PATCH", "DELETE"] {
        let line = app.fill(&ada, product, 2).await;
        let path = format!("/api/cart/{line}/");
        let call = |method: &str| app.call(method.parse().unwrap(), &path).token(&ada);
        let reply = call(method)
            .json(&json!({"quantity": 0}))
            .await
            .expect_status(204);
        assert!(reply.body.is_empty());
        call("GET").send().await.expect(404, "not_found");
        call(method)
            .json(&json!({"quantity": 0}))
            .await
            .expect(404, "not_found");
    }
    app.fill(&ada, product, 2).await;
    for _ in 0..2 {
        let emptied = app.delete("/api/cart/").token(&ada).send().await;
        emptied.expect_status(204);
    }
    let page = app.get("/api/cart").token(&ada).send().await.json();
    assert_eq!(page["count"], 0);
}

#[actix_web::test]
async fn issues_are_listed_and_the_cart_is_unchanged() {
    let Cart {
        app,
        staff,
        ada,
        product,
        ..
    } = cart().await;
    let line = app.fill(&ada, product, 5).await;
    let product_path = format!("/api/products/{product}/");
    let cart_path = format!("/api/cart/{line}/");
    let stock = json!({"stock": 4});
    app.patch(&product_path)
        .token(&staff)
        .json(&stock)
        .await
        .expect_status(200);
    let short = app
        .get(&cart_path)
        .token(&ada)
        .send()
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        (&short["issues"], &short["quantity"]),
        (&json!(["insufficient_stock"]), &json!(5))
    );
    app.delete(&product_path)
        .token(&staff)
        .send()
        .await
        .expect_status(204);
    let gone = app
        .get(&cart_path)
        .token(&ada)
        .send()
        .await
        .expect_status(200)
        .json();
    assert_eq!(gone["issues"], json!(["product_unavailable"]));
    let set = app
        .patch(&cart_path)
        .token(&ada)
        .json(&json!({"quantity": 1}))
        .await;
    assert_eq!(
        set.expect(409, "product_unavailable").json()["products"],
        json!([product])
    );
}

#[actix_web::test]
async fn cart_lines_of_other_users_are_404() {
    let Cart {
        app,
        ada,
        bob,
        staff,
        product,
    } = cart().await;
    let line = app.fill(&ada, product, 2).await;
    for token in [&bob, &staff] {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            let call = |id: i64| {
                let path = format!("/api/cart/{id}/");
                let call = app.call(method.parse().unwrap(), &path).token(token);
                call.body("application/json", r#"{"quantity": 1}"#)
            };
            let theirs = call(line).await.expect(404, "not_found");
            let nobodys = call(999).await.expect(404, "not_found");
            assert_eq!(theirs.anonymous(), nobodys.anonymous());
        }
        let own = app.get("/api/cart/").token(token).send().await.json();
        assert_eq!(own["count"], 0);
    }
    let kept = app.get("/api/cart/").token(&ada).send().await.json();
    assert_eq!(kept["total_quantity"], 2);
}

#[actix_web::test]
async fn a_cart_has_a_hundred_lines_at_most() {
    let Cart {
        app, staff, ada, ..
    } = cart().await;
    for _ in 0..100 {
        let product = app.product(&staff, "9999999999.99", 9_999).await;
        app.fill(&ada, product, 9_999).await;
    }
    let one_more = app.product(&staff, "1.00", 5).await;
    let line = json!({"product_id": one_more});
    app.post("/api/cart/")
        .token(&ada)
        .json(&line)
        .await
        .expect(409, "cart_full");
    // The most expensive cart possible has a total.
    let page = app
        .get("/api/cart/?page_size=1")
        .token(&ada)
        .send()
        .await
        .expect_status(200)
        .json();
    assert_eq!(page["total_price"], "9998999999990001.00");
}
