//! Batched reads: one query for all concurrent requests, each of which gets its own row.

use crate::support::doors::{Door, Guarded, watched};
use crate::support::{App, memory, settings};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tradepost_domain::Stores;
use tradepost_domain::cart::MockCartRepository;
use tradepost_domain::kernel::{ProductId, StoreError, StoreErrorKind, UserId};

async fn read_carts(app: &App, tokens: &[String]) -> Vec<(u16, serde_json::Value)> {
    let read = async |token: &String| {
        let reply = app.get("/api/cart/").token(token).send().await;
        (reply.status, reply.json())
    };
    join_all(tokens.iter().map(read)).await
}

#[actix_web::test]
async fn requests_during_a_lookup_share_the_next_one() {
    let (door, pass) = Door::new();
    let stores = watched(move |users| {
        pass(users);
        Ok(())
    });
    let app = App::with(stores, settings()).await;
    let tokens: Vec<String> = (0..30).map(|n| app.customer(&format!("user{n}"))).collect();
    let (first, others) = (
        read_carts(&app, &tokens[..1]),
        read_carts(&app, &tokens[1..]),
    );
    let (first, others) = door.hold(first, others).await;
    for (status, body) in first.into_iter().chain(others) {
        assert_eq!(status, 200, "{body}");
    }
    door.asked_together(30);
}

#[actix_web::test]
async fn each_request_of_a_batch_gets_its_own_result() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let broken = |user: &UserId| user.get() == 3;
    let stores = watched(move |users| {
        seen.lock().unwrap().push(users.to_vec());
        if users.iter().any(broken) {
            let column = StoreErrorKind::Corrupt {
                table: "users",
                column: "username",
                row: 3,
            };
            return Err(StoreError::new(column));
        }
        Ok(())
    });
    let app = App::with(stores, settings()).await;
    let mut tokens: Vec<String> = (1..=5).map(|n| app.customer(&format!("user{n}"))).collect();
    // A genuine token of a user who no longer exists.
    tokens.push(tokens[0].replacen("plain.1.", "plain.999.", 1));
    let answers = read_carts(&app, &tokens).await;
    let expected = [200, 200, 500, 200, 200, 401];
    for (at, ((status, body), expected)) in answers.iter().zip(expected).enumerate() {
        assert_eq!(*status, expected, "{at}: {body}");
    }
    let asked = asked.lock().unwrap();
    assert!(asked.iter().any(|users| users.len() > 1), "{asked:?}");
}

#[actix_web::test]
async fn a_hung_lookup_holds_up_only_its_own_batch() {
    let (door, pass) = Door::new();
    let stores = watched(move |users| {
        pass(users);
        Ok(())
    });
    let mut hasty = settings();
    hasty.request_timeout = Duration::from_secs(2);
    let app = App::with(stores, hasty).await;
    let tokens: Vec<String> = (0..8).map(|n| app.customer(&format!("user{n}"))).collect();
    let late = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        read_carts(&app, &tokens[1..]).await
    };
    let (first, others) = join(read_carts(&app, &tokens[..1]), late).await;
    assert_eq!(first[0].0, 503);
    assert!(
        others.iter().all(|(status, _)| *status == 200),
        "{others:?}"
    );
    door.open.send(()).unwrap();
}

#[actix_web::test]
async fn a_failed_lookup_fails_the_whole_batch() {
    let stores = watched(|_| Err(StoreError::new(StoreErrorKind::Unavailable)));
    let app = App::with(stores, settings()).await;
    let tokens: Vec<String> = (0..5).map(|n| app.customer(&format!("user{n}"))).collect();
    for (status, body) in read_carts(&app, &tokens).await {
        assert_eq!((status, &body["code"]), (503, &"unavailable".into()));
    }
}

/// An app whose products are read through this door.
async fn behind_a_door() -> (App, Door<ProductId>) {
    let (door, pass) = Door::new();
    let guard = |inner| Guarded {
        inner,
        found: pass,
        listed: Box::new(|_| ()),
    };
    (Guarded::shop(guard).await, door)
}

async fn price_of(app: &App, product: u32) -> (u16, serde_json::Value) {
    let reply = app.get(&format!("/api/products/{product}/")).send().await;
    (reply.status, reply.json()["price"].clone())
}

