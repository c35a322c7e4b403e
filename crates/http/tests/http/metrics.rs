//! Metrics, and access to them.

use crate::support::{App, PASSWORD, memory, settings};
use actix_web::http::Method;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tradepost_domain::Stores;
use tradepost_domain::maintenance::{MockHealthCheck, PoolStats};

/// The samples by their names and labels.
type Samples = BTreeMap<String, f64>;

async fn samples(app: &App) -> Samples {
    let reply = app.get("/metrics").send().await.expect_status(200);
    let text = reply.text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let samples = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    let list: Vec<(String, f64)> = samples.collect();
    let once: Samples = list.iter().cloned().collect();
    assert_eq!(once.len(), list.len(), "each series stands there once");
    once
}

#[track_caller]
fn assert_counts(samples: &Samples, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        assert_eq!(samples.get(*name), Some(value), "{name} in {samples:#?}");
    }
}

/// The requests of a route, over all methods and outcomes.
fn requests(samples: &Samples, route: &str) -> f64 {
    let begin = format!("tradepost_http_requests_total{{route=\"{route}\",");
    let of_route = samples.iter().filter(|(name, _)| name.starts_with(&begin));
    of_route.map(|(_, value)| value).sum()
}

#[actix_web::test]
async fn the_numbers_are_true_for_a_scripted_run() {
    let app = App::new().await;
    let (staff, ada) = (app.staff("boss"), app.customer("ada"));
    let product = app.product(&staff, "19.99", 5).await;
    let path = format!("/api/products/{product}/");
    for _ in 0..3 {
        app.get(&path).send().await.expect_status(200);
    }
    app.call(Method::HEAD, &path[..path.len() - 1])
        .send()
        .await
        .expect_status(200);
    app.get("/api/products/77/")
        .send()
        .await
        .expect(404, "not_found");
    app.order(&ada, product, 2).await;
    let line = json!({"product_id": product, "quantity": 9});
    let short = app.post("/api/cart/").token(&ada).json(&line).await;
    short.expect(409, "insufficient_stock");
    app.get("/api/cart/")
        .send()
        .await
        .expect(401, "not_authenticated");
    app.post(&path)
        .send()
        .await
        .expect(405, "method_not_allowed");
    app.call(Method::OPTIONS, &path)
        .send()
        .await
        .expect_status(200);
    app.call("BREW".parse().unwrap(), "/api/")
        .send()
        .await
        .expect(405, "method_not_allowed");
    let sign_in = |password: &'static str| {
        let body = json!({"username": "ada", "password": password});
        let call = app.post("/api-token-auth/");
        async move { call.json(&body).await }
    };
    sign_in(PASSWORD).await.expect_status(200);
    for _ in 0..5 {
        sign_in("wrong").await.expect(400, "invalid_credentials");
    }
    sign_in(PASSWORD).await.expect(429, "too_many_attempts");

    let seen = samples(&app).await;
    let requests = |route: &str, method: &str, status: &str| {
        format!(
            "tradepost_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
        )
    };
    let one = "/api/products/{id}/";
    for (route, method, status, count) in [
        ("/api/products/", "POST", "2xx", 1.0),
        (one, "GET", "2xx", 3.0),
        (one, "GET", "4xx", 1.0),
        (one, "HEAD", "2xx", 1.0),
        (one, "POST", "4xx", 1.0),
        (one, "OPTIONS", "2xx", 1.0),
        ("/api/", "other", "4xx", 1.0),
        ("/api/cart/", "POST", "2xx", 1.0),
        ("/api/cart/", "POST", "4xx", 1.0),
        ("/api/cart/", "GET", "4xx", 1.0),
        ("/api/orders/", "POST", "2xx", 1.0),
        ("/api-token-auth/", "POST", "2xx", 1.0),
        ("/api-token-auth/", "POST", "4xx", 6.0),
    ] {
        assert_counts(&seen, &[(&requests(route, method, status), count)]);
    }
    let total: f64 = seen
        .iter()
        .filter(|(name, _)| name.starts_with("tradepost_http_requests_total"))
        .map(|(_, value)| value)
        .sum();
    assert_eq!(total, 20.0);
    assert_counts(
        &seen,
        &[
            ("tradepost_errors_total{code=\"insufficient_stock\"}", 1.0),
            ("tradepost_errors_total{code=\"not_found\"}", 1.0),
            ("tradepost_errors_total{code=\"method_not_allowed\"}", 2.0),
            ("tradepost_errors_total{code=\"too_many_attempts\"}", 1.0),
            ("tradepost_errors_total{code=\"internal_error\"}", 0.0),
            ("tradepost_sign_ins_total{outcome=\"ok\"}", 1.0),
            ("tradepost_sign_ins_total{outcome=\"wrong\"}", 5.0),
            ("tradepost_sign_ins_total{outcome=\"throttled\"}", 1.0),
            ("tradepost_sign_ins_total{outcome=\"failed\"}", 0.0),
            ("tradepost_order_batch_size_count", 1.0),
            ("tradepost_order_batch_size_sum", 1.0),
            ("tradepost_order_batch_size_bucket{le=\"1\"}", 1.0),
            ("tradepost_order_batch_duration_seconds_count", 1.0),
            ("tradepost_order_wait_seconds_count", 1.0),
            ("tradepost_orders_waiting", 0.0),
            ("tradepost_orders_contended_total", 0.0),
            ("tradepost_jobs{kind=\"work\",state=\"running\"}", 0.0),
            ("tradepost_jobs{kind=\"passwords\",state=\"waiting\"}", 0.0),
            ("tradepost_jobs_max{kind=\"work\",state=\"running\"}", 32.0),
            ("tradepost_reads_waiting{what=\"accounts\"}", 0.0),
            // Two tokens, each cached for less than a second; both were looked up alone.
            ("tradepost_read_size_sum{what=\"accounts\"}", 2.0),
            ("tradepost_read_size_sum{what=\"products\"}", 5.0),
            ("tradepost_http_requests_in_flight", 1.0),
            ("tradepost_build_info{version=\"0.1.0\"}", 1.0),
            (
                "tradepost_http_request_duration_seconds_count{route=\"/api/products/{id}/\",method=\"GET\"}",
                4.0,
            ),
            (
                "tradepost_http_request_duration_seconds_bucket{route=\"/api/products/{id}/\",method=\"GET\",le=\"+Inf\"}",
                4.0,
            ),
        ],
    );
    assert!(seen["process_resident_memory_bytes"] > 1e6);
    assert!(seen["process_open_fds"] > 2.0 && seen["process_threads"] > 0.0);
    assert!(seen.contains_key("tradepost_uptime_seconds"));
}

