//! Idempotency keys with slow, contended and failing stores.

use super::{made, with};
use crate::support::{memory, settings};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tradepost_domain::Stores;
use tradepost_domain::cart::MockCartRepository;
use tradepost_domain::kernel::{Refusal, StoreError, StoreErrorKind};
use tradepost_domain::orders::{MockOrderRepository, Placement};
use tradepost_http::Settings;

/// The memory store, with order placement wrapped in this function.
fn through(
    place: impl Fn(usize, &dyn Fn() -> Vec<Placement>) -> Result<Vec<Placement>, StoreError>
    + Send
    + Sync
    + 'static,
) -> Stores {
    let stores = memory();
    let honest = Arc::clone(&stores.orders);
    let times = AtomicUsize::new(0);
    let mut orders = MockOrderRepository::new();
    orders.expect_place().returning(move |requests| {
        let time = times.fetch_add(1, Ordering::SeqCst);
        place(time, &|| honest.place(requests).unwrap())
    });
    Stores {
        orders: Arc::new(orders),
        ..stores
    }
}

#[actix_web::test]
async fn an_unknown_outcome_is_resolved_by_its_key() {
    for happened in [true, false] {
        let unknown = move |time: usize, place: &dyn Fn() -> Vec<Placement>| {
            if time > 0 {
                return Ok(place());
            }
            if happened {
                drop(place());
            }
            Err(StoreError::new(StoreErrorKind::OutcomeUnknown))
        };
        let shop = with(through(unknown), settings()).await;
        shop.app.fill(&shop.ada, 1, 3).await;
        let lost = shop.order(&shop.ada, "a").await;
        let lost = lost.expect(503, "outcome_unknown");
        assert_eq!(lost.header("retry-after"), "1");
        let told = shop.order(&shop.ada, "a").await.expect_status(201);
        let replay = if happened { "true" } else { "" };
        assert_eq!(told.header("idempotent-replayed"), replay);
        assert_eq!(told.header("location"), "http://shop/api/orders/1/");
        assert_eq!((shop.orders(), shop.stock().await), (1, json!(7)));
    }
}

/// A client that retries every response with a `Retry-After` would order twice.
#[actix_web::test]
async fn an_unknown_outcome_without_a_key_names_no_time_to_try_again() {
    let unknown = |_: usize, _: &dyn Fn() -> Vec<Placement>| {
        Err(StoreError::new(StoreErrorKind::OutcomeUnknown))
    };
    let shop = with(through(unknown), settings()).await;
    shop.app.fill(&shop.ada, 1, 3).await;
    let call = shop.app.post("/api/orders/").token(&shop.ada);
    let lost = call.json(&json!({})).await;
    let lost = lost.expect(503, "outcome_unknown");
    assert_eq!(lost.header("retry-after"), "");
}

#[actix_web::test]
async fn an_overdue_order_is_resolved_by_its_key() {
    let slow = |time: usize, place: &dyn Fn() -> Vec<Placement>| {
        if time == 0 {
            std::thread::sleep(Duration::from_millis(900));
        }
        Ok(place())
    };
    let hasty = Settings {
        request_timeout: Duration::from_millis(100),
        ..settings()
    };
    let shop = with(through(slow), hasty).await;
    shop.app.fill(&shop.ada, 1, 3).await;
    let lost = shop.order(&shop.ada, "a").await;
    lost.expect(503, "outcome_unknown");
    while shop.orders() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let told = shop.order(&shop.ada, "a").await.expect_status(201);
    assert_eq!(told.header("idempotent-replayed"), "true");
    assert_eq!((shop.orders(), shop.stock().await), (1, json!(7)));
}

#[actix_web::test]
async fn contended_orders_are_retried_and_then_busy() {
    let contended = |placements: usize| vec![Err(Refusal::LockConflict); placements];
    let soon = move |time: usize, place: &dyn Fn() -> Vec<Placement>| {
        Ok(if time < 3 { contended(1) } else { place() })
    };
    let shop = with(through(soon), settings()).await;
    shop.app.fill(&shop.ada, 1, 3).await;
    made(shop.order(&shop.ada, "a").await);

    let hasty = Settings {
        request_timeout: Duration::from_millis(150),
        ..settings()
    };
    let never = move |_: usize, _: &dyn Fn() -> Vec<Placement>| Ok(contended(1));
    let shop = with(through(never), hasty).await;
    shop.app.fill(&shop.ada, 1, 3).await;
    let began = Instant::now();
    shop.order(&shop.ada, "a").await.expect(503, "busy");
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert!(began.elapsed() < Duration::from_millis(1_500));
}

#[actix_web::test]
async fn a_contended_command_is_busy() {
    let mut carts = MockCartRepository::new();
    carts
        .expect_change_all()
        .returning(|_| Ok(vec![Err(Refusal::LockConflict)]));
    let stores = Stores {
        carts: Arc::new(carts),
        ..memory()
    };
    let shop = with(stores, settings()).await;
    let body = r#"{"product_id": 1}"#;
    let reply = shop.post("/api/cart/", &shop.ada, "a", body).await;
    assert_eq!(reply.header("retry-after"), "1");
    reply.expect(503, "busy");
}

#[actix_web::test]
async fn a_corrupt_stored_response_is_500() {
    for answer in ["", "{}", "null", "{\"id\":\"x\"}"] {
        let corrupt = move |_: usize, _: &dyn Fn() -> Vec<Placement>| {
            Ok(vec![Ok(tradepost_domain::kernel::Execution::Replayed(
                answer.to_owned(),
            ))])
        };
        let shop = with(through(corrupt), settings()).await;
        let reply = shop.order(&shop.ada, "a").await;
        reply.expect(500, "internal_error");
    }
}