#[actix_web::test]
async fn products_are_batched_and_shown_by_the_rights_of_each_caller() {
    let (app, door) = behind_a_door().await;
    let staff = app.staff("grace");
    for price in ["1.00", "2.00", "3.00"] {
        app.product(&staff, price, 9).await;
    }
    app.delete("/api/products/3/")
        .token(&staff)
        .send()
        .await
        .expect_status(204);
    let asked = [2, 3, 1, 2, 99];
    let others = join_all(asked.map(|product| price_of(&app, product)));
    let archived = app.get("/api/products/3/?archived=true").token(&staff);
    let others = join(others, archived.send());
    let (first, (others, archived)) = door.hold(price_of(&app, 1), others).await;
    assert_eq!(first, (200, "1.00".into()));
    let gone = (404, serde_json::Value::Null);
    let second = (200, "2.00".into());
    let expected = [second.clone(), gone.clone(), first, second, gone];
    assert_eq!(others, expected);
    assert_eq!(archived.json()["price"], "3.00");
    // The first alone, and each of the other products once.
    door.asked_together(5);
}

#[actix_web::test]
async fn no_request_gets_a_value_read_before_it_arrived() {
    let (app, door) = behind_a_door().await;
    let staff = app.staff("grace");
    app.product(&staff, "1.00", 9).await;
    let edit = async {
        app.patch("/api/products/1/")
            .token(&staff)
            .json(&json!({"price": "5.00"}))
            .await
            .expect_status(200);
        price_of(&app, 1).await
    };
    let edited = async {
        door.reached().await;
        let (edited, ()) = join(edit, async {
            // Long after the edit, which waits for no read.
            tokio::time::sleep(Duration::from_millis(30)).await;
            door.open.send(()).unwrap();
        })
        .await;
        edited
    };
    let (before, after) = join(price_of(&app, 1), edited).await;
    assert_eq!(
        (before, after),
        ((200, "1.00".into()), (200, "5.00".into()))
    );
}

#[actix_web::test]
async fn carts_are_batched_and_each_owner_gets_their_own() {
    let (door, pass) = Door::new();
    let stores = memory();
    let inner = stores.carts.clone();
    let changed = inner.clone();
    let mut carts = MockCartRepository::new();
    carts.expect_carts().returning(move |users| {
        pass(users);
        inner.carts(users)
    });
    carts
        .expect_change_all()
        .returning(move |commands| changed.change_all(commands));
    let stores = Stores {
        carts: Arc::new(carts),
        ..stores
    };
    let app = App::with(stores, settings()).await;
    let staff = app.staff("grace");
    app.product(&staff, "1.00", 9).await;
    let tokens: Vec<String> = (0..6).map(|n| app.customer(&format!("user{n}"))).collect();
    for (units, token) in tokens[..5].iter().enumerate() {
        let line = json!({"product_id": 1, "quantity": units + 1});
        let added = app.post("/api/cart/").token(token).json(&line);
        added.await.expect_status(201);
    }
    let (first, others) = (
        read_carts(&app, &tokens[..1]),
        read_carts(&app, &tokens[1..]),
    );
    let (first, others) = door.hold(first, others).await;
    for (units, (status, cart)) in (1..).zip(first.into_iter().chain(others)) {
        let units = if units == 6 { 0 } else { units };
        assert_eq!((status, &cart["total_quantity"]), (200, &units.into()));
    }
    door.asked_together(6);
}

#[actix_web::test]
async fn requests_for_one_page_share_it_and_hold_up_no_other() {
    let (door, pass) = Door::new();
    let guard = |inner| Guarded {
        inner,
        found: Box::new(|_| ()),
        listed: pass,
    };
    let app = Guarded::shop(guard).await;
    let (staff, ada) = (app.staff("grace"), app.customer("ada"));
    for price in ["1.00", "2.00"] {
        app.product(&staff, price, 9).await;
    }
    app.delete("/api/products/2/")
        .token(&staff)
        .send()
        .await
        .expect_status(204);
    let prices = async |path: &str, token: Option<&String>| {
        let mut request = app.get(path);
        if let Some(token) = token {
            request = request.token(token);
        }
        let reply = request.send().await;
        assert_eq!(reply.status, 200, "{}", reply.json());
        let results = reply.json()["results"].as_array().unwrap().clone();
        results
            .into_iter()
            .map(|row| row["price"].clone())
            .collect::<Vec<_>>()
    };
    const ARCHIVED: &str = "/api/products/?archived=true";
    let first = prices(ARCHIVED, None);
    let others = async {
        // Staff see another page under the same URL, and need not wait for this one.
        assert_eq!(prices(ARCHIVED, Some(&staff)).await, ["2.00"]);
        let same = (0..20).map(|n| prices(ARCHIVED, (n % 2 == 0).then_some(&ada)));
        let open = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            door.open.send(()).unwrap();
        };
        join(join_all(same), open).await.0
    };
    let others = async {
        door.reached().await;
        others.await
    };
    let (first, others) = join(first, others).await;
    for prices in others.into_iter().chain([first]) {
        assert_eq!(prices, ["1.00"]);
    }
    let reads = door.asked.lock().unwrap().len();
    assert!(reads < 22, "{reads}");
}