#[actix_web::test]
async fn client_input_never_becomes_a_label() {
    let app = App::new().await;
    let token = app.customer("ada");
    let hostile = [
        "/secret-path",
        "/api/products/123456/",
        "/api/products/secret/",
        "/api/orders/99/?secret=1",
        "/api/%73ecret/",
        "/metrics/secret",
        "/api/products/\"},secret{\"",
        "//",
    ];
    let send = async || {
        for path in hostile {
            for method in ["GET", "POST", "SECRET", "DELETE", "OPTIONS"] {
                let call = app.call(method.parse().unwrap(), &path.replace('"', "%22"));
                call.token(&token).send().await;
            }
        }
        let call = app.get("/api/").host(Some("secret.example.org"));
        call.send().await.expect(400, "bad_host");
    };
    send().await;
    let before = samples(&app).await;
    for name in before.keys() {
        assert!(
            !name.contains("secret") && !name.contains("SECRET"),
            "{name}"
        );
        assert!(!name.contains("123456") && !name.contains("99/"), "{name}");
    }
    // Seven of the paths match no route, and the other host counts as unmatched too.
    let unmatched = requests(&before, "unmatched");
    send().await;
    // The first read of the metrics has been counted by now.
    let mut after: BTreeSet<String> = samples(&app).await.into_keys().collect();
    after.retain(|name| !name.contains("/metrics"));
    let mut known: BTreeSet<String> = before.into_keys().collect();
    known.retain(|name| !name.contains("/metrics"));
    assert_eq!(after, known, "the same requests make no more series");
    assert!(unmatched > 10.0);
}

