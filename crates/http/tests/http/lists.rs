//! Lists: filters, search, sorting, and cursor pagination.

use crate::support::App;
use serde_json::{Value, json};

fn ids(page: &Value) -> Vec<i64> {
    let results = page["results"].as_array().unwrap().iter();
    results.map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn listed(app: &App, token: Option<&str>, path: &str) -> Value {
    let call = app.get(path);
    let call = match token {
        Some(token) => call.token(token),
        None => call,
    };
    call.send().await.expect_status(200).json()
}

/// Products 1 to 5, of which 5 is archived.
async fn catalogue() -> (App, String) {
    let app = App::new().await;
    let staff = app.staff("boss");
    for (name, price, stock) in [
        ("Tea mug", "3.00", 0),
        ("Straße 50% \"off\"", "1.00", 5),
        ("ÉCLAIR", "2.00", 1),
        ("tea pot", "2.00", 7),
        ("Tea towel", "9.00", 1),
    ] {
        let product = json!({"name": name, "price": price, "stock": stock, "description": "Fine."});
        let made = app
            .post("/api/products/")
            .token(&staff)
            .json(&product)
            .await;
        made.expect_status(201);
        app.clock.advance(60);
    }
    let gone = app.delete("/api/products/5/").token(&staff).send().await;
    gone.expect_status(204);
    (app, staff)
}

#[actix_web::test]
async fn products_are_found_filtered_and_sorted() {
    let (app, staff) = catalogue().await;
    for (query, expected) in [
        ("", &[4, 3, 2, 1][..]),
        ("?search=TEA", &[4, 1]),
        ("?search=strasse+50%25", &[2]),
        ("?search=%22off%22", &[2]),
        ("?search=5%25%25", &[]),
        ("?search=%C3%A9clair", &[3]),
        ("?search=eclair", &[]),
        ("?search=fine+tea", &[4, 1]),
        ("?search=", &[4, 3, 2, 1]),
        ("?search=tea&search=pot", &[4]),
        ("?min_price=2", &[4, 3, 1]),
        ("?max_price=2.00", &[4, 3, 2]),
        ("?min_price=2&max_price=2", &[4, 3]),
        ("?min_price=3&max_price=2", &[]),
        ("?in_stock=true", &[4, 3, 2]),
        ("?in_stock=false", &[4, 3, 2, 1]),
        ("?ordering=price", &[2, 3, 4, 1]),
        ("?ordering=-price,name", &[1, 4, 3, 2]),
        ("?ordering=-price,-name", &[1, 3, 4, 2]),
        ("?ordering=name", &[2, 1, 4, 3]),
        ("?ordering=-stock", &[4, 2, 3, 1]),
        ("?ordering=created_at", &[1, 2, 3, 4]),
        ("?ordering=id&search=tea&in_stock=true", &[4]),
    ] {
        let page = listed(&app, None, &format!("/api/products/{query}")).await;
        assert_eq!(
            (ids(&page), &page["count"]),
            (expected.to_vec(), &json!(expected.len())),
            "{query}"
        );
    }
    let page = listed(
        &app,
        Some(&staff),
        "/api/products/?archived=true&search=tea",
    )
    .await;
    assert_eq!(ids(&page), [5]);
    let page = listed(&app, None, "/api/products/?archived=true&search=tea").await;
    assert_eq!(ids(&page), [4, 1], "as if it was not there");
}

#[actix_web::test]
async fn every_wrong_parameter_is_named() {
    let (app, staff) = catalogue().await;
    let many = ["a"; 11].join("+");
    let long = "a".repeat(201);
    for (query, named) in [
        ("?ordering=rating", &["ordering"][..]),
        (
            "?min_price=cheap&max_price=-1&in_stock=yes",
            &["in_stock", "max_price", "min_price"],
        ),
        ("?search=%00", &["search"]),
        (&format!("?search={many}"), &["search"]),
        (&format!("?search={long}"), &["search"]),
        ("?cursor=nonsense&page_size=0", &["cursor", "page_size"]),
        ("?cursor=&page=2", &["cursor"]),
        ("?cursor=&ordering=-stock", &["ordering"]),
        ("?cursor=&ordering=price,name", &["ordering"]),
    ] {
        app.get(&format!("/api/products/{query}"))
            .send()
            .await
            .expect_fields(named);
    }
    for (query, named) in [
        (
            "?status=lost&user=x&ordering=total",
            &["ordering", "status", "user"][..],
        ),
        (
            "?created_after=yesterday&created_before=1",
            &["created_after", "created_before"],
        ),
        ("?cursor=%F0%9F%8D%B5", &["cursor"]),
    ] {
        app.get(&format!("/api/orders/{query}"))
            .token(&staff)
            .send()
            .await
            .expect_fields(named);
    }
    let detail = app
        .get("/api/products/?ordering=price,price&cursor=")
        .send()
        .await;
    assert_eq!(
        detail.json()["errors"]["ordering"],
        json!(["Each may be named once."])
    );
}

#[actix_web::test]
async fn links_of_pages_keep_the_filters() {
    let (app, _) = catalogue().await;
    let path = "/api/products/?search=FINE&ordering=-price&page_size=1&page=2";
    let page = listed(&app, None, path).await;
    assert_eq!((ids(&page), &page["count"]), (vec![4], &json!(4)));
    let others = "search=FINE&ordering=-price&page_size=1";
    let next = format!("http://shop/api/products/?page=3&{others}");
    assert_eq!(
        (&page["next"], &page["previous"]),
        (
            &json!(next),
            &json!(format!("http://shop/api/products/?{others}"))
        )
    );
}

/// The path of a link.
fn path<'a>(page: &'a Value, link: &str) -> Option<&'a str> {
    page[link]
        .as_str()
        .map(|url| url.trim_start_matches("http://shop"))
}

