//! The event log: feed, histories, and requests that wait for an event.

use crate::support::App;
use actix_web::rt::time::sleep;
use futures_util::future::{Either, select};
use serde_json::{Value, json};
use std::pin::pin;
use std::time::{Duration, Instant};

/// Longer than any request takes that has an event to return.
const WAIT: &str = "wait=25";

struct Shop {
    app: App,
    staff: String,
    ada: String,
}

/// A shop with an order: events 1 and 2 are its users, 3 the product, 4 the order.
async fn shop() -> Shop {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    assert_eq!(app.product(&staff, "19.99", 10).await, 1);
    assert_eq!(app.order(&ada, 1, 2).await, 1);
    Shop { app, staff, ada }
}

impl Shop {
    async fn feed(&self, query: &str) -> Value {
        let path = format!("/api/events/?{query}");
        let reply = self.app.get(&path).token(&self.staff).send().await;
        reply.expect_status(200).json()
    }

    async fn history(&self, path: &str, token: &str) -> Vec<Value> {
        let reply = self.app.get(path).token(token).send().await;
        let page = reply.expect_status(200).json();
        page["results"].as_array().unwrap().clone()
    }

    async fn set_status(&self, status: &str) {
        let body = json!({"status": status});
        let reply = self.app.patch("/api/orders/1/").token(&self.staff);
        reply.json(&body).await.expect_status(200);
    }
}

fn types(events: &[Value]) -> Vec<&str> {
    let types = events.iter().map(|event| event["type"].as_str().unwrap());
    types.collect()
}

fn seqs(feed: &Value) -> Vec<i64> {
    let results = feed["results"].as_array().unwrap().iter();
    results
        .map(|event| event["seq"].as_i64().unwrap())
        .collect()
}

#[actix_web::test]
async fn an_event_has_these_keys_in_this_order() {
    let shop = shop().await;
    shop.set_status("processing").await;
    let reply = shop.app.get("/api/events/?after=4").token(&shop.staff);
    let reply = reply.send().await.expect_status(200);
    let feed = reply.json();
    let id = feed["results"][0]["id"].as_str().unwrap();
    let expected = format!(
        concat!(
            r#"{{"results":[{{"id":"{id}","seq":5,"type":"order.status","#,
            r#""timestamp":"2023-11-14T22:13:20.000250Z","order_id":1,"user":2,"actor":1,"#,
            r#""data":{{"from":"pending","to":"processing","total_price":"39.98","#,
            r#""currency":"USD"}}}}],"last":5}}"#,
        ),
        id = id
    );
    assert_eq!(reply.text(), expected);
    assert!(id.starts_with("evt_") && id.ends_with("_5"), "{id}");
}

#[actix_web::test]
async fn the_feed_continues_after_a_position_and_selects_types() {
    let shop = shop().await;
    for (query, expected) in [
        ("", vec![1, 2, 3, 4]),
        ("after=0", vec![1, 2, 3, 4]),
        ("after=&types=&limit=&wait=", vec![1, 2, 3, 4]),
        ("after=2", vec![3, 4]),
        ("after=4", vec![]),
        ("limit=1&after=1", vec![2]),
        ("types=order.*", vec![4]),
        ("types=product.created,account.registered", vec![1, 2, 3]),
        ("types=stock.out", vec![]),
    ] {
        let feed = shop.feed(query).await;
        assert_eq!(
            (seqs(&feed), &feed["last"]),
            (expected, &json!(4)),
            "{query}"
        );
    }
}