#[actix_web::test]
async fn metrics_are_for_this_machine_and_allowed_networks() {
    let mut settings = settings();
    settings.metrics_allow = vec!["10.1.0.0/16".parse().unwrap()];
    settings.trusted_proxies = vec!["10.2.0.1/32".parse().unwrap()];
    let app = App::with(memory(), settings).await;
    for (peer, forwarded, allowed) in [
        ("127.0.0.1:1", None, true),
        ("127.9.9.9:1", None, true),
        ("[::1]:1", None, true),
        ("[::ffff:127.0.0.1]:1", None, true),
        ("10.1.2.3:1", None, true),
        ("10.2.2.3:1", None, false),
        ("192.0.2.1:1", None, false),
        ("[2001:db8::1]:1", None, false),
        // Client headers grant no access, and requests forwarded by an untrusted proxy have no
        // client IP.
        ("192.0.2.1:1", Some("127.0.0.1"), false),
        ("127.0.0.1:1", Some("192.0.2.1"), false),
        ("127.0.0.1:1", Some("127.0.0.1"), false),
        // A trusted proxy names the client.
        ("10.2.0.1:1", Some("192.0.2.1"), false),
        ("10.2.0.1:1", Some("10.1.0.9"), true),
        ("10.2.0.1:1", Some("127.0.0.1, 192.0.2.1"), false),
    ] {
        for path in ["/metrics", "/metrics/"] {
            let call = app.get(path).peer(peer).host(Some("10.1.1.1:8000"));
            let call = match forwarded {
                Some(client) => call.header("X-Forwarded-For", client),
                None => call,
            };
            let reply = call.send().await;
            let status = if allowed { 200 } else { 404 };
            assert_eq!(reply.status, status, "{peer} {forwarded:?}");
        }
    }
}

#[actix_web::test]
async fn metrics_are_closed_to_requests_via_untrusted_proxies() {
    let mut settings = settings();
    settings.metrics_allow = vec!["10.1.0.0/16".parse().unwrap()];
    let app = App::with(memory(), settings).await;
    for peer in ["127.0.0.1:1", "[::1]:1", "10.1.2.3:1"] {
        app.get("/metrics")
            .peer(peer)
            .send()
            .await
            .expect_status(200);
        for name in [
            "Forwarded",
            "Via",
            "X-Real-IP",
            "CF-Connecting-IP",
            "X-Forwarded-Host",
        ] {
            let call = app.get("/metrics").peer(peer).header(name, "127.0.0.1");
            call.send().await.expect(404, "not_found");
        }
    }
}

#[actix_web::test]
async fn pools_are_shown_as_the_store_says() {
    let mut health = MockHealthCheck::new();
    health.expect_pools().returning(|| {
        vec![PoolStats {
            name: "readers",
            busy: 3,
            idle: 4,
            most: 9,
        }]
    });
    let stores = Stores {
        health: Arc::new(health),
        ..memory()
    };
    let app = App::with(stores, settings()).await;
    assert_counts(
        &samples(&app).await,
        &[
            (
                "tradepost_pool_connections{pool=\"readers\",state=\"busy\"}",
                3.0,
            ),
            (
                "tradepost_pool_connections{pool=\"readers\",state=\"idle\"}",
                4.0,
            ),
            ("tradepost_pool_connections_max{pool=\"readers\"}", 9.0),
        ],
    );
}
