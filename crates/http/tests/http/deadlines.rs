//! Stores that are slow, fail or panic.

use crate::support::{App, memory, settings};
use serde_json::json;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartRefusal, MockCartRepository};
use tradepost_domain::catalog::MockProductRepository;
use tradepost_domain::identity::{MockAccountRepository, Password, PasswordHash};
use tradepost_domain::kernel::{
    CursorPage, HashingFailed, PasswordHasher, Refusal, StoreError, StoreErrorKind,
};
use tradepost_domain::orders::MockOrderRepository;
use tradepost_http::{PoolLimit, Settings};

fn hasty() -> Settings {
    let mut settings = settings();
    settings.request_timeout = Duration::from_millis(100);
    settings
}

/// A door that blocks a store until the test opens it.
fn door() -> (Sender<()>, impl Fn() + Send + Sync + 'static) {
    let (open, opened): (Sender<()>, Receiver<()>) = channel();
    let opened = Mutex::new(opened);
    (open, move || {
        let _ = opened.lock().unwrap().recv();
    })
}

fn with_products(products: MockProductRepository) -> Stores {
    Stores {
        products: Arc::new(products),
        ..memory()
    }
}

fn with_orders(orders: MockOrderRepository) -> Stores {
    Stores {
        orders: Arc::new(orders),
        ..memory()
    }
}

#[actix_web::test]
async fn a_store_that_fails_is_answered_for() {
    for (kind, status, code) in [
        (StoreErrorKind::Busy, 503, "busy"),
        (StoreErrorKind::Unavailable, 503, "unavailable"),
        (StoreErrorKind::Full, 507, "storage_full"),
        (StoreErrorKind::OutcomeUnknown, 503, "outcome_unknown"),
        (StoreErrorKind::Other, 500, "internal_error"),
        (
            StoreErrorKind::Corrupt {
                table: "products",
                column: "price",
                row: 7,
            },
            500,
            "internal_error",
        ),
    ] {
        let failure =
            move || StoreError::caused(kind.clone(), std::io::Error::other("SELECT secret"));
        let mut products = MockProductRepository::new();
        let fail = failure.clone();
        products.expect_list().returning(move |_, _| Err(fail()));
        let mut orders = MockOrderRepository::new();
        orders.expect_place().returning(move |_| Err(failure()));
        let stores = Stores {
            orders: Arc::new(orders),
            ..with_products(products)
        };
        let app = App::with(stores, settings()).await;
        let ada = app.customer("ada");
        let mut replies = vec![app.post("/api/orders/").token(&ada).send().await];
        // A read has no outcome that could be unknown.
        if code != "outcome_unknown" {
            replies.push(app.get("/api/products/").send().await);
        }
        for reply in replies {
            assert!(!reply.text().contains("secret") && !reply.text().contains("column"));
            reply.expect(status, code);
        }
    }
}

#[actix_web::test]
async fn a_panic_is_a_500_and_the_shop_goes_on() {
    let mut products = MockProductRepository::new();
    products
        .expect_list()
        .returning(|_, _| panic!("on purpose"));
    let mut orders = MockOrderRepository::new();
    orders.expect_place().returning(|_| panic!("on purpose"));
    let stores = Stores {
        orders: Arc::new(orders),
        ..with_products(products)
    };
    let app = App::with(stores, settings()).await;
    let ada = app.customer("ada");
    for _ in 0..3 {
        app.get("/api/products/")
            .send()
            .await
            .expect(500, "internal_error");
        let placed = app.post("/api/orders/").token(&ada).send().await;
        assert!(placed.status >= 500, "{}", placed.text());
    }
    app.get("/api/cart/")
        .token(&ada)
        .send()
        .await
        .expect_status(200);
}

#[actix_web::test]
async fn a_query_that_takes_too_long_is_503() {
    let (open, wait) = door();
    let mut products = MockProductRepository::new();
    products.expect_find_all().returning(move |_| {
        wait();
        Ok(Vec::new())
    });
    let app = App::with(with_products(products), hasty()).await;
    let began = Instant::now();
    app.get("/api/products/1/")
        .send()
        .await
        .expect(503, "unavailable");
    assert!(began.elapsed() < Duration::from_secs(2));
    open.send(()).unwrap();
}

#[actix_web::test]
async fn a_command_that_takes_too_long_may_have_happened() {
    let (open, wait) = door();
    let mut carts = MockCartRepository::new();
    carts.expect_change_all().returning(move |_| {
        wait();
        Ok(vec![Err(Refusal::NotFound)])
    });
    let stores = Stores {
        carts: Arc::new(carts),
        ..memory()
    };
    let app = App::with(stores, hasty()).await;
    let ada = app.customer("ada");
    let line = app
        .post("/api/cart/")
        .token(&ada)
        .json(&json!({"product_id": 1}))
        .await;
    line.expect(503, "outcome_unknown");
    open.send(()).unwrap();
}