#[actix_web::test]
async fn cursors_lead_there_and_back() {
    let (app, staff) = catalogue().await;
    for (ordering, expected) in [
        ("", &[4, 3, 2, 1][..]),
        ("&ordering=name", &[2, 1, 4, 3]),
        ("&ordering=price", &[2, 3, 4, 1]),
        ("&ordering=-price,-id", &[1, 4, 3, 2]),
        ("&ordering=-created_at", &[4, 3, 2, 1]),
    ] {
        let first = format!("/api/products/?page_size=3&search=fine{ordering}&cursor=");
        let page = listed(&app, None, &first).await;
        let keys: Vec<_> = page.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["next", "previous", "results"]);
        assert_eq!(
            (ids(&page), &page["previous"]),
            (expected[..3].to_vec(), &Value::Null)
        );
        let link = path(&page, "next").unwrap();
        let end = format!("&page_size=3&search=fine{}", ordering.replace(',', "%2C"));
        assert!(
            link.starts_with("/api/products/?cursor=") && link.ends_with(&end),
            "{link}"
        );
        let second = listed(&app, None, link).await;
        assert_eq!(
            (ids(&second), &second["next"]),
            (expected[3..].to_vec(), &Value::Null)
        );
        let back = listed(&app, None, path(&second, "previous").unwrap()).await;
        assert_eq!(back, page, "{ordering}");
    }
    // A row that is inserted meanwhile moves no other.
    let page = listed(&app, None, "/api/products/?cursor=&page_size=2").await;
    app.product(&staff, "1.00", 1).await;
    let second = listed(&app, None, path(&page, "next").unwrap()).await;
    assert_eq!(ids(&second), [2, 1]);
}

