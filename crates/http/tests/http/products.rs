//! Catalogue endpoints.

use crate::support::App;
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<i64> {
    let results = page["results"].as_array().unwrap().iter();
    results.map(|row| row["id"].as_i64().unwrap()).collect()
}

#[actix_web::test]
async fn a_product_has_these_keys_in_this_order() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let product = json!({
        "sku": "MUG-1", "name": " Tea mug ", "description": "Holds tea.\n", "price": 19.9,
        "stock": "7", "weight_grams": "350", "id": 99, "currency": "EUR", "created_at": "1999-01-01T00:00:00Z",
        "nonsense": {"deep": [1, 2]},
    });
    let reply = app
        .post("/api/products/")
        .token(&staff)
        .json(&product)
        .await;
    let reply = reply.expect_status(201);
    let expected = concat!(
        r#"{"id":1,"sku":"MUG-1","name":"Tea mug","description":"Holds tea.\n","price":"19.90","#,
        r#""stock":7,"weight_grams":350,"low_stock_threshold":null,"currency":"USD","#,
        r#""created_at":"2023-11-14T22:13:20.000250Z","#,
        r#""updated_at":"2023-11-14T22:13:20.000250Z"}"#
    );
    assert_eq!(reply.text(), expected);
    assert_eq!(reply.header("location"), "http://shop/api/products/1/");
    let shown = app.get("/api/products/1/").send().await.expect_status(200);
    assert_eq!(shown.text(), expected);
}

#[actix_web::test]
async fn optional_fields_have_defaults() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let least = json!({"name": "Cup", "price": "0.01"});
    let reply = app.post("/api/products").token(&staff).json(&least).await;
    let seen = reply.expect_status(201).json();
    let optional = (&seen["sku"], &seen["description"], &seen["stock"]);
    assert_eq!(optional, (&Value::Null, &json!(""), &json!(0)));
    assert_eq!(seen["weight_grams"], 0);
}

#[actix_web::test]
async fn a_weight_is_set_by_every_write_and_kept_by_those_that_do_not_name_it() {
    let app = App::new().await;
    let staff = app.staff("boss");
    app.product(&staff, "1.00", 5).await;
    let path = "/api/products/1/";
    let cup = |weight: Value| json!({"name": "Cup", "price": "2.00", "weight_grams": weight});
    let mut etags = Vec::new();
    for (call, body, grams) in [
        (app.put(path), cup(json!(350)), 350),
        (app.put(path), json!({"name": "Mug", "price": "2.00"}), 350),
        (app.patch(path), json!({"price": 3}), 350),
        (
            app.patch(path),
            json!({"weight_grams": 1_000_000}),
            1_000_000,
        ),
        (app.patch(path), json!({"description": "x"}), 1_000_000),
        (app.patch(path), json!({"weight_grams": "0"}), 0),
    ] {
        let reply = call.token(&staff).json(&body).await.expect_status(200);
        assert_eq!(reply.json()["weight_grams"], grams, "{body}");
        etags.push(reply.header("etag").to_owned());
    }
    assert_ne!(etags[2], etags[3]);
    for (weight, sentence) in [
        (json!(-1), "Must be from 0 to 1000000."),
        (json!(1_000_001), "Must be from 0 to 1000000."),
        (json!(0.5), "A whole number is required."),
        (json!("1 kg"), "A whole number is required."),
        (json!(true), "A whole number is required."),
        (json!(null), "This field may not be null."),
    ] {
        for call in [app.post("/api/products/"), app.put(path), app.patch(path)] {
            let reply = call.token(&staff).json(&cup(weight.clone())).await;
            let said = reply.expect_fields(&["weight_grams"]).json();
            assert_eq!(said["weight_grams"], json!([sentence]), "{weight}");
        }
    }
}

