//! Liveness and readiness probes.

use crate::support::{App, memory, settings};
use actix_web::http::Method;
use futures_util::future::{join, join_all};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tradepost_domain::Stores;
use tradepost_domain::catalog::MockProductRepository;
use tradepost_domain::identity::MockAccountRepository;
use tradepost_domain::kernel::{StoreError, StoreErrorKind};
use tradepost_domain::maintenance::MockHealthCheck;
use tradepost_http::PoolLimit;

const FORMS: [&str; 4] = ["/healthz", "/healthz/", "/readyz", "/readyz/"];

fn with_health(health: MockHealthCheck) -> Stores {
    Stores {
        health: Arc::new(health),
        ..memory()
    }
}

#[actix_web::test]
async fn a_ready_server_says_so_to_any_caller() {
    // Probes authenticate no caller: there is no account lookup.
    let stores = Stores {
        accounts: Arc::new(MockAccountRepository::new()),
        ..memory()
    };
    let app = App::with(stores, settings()).await;
    for path in FORMS {
        for token in [None, Some("forged"), Some("plain.1.0.9999999999")] {
            let call = app.get(path);
            let call = match token {
                Some(token) => call.token(token),
                None => call,
            };
            let reply = call.send().await.expect_status(200);
            assert_eq!(reply.text(), r#"{"status":"ok"}"#, "{path}");
        }
        // A load balancer addresses the server by its IP address, or without any host.
        for host in [Some("10.1.2.3:8000"), Some("evil.example.org"), None] {
            app.get(path).host(host).send().await.expect_status(200);
        }
        let head = app.call(Method::HEAD, path).send().await;
        assert_eq!(head.status, 200);
    }
}

#[actix_web::test]
async fn only_probes_are_for_any_host() {
    let app = App::new().await;
    for path in ["/healthz//", "/healthzz", "/api/", "/"] {
        let reply = app.get(path).host(Some("10.1.2.3:8000")).send().await;
        reply.expect(400, "bad_host");
    }
}

#[actix_web::test]
async fn a_server_that_is_not_ready_says_why() {
    for (kind, reason) in [
        (StoreErrorKind::Busy, "busy"),
        (StoreErrorKind::Unavailable, "unavailable"),
        (StoreErrorKind::SchemaMismatch, "schema"),
        (StoreErrorKind::Full, "unavailable"),
        (StoreErrorKind::OutcomeUnknown, "unavailable"),
        (StoreErrorKind::Other, "unavailable"),
    ] {
        let mut health = MockHealthCheck::new();
        let failure = StoreError::caused(kind, std::io::Error::other("secret cause"));
        health
            .expect_check()
            .returning(move || Err(failure.clone()));
        let app = App::with(with_health(health), settings()).await;
        for path in FORMS {
            let reply = app.get(path).send().await;
            if path.starts_with("/healthz") {
                reply.expect_status(200);
            } else {
                assert!(!reply.text().contains("secret"));
                reply.expect(503, reason);
            }
        }
    }
}

#[actix_web::test]
async fn readiness_is_answered_while_all_other_work_hangs() {
    let (open, opened) = channel::<()>();
    let (open, opened) = (open, Mutex::new(opened));
    let mut products = MockProductRepository::new();
    products.expect_find_all().returning(move |_| {
        let _ = opened.lock().unwrap().recv();
        Ok(Vec::new())
    });
    let stores = Stores {
        products: Arc::new(products),
        ..memory()
    };
    let mut few = settings();
    few.limits.work = PoolLimit {
        running: 1,
        waiting: 0,
    };
    let app = App::with(stores, few).await;
    let ada = app.customer("ada");
    let hangs = app.get("/api/products/1/").send();
    let asked = async {
        while app.get("/api/cart/").token(&ada).send().await.status != 503 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let began = Instant::now();
        for path in FORMS {
            app.get(path).send().await.expect_status(200);
        }
        assert!(began.elapsed() < Duration::from_millis(500));
        drop(open);
    };
    let (hung, ()) = join(hangs, asked).await;
    hung.expect(404, "not_found");
}

#[actix_web::test]
async fn a_hung_check_is_answered_within_a_second() {
    let (open, opened) = channel::<()>();
    let opened = Mutex::new(opened);
    let mut health = MockHealthCheck::new();
    health.expect_check().returning(move || {
        let _ = opened.lock().unwrap().recv();
        Ok(())
    });
    let app = App::with(with_health(health), settings()).await;
    for _ in 0..2 {
        // More than may run and wait.
        let asked = (0..30).map(|_| async {
            let began = Instant::now();
            app.get("/readyz").send().await.expect(503, "unavailable");
            assert!(began.elapsed() < Duration::from_secs(1));
        });
        join_all(asked).await;
        let began = Instant::now();
        app.get("/healthz").send().await.expect_status(200);
        app.get("/api/products/").send().await.expect_status(200);
        assert!(began.elapsed() < Duration::from_millis(500));
    }
    drop(open);
    while app.get("/readyz").send().await.status != 200 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[actix_web::test]
async fn many_concurrent_probes_cost_few_checks() {
    let checks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&checks);
    let mut health = MockHealthCheck::new();
    health.expect_check().returning(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let app = App::with(with_health(health), settings()).await;
    // Unshared, these would exceed the limits by far.
    let asked = (0..500).map(|_| async { app.get("/readyz").send().await.expect_status(200) });
    join_all(asked).await;
    // One check in each tenth of a second, however long this took; unshared, there would be 500.
    let checks = checks.load(Ordering::Relaxed);
    assert!((1..=100).contains(&checks), "{checks}");
}