#[actix_web::test]
async fn invalid_parameters_of_the_feed_are_refused() {
    let shop = shop().await;
    for (query, field) in [
        ("after=-1", "after"),
        ("after=x", "after"),
        ("after=99999999999999999999", "after"),
        ("types=order", "types"),
        ("types=order.*,", "types"),
        ("types=cart.*", "types"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("wait=26", "wait"),
        ("wait=1.5", "wait"),
    ] {
        let path = format!("/api/events/?{query}");
        let reply = shop.app.get(&path).token(&shop.staff).send().await;
        reply.expect(400, "invalid").expect_fields(&[field]);
    }
    let path = "/api/products/1/history/?before=0&limit=0";
    let reply = shop.app.get(path).token(&shop.staff).send().await;
    reply
        .expect(400, "invalid")
        .expect_fields(&["before", "limit"]);
}

#[actix_web::test]
async fn a_position_beyond_the_log_is_a_conflict() {
    let shop = shop().await;
    let reply = shop.app.get("/api/events/?after=5").token(&shop.staff);
    let reply = reply.send().await.expect(409, "feed_rewound");
    assert_eq!(reply.json()["last"], 4);
}

#[actix_web::test]
async fn the_history_of_an_order_hides_its_actors_from_customers() {
    let shop = shop().await;
    shop.set_status("processing").await;
    let path = "/api/orders/1/history/";
    let own = shop.history(path, &shop.ada).await;
    assert_eq!(types(&own), ["order.placed", "order.status"]);
    assert!(own.iter().all(|event| event.get("actor").is_none()));
    let of_staff = shop.history(path, &shop.staff).await;
    let actors: Vec<_> = of_staff.iter().map(|event| &event["actor"]).collect();
    assert_eq!(actors, [&json!(2), &json!(1)]);
    let bob = shop.app.customer("bob");
    let reply = shop.app.get(path).token(&bob).send().await;
    reply.expect(404, "not_found");
}

#[actix_web::test]
async fn the_history_of_a_product_has_changes_and_crossings() {
    let shop = shop().await;
    let body = json!({
        "name": "Cup", "price": "5.00", "stock": 4, "low_stock_threshold": 4,
        "weight_grams": 250, "description": "Blue."
    });
    let reply = shop.app.patch("/api/products/1/").token(&shop.staff);
    let product = reply.json(&body).await.expect_status(200).json();
    assert_eq!(product["low_stock_threshold"], 4);
    let path = "/api/products/1/history/";
    let events = shop.history(path, &shop.staff).await;
    let expected = [
        "stock.low",
        "stock.adjusted",
        "product.changed",
        "product.created",
    ];
    assert_eq!(types(&events), expected);
    assert_eq!(events[0]["data"], json!({"stock": 4}));
    assert_eq!(events[1]["data"], json!({"delta": -4, "reason": "set"}));
    let changed = json!({
        "fields": ["name", "description", "price", "weight_grams", "low_stock_threshold"],
        "price": {"from": "19.99", "to": "5.00"},
        "weight_grams": {"from": 0, "to": 250},
        "low_stock_threshold": {"from": null, "to": 4}
    });
    assert_eq!(events[2]["data"], changed);
    let before = format!("{path}?before={}&limit=1", events[1]["seq"]);
    let page = shop.history(&before, &shop.staff).await;
    assert_eq!(page, events[2..3]);
    // A sale is no event of its product.
    shop.app.order(&shop.ada, 1, 1).await;
    assert_eq!(shop.history(path, &shop.staff).await, events);
}

#[actix_web::test]
async fn a_waiting_request_returns_with_the_next_event() {
    let shop = shop().await;
    let began = Instant::now();
    let query = format!("after=4&{WAIT}");
    let waiting = shop.feed(&query);
    let writing = shop.set_status("processing");
    let (feed, ()) = futures_util::future::join(waiting, writing).await;
    assert_eq!(seqs(&feed), [5]);
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// Events of other types do not end the wait.
#[actix_web::test]
async fn a_waiting_request_returns_nothing_at_the_end_of_its_time() {
    let shop = shop().await;
    let waiting = shop.feed("after=4&types=stock.out&wait=1");
    let writing = shop.set_status("processing");
    let (feed, ()) = futures_util::future::join(waiting, writing).await;
    assert_eq!(seqs(&feed), Vec::<i64>::new());
}

/// A former staff user hears of no event. No event that is written here is of the type that the
/// request waits for, so that its first read may be before or after the demotion.
#[actix_web::test]
async fn a_waiting_request_ends_with_the_role_of_its_caller() {
    let shop = shop().await;
    let other = shop.app.staff("grace");
    let path = format!("/api/events/?after=5&types=stock.out&{WAIT}");
    let waiting = pin!(shop.app.get(&path).token(&other).send());
    let writing = pin!(async {
        let reply = shop.app.patch("/api/users/3/").token(&shop.staff);
        let body = json!({"is_staff": false});
        reply.json(&body).await.expect_status(200);
        for _ in 0..500 {
            let reply = shop.app.post("/api/products/1/stock/").token(&shop.staff);
            reply.json(&json!({"delta": 1})).await.expect_status(201);
            sleep(Duration::from_millis(50)).await;
        }
    });
    let Either::Left((reply, _)) = select(waiting, writing).await else {
        panic!("the request still waits");
    };
    reply.expect(403, "forbidden");
}