#[actix_web::test]
async fn lists_are_pages_with_links() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let empty = app.get("/api/products/").send().await.expect_status(200);
    assert_eq!(
        empty.text(),
        r#"{"count":0,"next":null,"previous":null,"results":[]}"#
    );
    app.get("/api/products/?page=2")
        .send()
        .await
        .expect(404, "not_found");
    let last = app.get("/api/products/?page=last").send().await;
    assert_eq!(last.expect_status(200).text(), empty.text());
    for _ in 0..25 {
        app.product(&staff, "1.00", 1).await;
    }
    let base = "http://shop/api/products/";
    for (query, next, previous, first, rows) in [
        ("", Some("?page=2"), None, 25, 10),
        ("?page=2", Some("?page=3"), Some(""), 15, 10),
        ("?page=3", None, Some("?page=2"), 5, 5),
        ("?page=last", None, Some("?page=2"), 5, 5),
        ("?page=last&page_size=25", None, None, 25, 25),
        ("?page=", Some("?page=2"), None, 25, 10),
        ("?page_size=100", None, None, 25, 25),
        ("?page_size=1000", None, None, 25, 25),
        (
            "?x=%26&page=2&page_size=5",
            Some("?page=3&x=%26&page_size=5"),
            Some("?x=%26&page_size=5"),
            20,
            5,
        ),
    ] {
        let page = app.get(&format!("/api/products/{query}")).send().await;
        let page = page.expect_status(200).json();
        let link =
            |link: Option<&str>| link.map_or(Value::Null, |link| json!(format!("{base}{link}")));
        assert_eq!(page["count"], 25, "{query}");
        assert_eq!(
            (&page["next"], &page["previous"]),
            (&link(next), &link(previous)),
            "{query}"
        );
        let ids = ids(&page);
        assert_eq!((ids[0], ids.len()), (first, rows), "{query}");
        // The links lead to the pages that they name.
        if let Some(next) = page["next"].as_str() {
            let path = next.trim_start_matches("http://shop");
            let next = app.get(path).send().await.expect_status(200).json();
            assert_eq!(next["results"][0]["id"], first - rows as i64, "{query}");
        }
    }
    for query in [
        "?page=4",
        "?page=0",
        "?page=-1",
        "?page=abc",
        "?page=LAST",
        "?page=1.5",
        "?page=18446744073709551616",
        "?page=2&page_size=100",
    ] {
        let path = format!("/api/products/{query}");
        app.get(&path).send().await.expect(404, "not_found");
    }
    for query in [
        "?page_size=0",
        "?page_size=-1",
        "?page_size=abc",
        "?page_size=1.5",
    ] {
        let path = format!("/api/products/{query}");
        app.get(&path).send().await.expect_fields(&["page_size"]);
    }
}

#[actix_web::test]
async fn put_needs_the_required_fields_and_patch_does_not() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let full = json!({"sku": "A", "name": "Cup", "price": "1.00", "stock": 5, "description": "x"});
    app.post("/api/products/")
        .token(&staff)
        .json(&full)
        .await
        .expect_status(201);
    let path = "/api/products/1/";

    let put = app.put(path).token(&staff).json(&json!({})).await;
    put.expect_fields(&["name", "price"]);
    let put = app.put(path).token(&staff).send().await;
    put.expect_fields(&["name", "price"]);

    app.clock.advance(60);
    let kept = app
        .put(path)
        .token(&staff)
        .json(&json!({"name": "Mug", "price": 2}))
        .await;
    let kept = kept.expect_status(200).json();
    let seen = [
        &kept["sku"],
        &kept["name"],
        &kept["price"],
        &kept["stock"],
        &kept["description"],
    ];
    assert_eq!(
        seen,
        [
            &json!("A"),
            &json!("Mug"),
            &json!("2.00"),
            &json!(5),
            &json!("x")
        ]
    );
    assert_eq!(kept["updated_at"], "2023-11-14T22:14:20.000250Z");
    assert_eq!(kept["created_at"], "2023-11-14T22:13:20.000250Z");

    app.clock.advance(60);
    let same = app
        .patch(path)
        .token(&staff)
        .json(&json!({}))
        .await
        .expect_status(200);
    assert_eq!(same.json(), kept);
    let less = app
        .patch(path)
        .token(&staff)
        .json(&json!({"sku": null, "stock": 0}))
        .await;
    let less = less.expect_status(200).json();
    assert_eq!(
        (&less["sku"], &less["stock"], &less["name"]),
        (&Value::Null, &json!(0), &json!("Mug"))
    );
    assert_eq!(app.stores.ledger.audit().unwrap().discrepancies, []);
}

