//! Cost limits of one request: rows, bytes, and the work before it is authorized.

use crate::support::{App, memory, new_user, settings};
use actix_web::http::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;
use tradepost_http::{Settings, table};

async fn unthrottled() -> App {
    let settings = Settings {
        throttling: None,
        ..settings()
    };
    App::with(memory(), settings).await
}

/// The number of rows of a list, if the body is one.
fn rows(page: &Value) -> Option<usize> {
    Some(page.get("results")?.as_array()?.len())
}

#[actix_web::test]
async fn no_list_gives_more_than_a_hundred_rows() {
    let app = unthrottled().await;
    let staff = app.staff("boss");
    for number in 0..105 {
        let name = format!("user{number}");
        app.shop.accounts.register(new_user(&name)).unwrap();
    }
    let mut last = 0;
    for _ in 0..105 {
        last = app.product(&staff, "1.00", 1).await;
        app.order(&staff, last, 1).await;
    }
    let stock = format!("/api/products/{last}/stock/");
    for _ in 0..105 {
        let delivery = app.post(&stock).token(&staff);
        delivery.json(&json!({"delta": 1})).await.expect_status(201);
    }
    for product in 1..=100 {
        let stock = format!("/api/products/{product}/stock/");
        let delivery = app.post(&stock).token(&staff);
        delivery.json(&json!({"delta": 1})).await.expect_status(201);
        app.fill(&staff, product, 1).await;
    }
    let mut lists = Vec::new();
    for entry in table()
        .iter()
        .filter(|entry| *entry.method() == Method::GET)
    {
        let path = entry.path().replace("{id}", &last.to_string());
        let get = async |query: &str| {
            let call = app.get(&format!("{path}{query}")).token(&staff);
            let reply = call.send().await;
            (reply.header("content-type") == "application/json").then(|| reply.json())
        };
        // Events are no pages: their lists have a `limit` of their own.
        let first = get("").await.filter(|list| rows(list).is_some());
        let Some(mut total) = first.and_then(|list| list["count"].as_u64()) else {
            continue;
        };
        // Lists that are not filled above are filled as far as their limits allow.
        while total < 105 && app.try_example(&staff, &path).await.status == 201 {
            total += 1;
        }
        let of = |size| usize::try_from(total.min(size)).unwrap();
        assert_eq!(
            get("").await.as_ref().and_then(rows),
            Some(of(10)),
            "{path}"
        );
        for query in [
            "?page_size=101",
            "?page_size=4294967296",
            "?page_size=99999999999999999999999",
            "?page_size=1&page_size=1000",
            "?cursor=&page_size=1000",
        ] {
            let page = get(query).await.unwrap();
            assert_eq!(rows(&page), Some(of(100)), "{path}{query}");
        }
        lists.push((entry.path(), of(100)));
    }
    for filled in [
        "/api/users/",
        "/api/products/",
        "/api/products/{id}/stock/",
        "/api/cart/",
        "/api/orders/",
    ] {
        assert!(lists.contains(&(filled, 100)), "{filled}");
    }
}

/// Sixty thousand brackets, ten thousand keys, a number of sixty thousand digits: they are skipped
/// in an unknown field, and rejected at once in a known one.
#[actix_web::test]
async fn large_values_in_a_body_cost_no_more_than_their_bytes() {
    let app = unthrottled().await;
    let staff = app.staff("boss");
    app.product(&staff, "1.00", 1).await;
    let nested = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let digits = "9".repeat(60_000);
    let mut keys = String::from("{\"a\":1");
    for key in 0..6_000 {
        write!(keys, ",\"{key}\":1").unwrap();
    }
    keys.push('}');
    for value in [
        &*nested,
        &*digits,
        &*keys,
        &format!("\"{digits}\""),
        &format!("1e{digits}"),
    ] {
        for (field, status) in [
            ("other", 200),
            ("price", 400),
            ("stock", 400),
            ("archived", 400),
        ] {
            let began = std::time::Instant::now();
            let body = format!("{{\"{field}\": {value}}}");
            let call = app.patch("/api/products/1/").token(&staff);
            let reply = call.body("application/json", body).await;
            reply.expect_status(status);
            // A generous bound: a cost that grows with the square of the body takes minutes.
            let took = began.elapsed();
            assert!(
                took < std::time::Duration::from_secs(2),
                "{field}: {took:?}"
            );
        }
    }
    let call = app.patch("/api/products/1/").token(&staff);
    let reply = call.body("application/json", keys).await;
    reply.expect_status(200);
}

/// As many parameters as a request has room for.
#[actix_web::test]
async fn a_query_costs_no_more_than_its_bytes() {
    let app = unthrottled().await;
    let began = std::time::Instant::now();
    for query in [
        "a&".repeat(30_000),
        "page_size=1&".repeat(5_000),
        "search=%26&".repeat(5_000),
        "%".repeat(60_000),
        "+".repeat(60_000),
    ] {
        let reply = app.get(&format!("/api/products/?{query}")).send().await;
        reply.expect_status(200);
    }
    for query in [
        format!("search={}", "a".repeat(60_000)),
        format!("cursor={}", "A".repeat(60_000)),
        format!("min_price={}", "9".repeat(60_000)),
        format!("ordering={}", "name,".repeat(10_000)),
    ] {
        let reply = app.get(&format!("/api/products/?{query}")).send().await;
        reply.expect(400, "invalid");
    }
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
}