/// While the password is hashed, no outcome can be unknown yet.
#[actix_web::test]
async fn a_registration_that_was_not_begun_is_not_unknown() {
    struct Slow(Box<dyn Fn() + Send + Sync>);
    impl PasswordHasher for Slow {
        fn hash(&self, _: &Password) -> Result<PasswordHash, HashingFailed> {
            self.0();
            Ok(PasswordHash::new("any".to_owned()))
        }
        fn verify(&self, _: &str, _: &PasswordHash) -> bool {
            false
        }
        fn verify_dummy(&self, _: &str) {}
        fn is_outdated(&self, _: &PasswordHash, _: &str) -> bool {
            false
        }
    }
    let user = json!({"username": "ada", "email": "a@b.co", "password": "a quiet harbour"});
    let (open, wait) = door();
    let app = App::hashing(memory(), hasty(), Arc::new(Slow(Box::new(wait)))).await;
    let reply = app.post("/api/register/").json(&user).await;
    reply.expect(503, "unavailable");
    drop(open);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(app.shop.accounts.by_username("ada").unwrap(), None);

    let (open, wait) = door();
    let mut accounts = MockAccountRepository::new();
    accounts.expect_register().returning(move |_| {
        wait();
        Err(Refusal::NotFound.into())
    });
    let stores = Stores {
        accounts: Arc::new(accounts),
        ..memory()
    };
    let app = App::with(stores, hasty()).await;
    let reply = app.post("/api/register/").json(&user).await;
    reply.expect(503, "outcome_unknown");
    drop(open);
}

#[actix_web::test]
async fn lists_beyond_the_queue_are_busy_at_once() {
    let (open, wait) = door();
    let mut products = MockProductRepository::new();
    products.expect_cursor_page().returning(move |_, _, _| {
        wait();
        Ok(CursorPage {
            items: Vec::new(),
            previous: None,
            next: None,
        })
    });
    let mut few = settings();
    few.limits.lists = PoolLimit {
        running: 1,
        waiting: 1,
    };
    let app = App::with(with_products(products), few).await;
    let walk = || app.get("/api/products/?cursor=").send();
    let refused = async {
        let began = Instant::now();
        walk().await.expect(503, "busy");
        assert!(began.elapsed() < Duration::from_secs(1));
        open.send(()).unwrap();
        open.send(()).unwrap();
    };
    let (one, other, ()) = futures_util::future::join3(walk(), walk(), refused).await;
    one.expect_status(200);
    other.expect_status(200);
}

#[actix_web::test]
async fn an_order_that_no_batch_took_is_withdrawn_and_another_is_unknown() {
    let (open, wait) = door();
    let taken = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&taken);
    let mut orders = MockOrderRepository::new();
    orders.expect_place().returning(move |requests| {
        *counted.lock().unwrap() += requests.len();
        wait();
        Ok(requests
            .iter()
            .map(|_| Err(Refusal::Cart(CartRefusal::Empty)))
            .collect())
    });
    let app = App::with(with_orders(orders), hasty()).await;
    let (ada, bob) = (app.customer("ada"), app.customer("bob"));
    let first = app.post("/api/orders/").token(&ada).send();
    let second = async {
        // The worker has taken the first order by then.
        while *taken.lock().unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        app.post("/api/orders/").token(&bob).send().await
    };
    let (first, second) = futures_util::future::join(first, second).await;
    first.expect(503, "outcome_unknown");
    second.expect(503, "busy");
    drop(open);
    // A withdrawn order is never placed.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(*taken.lock().unwrap(), 1);
}

#[actix_web::test]
async fn an_order_that_is_almost_done_gets_a_grace_period() {
    let mut orders = MockOrderRepository::new();
    orders.expect_place().returning(|requests| {
        std::thread::sleep(Duration::from_millis(250));
        Ok(requests
            .iter()
            .map(|_| Err(Refusal::Cart(CartRefusal::Empty)))
            .collect())
    });
    let app = App::with(with_orders(orders), hasty()).await;
    let ada = app.customer("ada");
    app.post("/api/orders/")
        .token(&ada)
        .send()
        .await
        .expect(400, "empty_cart");
}

#[actix_web::test]
async fn sign_ins_have_a_bound_of_their_own() {
    let mut one = settings();
    one.limits.passwords = PoolLimit {
        running: 1,
        waiting: 0,
    };
    let app = App::with(memory(), one).await;
    let ada = app.customer("ada");
    let body = json!({"username": "ada", "password": "wrong"});
    let sign_in = || app.post("/api-token-auth/").json(&body);
    let replies = futures_util::future::join_all((0..20).map(|_| sign_in())).await;
    assert!(replies.iter().any(|reply| reply.code() == "busy"));
    assert!(
        replies
            .iter()
            .any(|reply| reply.code() == "invalid_credentials")
    );
    app.get("/api/cart/")
        .token(&ada)
        .send()
        .await
        .expect_status(200);
}