/// PUT ignores `archived` like an unknown key.
#[actix_web::test]
async fn only_patch_archives_and_brings_back() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let id = app.product(&staff, "1.00", 5).await;
    let path = format!("/api/products/{id}/");
    for archived in [json!(true), json!("rubbish")] {
        let product = json!({"name": "Cup", "price": "2.00", "archived": archived});
        let reply = app.put(&path).token(&staff).json(&product).await;
        reply.expect_status(200);
        app.get(&path).send().await.expect_status(200);
    }
    app.delete(&path)
        .token(&staff)
        .send()
        .await
        .expect_status(204);
    let product = json!({"name": "Cup", "price": "2.00", "archived": false});
    let reply = app.put(&path).token(&staff).json(&product).await;
    reply.expect(404, "not_found");
    app.get(&path).send().await.expect(404, "not_found");
}

#[actix_web::test]
async fn an_archived_product_is_for_staff_on_request() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let customer = app.customer("ada");
    let kept = app.product(&staff, "1.00", 1).await;
    let gone = app.product(&staff, "1.00", 1).await;
    let path = format!("/api/products/{gone}/");
    let deleted = app
        .delete(&path)
        .token(&staff)
        .send()
        .await
        .expect_status(204);
    assert!(deleted.body.is_empty());
    for (token, query, seen, status) in [
        (None, "", vec![kept], 404),
        (None, "?archived=true", vec![kept], 404),
        (Some(&customer), "?archived=true", vec![kept], 404),
        (Some(&staff), "", vec![kept], 404),
        (Some(&staff), "?archived=false", vec![kept], 404),
        (Some(&staff), "?archived=true", vec![gone], 200),
    ] {
        for (path, is_list) in [("/api/products/", true), (&*path, false)] {
            let call = app.get(&format!("{path}{query}"));
            let call = token.map_or(call, |_| {
                app.get(&format!("{path}{query}")).token(token.unwrap())
            });
            let reply = call.send().await;
            if is_list {
                assert_eq!(ids(&reply.json()), seen, "{query} {token:?}");
            } else {
                assert_eq!(reply.status, status, "{query} {token:?}");
            }
        }
    }
    for path in ["/api/products/?archived=1", &format!("{path}?archived=yes")] {
        app.get(path)
            .token(&staff)
            .send()
            .await
            .expect_fields(&["archived"]);
    }
    // An archived product is 404 unless the edit restores it.
    for wish in [json!({}), json!({"name": "Cup"}), json!({"archived": true})] {
        app.patch(&path)
            .token(&staff)
            .json(&wish)
            .await
            .expect(404, "not_found");
    }
    app.delete(&path)
        .token(&staff)
        .send()
        .await
        .expect(404, "not_found");
    let back = app
        .patch(&path)
        .token(&staff)
        .json(&json!({"archived": false}))
        .await;
    back.expect_status(200);
    app.get(&path).send().await.expect_status(200);
}

#[actix_web::test]
async fn a_sku_has_one_holder() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let product = json!({"sku": "A", "name": "Cup", "price": 1});
    let create = || app.post("/api/products/").token(&staff).json(&product);
    create().await.expect_status(201);
    create().await.expect_fields(&["sku"]);
}

#[actix_web::test]
async fn a_product_that_is_not_there_is_404_however_it_is_named() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let missing = app
        .get("/api/products/99/")
        .send()
        .await
        .expect(404, "not_found");
    for id in [
        "0",
        "-1",
        "abc",
        "9223372036854775808",
        "18446744073709551616",
        "%00",
        "1.0",
        "+1",
        "%31%00",
        "1e2",
        "%E2%80%AE",
        "%ff",
        "null",
        "0x1",
    ] {
        let path = format!("/api/products/{id}/");
        let reply = app.get(&path).send().await.expect(404, "not_found");
        assert_eq!(reply.anonymous(), missing.anonymous(), "{id}");
        for body in [json!({}), json!({"name": "Cup", "price": 1})] {
            app.patch(&path)
                .token(&staff)
                .json(&body)
                .await
                .expect(404, "not_found");
        }
        app.delete(&path)
            .token(&staff)
            .send()
            .await
            .expect(404, "not_found");
    }
}
