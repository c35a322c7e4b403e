//! Rate limits, per user and per address.

use crate::attempts::sign_in;
use crate::support::{App, Reply, memory, settings};
use serde_json::json;
use std::sync::Arc;
use tradepost_domain::Stores;
use tradepost_domain::identity::{MockAccountRepository, Password};
use tradepost_http::{Settings, Throttling};

const ELSEWHERE: &str = "192.0.2.9:4000";

/// A rate in requests a minute.
fn rates(user: u32, address: u32) -> Settings {
    Settings {
        throttling: Some(Throttling {
            user,
            address,
            network: 1_000_000,
        }),
        ..settings()
    }
}

fn fields(reply: &Reply) -> (String, String) {
    let field = |name| reply.header(name).to_owned();
    (field("ratelimit-policy"), field("ratelimit"))
}

#[actix_web::test]
async fn an_address_is_limited_and_the_headers_show_the_rest() {
    let app = App::with(memory(), rates(100, 4)).await;
    // Found, missing and malformed: all requests count.
    for (left, (method, path)) in [
        ("GET", "/api/"),
        ("POST", "/api/products/"),
        ("PATCH", "/api/"),
        ("GET", "/nothing/"),
    ]
    .iter()
    .enumerate()
    {
        let reply = app.call(method.parse().unwrap(), path).send().await;
        assert_ne!(reply.status, 429);
        let (policy, limit) = fields(&reply);
        assert_eq!(policy, "\"address\";q=4;w=60");
        let (left, full) = (3 - left, 15 * (left + 1));
        assert_eq!(limit, format!("\"address\";r={left};t={full}"), "{path}");
    }
    for (method, path, seconds) in [
        ("GET", "/api/", "15"),
        ("DELETE", "/api/", "15"),
        ("GET", "/nothing/", "15"),
        // A password costs more than the capacity: it waits for a full bucket.
        ("POST", "/api-token-auth/", "60"),
        ("GET", "/api/cart/", "15"),
    ] {
        let reply = app.call(method.parse().unwrap(), path).send().await;
        assert_eq!(reply.header("retry-after"), seconds, "{path}");
        assert_eq!(fields(&reply).1, "\"address\";r=0;t=60");
        reply.expect(429, "throttled");
    }
    // Another address has another bucket, and a header does not change the address.
    let forged = app.get("/api/").header("X-Forwarded-For", "192.0.2.1");
    forged.send().await.expect(429, "throttled");
    app.get("/api/")
        .peer("192.0.2.1:1")
        .send()
        .await
        .expect_status(200);
    for path in ["/healthz", "/readyz", "/metrics", "/healthz/"] {
        for _ in 0..20 {
            let reply = app.get(path).send().await.expect_status(200);
            assert_eq!(fields(&reply), (String::new(), String::new()));
        }
    }
    let page = app.get("/metrics").send().await;
    let text = page.text();
    for line in [
        "tradepost_throttled_requests_total{by=\"address\"} 6",
        "tradepost_throttled_requests_total{by=\"user\"} 0",
        "tradepost_errors_total{code=\"throttled\"} 6",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[actix_web::test]
async fn a_user_is_limited_over_all_addresses() {
    let app = App::with(memory(), rates(3, 2)).await;
    let (ada, grace) = (app.customer("ada"), app.customer("grace"));
    let ask = |token: &str, peer: &str| app.get("/api/cart/").token(token).peer(peer).send();
    for left in [2, 1, 0] {
        let reply = ask(&ada, &format!("192.0.2.{left}:1"))
            .await
            .expect_status(200);
        assert_eq!(fields(&reply).0, "\"user\";q=3;w=60");
        assert!(
            fields(&reply)
                .1
                .starts_with(&format!("\"user\";r={left};t="))
        );
    }
    let reply = ask(&ada, "192.0.2.9:1").await;
    assert_eq!(reply.header("retry-after"), "20");
    reply.expect(429, "throttled");
    // Many users of one front end: their address does not count.
    for _ in 0..3 {
        ask(&grace, "192.0.2.9:1").await.expect_status(200);
    }
    ask(&grace, "192.0.2.9:1").await.expect(429, "throttled");
    for left in [1, 0] {
        let anonymous = app.get("/api/").peer("192.0.2.8:1").send().await;
        let expected = format!("\"address\";r={left};");
        assert!(fields(&anonymous).1.starts_with(&expected));
    }
    // Nor do the requests of other users at that address exclude them.
    let mary = app.customer("mary");
    ask(&mary, "192.0.2.8:1").await.expect_status(200);
}

/// The holder of a stolen token cannot keep its owner from ending it.
#[actix_web::test]
async fn password_change_is_charged_to_its_address() {
    let app = App::with(memory(), rates(3, 20)).await;
    let ada = app.customer("ada");
    let ask = || app.get("/api/cart/").token(&ada).send();
    for status in [200, 200, 200, 429] {
        ask().await.expect_status(status);
    }
    let change = |peer: &str| {
        let body = json!({"current_password": "wrong", "new_password": "another-horse"});
        let path = "/api/users/me/password/";
        let call = app.post(path).token(&ada).peer(peer);
        async move { call.json(&body).await }
    };
    for status in [400, 400, 429] {
        change("192.0.2.8:1").await.expect_status(status);
    }
    let elsewhere = change(ELSEWHERE).await.expect_status(400);
    assert_eq!(fields(&elsewhere).0, "\"address\";q=20;w=60");
}

/// An ended token takes nothing from its owner.
#[actix_web::test]
async fn ended_tokens_are_charged_to_their_own_session() {
    let app = App::with(memory(), rates(3, 100)).await;
    let stolen = app.customer("ada");
    app.clock.advance(1);
    let new = Password::new("another-horse", None).unwrap();
    app.shop.accounts.reset_password("ada", &new).unwrap();
    let ask = |token: &str| app.get("/api/cart/").token(token).send();
    for status in [401, 401, 401, 429, 429] {
        ask(&stolen).await.expect_status(status);
    }
    let own = sign_in(&app, ELSEWHERE, "ada", "another-horse")
        .await
        .json();
    let own = own["token"].as_str().unwrap();
    for status in [200, 200, 200, 429] {
        ask(own).await.expect_status(status);
    }
}

#[actix_web::test]
async fn tokens_are_counted_before_the_account_lookup() {
    let mut accounts = MockAccountRepository::new();
    accounts
        .expect_find_all()
        .times(4)
        .returning(|_| Ok(Vec::new()));
    let stores = Stores {
        accounts: Arc::new(accounts),
        ..memory()
    };
    let app = App::with(stores, rates(4, 3)).await;
    let ask = async |token: String| app.get("/api/cart/").token(&token).send().await;
    for number in 0..50 {
        let reply = ask(format!("forged{number}")).await;
        assert!(fields(&reply).1.starts_with("\"address\""));
        match number {
            0..3 => reply.expect(401, "invalid_token"),
            _ => reply.expect(429, "throttled"),
        };
    }
    // Genuine tokens of a deleted user, each of which is looked up: the address does not matter.
    for number in 0..50 {
        let reply = ask(format!("plain.7.0.99999999{number:02}")).await;
        assert!(fields(&reply).1.starts_with("\"session\""));
        match number {
            0..4 => reply.expect(401, "invalid_token"),
            _ => reply.expect(429, "throttled"),
        };
    }
}

#[actix_web::test]
async fn without_throttling_nothing_is_counted() {
    let unlimited = Settings {
        throttling: None,
        ..settings()
    };
    let app = App::with(memory(), unlimited).await;
    let ada = app.customer("ada");
    for call in [app.get("/api/"), app.get("/api/cart/").token(&ada)] {
        let reply = call.send().await.expect_status(200);
        assert_eq!(fields(&reply), (String::new(), String::new()));
    }
}