#[actix_web::test]
async fn a_cursor_is_of_one_list() {
    let (app, staff) = catalogue().await;
    let ada = app.customer("ada");
    let page = listed(
        &app,
        None,
        "/api/products/?cursor=&page_size=2&ordering=price",
    )
    .await;
    let link = path(&page, "next").unwrap();
    let cursor = link.split(['=', '&']).nth(1).unwrap();
    // Another page size keeps the list the same.
    let other = listed(
        &app,
        None,
        &format!("/api/products/?cursor={cursor}&page_size=1&ordering=price,id"),
    )
    .await;
    assert_eq!(ids(&other), [4]);
    for query in [
        "",
        "&ordering=-price",
        "&ordering=id",
        "&ordering=price&in_stock=true",
        "&ordering=price&search=tea",
        "&ordering=price&min_price=1",
    ] {
        let path = format!("/api/products/?cursor={cursor}{query}");
        app.get(&path).send().await.expect_fields(&["cursor"]);
    }
    let archived = format!("/api/products/?cursor={cursor}&ordering=price&archived=true");
    app.get(&archived)
        .token(&staff)
        .send()
        .await
        .expect_fields(&["cursor"]);
    let orders = format!("/api/orders/?cursor={cursor}&ordering=total_price");
    app.get(&orders)
        .token(&ada)
        .send()
        .await
        .expect_fields(&["cursor"]);
    for forged in [
        &cursor[1..],
        &cursor[..cursor.len() - 1],
        &cursor.to_uppercase(),
        &"A".repeat(5000),
    ] {
        let path = format!("/api/products/?cursor={forged}&ordering=price");
        app.get(&path).send().await.expect_fields(&["cursor"]);
    }
}

#[actix_web::test]
async fn orders_are_filtered_sorted_and_paged_by_cursor() {
    let (app, staff) = catalogue().await;
    let (ada, bob) = (app.customer("ada"), app.customer("bob"));
    for (who, quantity) in [(&ada, 1), (&bob, 2), (&ada, 1), (&ada, 2)] {
        app.order(who, 4, quantity).await;
        app.clock.advance(60);
    }
    let shipped = json!({"status": "processing"});
    app.patch("/api/orders/3/")
        .token(&staff)
        .json(&shipped)
        .await
        .expect_status(200);
    // Five products took a minute each, and so does each order.
    for (token, query, expected) in [
        (&ada, "", &[4, 3, 1][..]),
        (&ada, "?status=pending", &[4, 1]),
        (&ada, "?user=3", &[4, 3, 1]),
        (&ada, "?ordering=total_price", &[1, 3, 4]),
        (&ada, "?created_after=2023-11-14T22:19:20.000250Z", &[4, 3]),
        (
            &ada,
            "?created_before=2023-11-14T23:18:20.000250%2B01:00",
            &[1],
        ),
        (
            &ada,
            "?created_before=2023-11-14T23:18:20.000250+01:00",
            &[1],
        ),
        (
            &ada,
            "?created_after=2023-11-14T22:20:20.00025Z&created_before=2023-11-14T22:20:20.00025Z",
            &[3],
        ),
        (&staff, "", &[4, 3, 2, 1]),
        (&staff, "?user=3", &[2]),
        (&staff, "?user=2&status=processing", &[3]),
        (&staff, "?user=99", &[]),
        (&staff, "?ordering=status,-total_price", &[4, 2, 1, 3]),
        (&staff, "?ordering=-status", &[3, 4, 2, 1]),
    ] {
        let page = listed(&app, Some(token), &format!("/api/orders/{query}")).await;
        assert_eq!(
            (ids(&page), &page["count"]),
            (expected.to_vec(), &json!(expected.len())),
            "{query}"
        );
    }
    let page = listed(
        &app,
        Some(&ada),
        "/api/orders/?cursor=&page_size=2&ordering=-total_price",
    )
    .await;
    assert_eq!(ids(&page), [4, 3]);
    let next = path(&page, "next").unwrap();
    assert_eq!(ids(&listed(&app, Some(&ada), next).await), [1]);
    // The list of another user is another list.
    app.get(next)
        .token(&bob)
        .send()
        .await
        .expect_fields(&["cursor"]);
    app.get(next)
        .token(&staff)
        .send()
        .await
        .expect_fields(&["cursor"]);
}
