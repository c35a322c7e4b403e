//! Login throttling: limits for sign-ins.

use crate::support::{App, PASSWORD, Reply, memory, settings};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tradepost_domain::identity::{Password, PasswordHash};
use tradepost_domain::kernel::{HashingFailed, PasswordHasher};

pub(crate) const ELSEWHERE: &str = "192.0.2.9:4000";

pub(crate) async fn sign_in(app: &App, peer: &str, username: &str, password: &str) -> Reply {
    let body = json!({"username": username, "password": password});
    app.post("/api-token-auth/").peer(peer).json(&body).await
}

/// Five wrong attempts.
async fn five(app: &App, peer: &str, username: &str) {
    for _ in 0..5 {
        let reply = sign_in(app, peer, username, "wrong").await;
        reply.expect(400, "invalid_credentials");
    }
}

pub(crate) async fn locked_out(app: &App, peer: &str, username: &str, seconds: &str) {
    let reply = sign_in(app, peer, username, PASSWORD).await;
    assert_eq!(reply.header("retry-after"), seconds);
    reply.expect(429, "too_many_attempts");
}

#[actix_web::test]
async fn five_wrong_attempts_are_free_and_then_even_the_right_password_is_rejected() {
    const HERE: &str = "192.0.2.1:4000";
    let app = App::new().await;
    app.customer("ada");
    // The response does not reveal whether the account exists.
    for username in ["ada", "nobody"] {
        five(&app, HERE, username).await;
        locked_out(&app, HERE, username, "60").await;
    }
    locked_out(&app, "192.0.2.1:5000", " ADA ", "60").await;
    app.clock.advance(59);
    locked_out(&app, HERE, "ada", "1").await;
    app.clock.advance(1);
    sign_in(&app, HERE, "ada", "wrong")
        .await
        .expect(400, "invalid_credentials");
    locked_out(&app, HERE, "ada", "120").await;
    // From another network she signs in, which resets nothing here.
    sign_in(&app, ELSEWHERE, "ada", PASSWORD)
        .await
        .expect_status(200);
    locked_out(&app, HERE, "ada", "120").await;
    app.clock.advance(120);
    sign_in(&app, HERE, "ada", PASSWORD)
        .await
        .expect_status(200);
    five(&app, HERE, "ada").await;
    locked_out(&app, HERE, "ada", "60").await;
}

#[actix_web::test]
async fn the_right_password_in_time_ends_the_count() {
    let app = App::new().await;
    app.customer("ada");
    for _ in 0..3 {
        for _ in 0..4 {
            let reply = sign_in(&app, ELSEWHERE, "ada", "wrong").await;
            reply.expect(400, "invalid_credentials");
        }
        sign_in(&app, ELSEWHERE, "ada", PASSWORD)
            .await
            .expect_status(200);
    }
    five(&app, ELSEWHERE, "ada").await;
    locked_out(&app, ELSEWHERE, "ada", "60").await;
}

#[actix_web::test]
async fn an_ipv6_network_is_one_client_network() {
    let app = App::new().await;
    app.customer("ada");
    for address in 1..=5 {
        let peer = format!("[2001:db8::{address}]:4000");
        let reply = sign_in(&app, &peer, "ada", "wrong").await;
        reply.expect(400, "invalid_credentials");
    }
    locked_out(&app, "[2001:db8::ffff:0:0:1]:4000", "ada", "60").await;
    let other = sign_in(&app, "[2001:db8:0:1::1]:4000", "ada", PASSWORD).await;
    other.expect_status(200);
}

#[actix_web::test]
async fn client_headers_do_not_change_the_client_network() {
    let proxied = |proxies: &[&str]| {
        let mut settings = settings();
        settings.trusted_proxies = proxies.iter().map(|net| net.parse().unwrap()).collect();
        App::with(memory(), settings)
    };
    let from = async |app: &App, client: &str| {
        let call = app.post("/api-token-auth/").peer("192.0.2.1:4000");
        let call = call.header("X-Forwarded-For", client);
        call.json(&json!({"username": "ada", "password": "wrong"}))
            .await
    };
    let app = proxied(&[]).await;
    for client in 1..=5 {
        let reply = from(&app, &format!("198.51.100.{client}")).await;
        reply.expect(400, "invalid_credentials");
    }
    from(&app, "198.51.100.6")
        .await
        .expect(429, "too_many_attempts");

    let app = proxied(&["192.0.2.0/24"]).await;
    for _ in 0..5 {
        let reply = from(&app, "203.0.113.1, 198.51.100.1").await;
        reply.expect(400, "invalid_credentials");
    }
    let same = from(&app, "203.0.113.77, 198.51.100.1").await;
    same.expect(429, "too_many_attempts");
    let other = from(&app, "203.0.113.1, 198.51.100.2").await;
    other.expect(400, "invalid_credentials");
}

#[actix_web::test]
async fn passwords_cannot_be_sprayed_from_one_network() {
    let app = App::new().await;
    app.customer("ada");
    for number in 0..100 {
        let reply = sign_in(&app, ELSEWHERE, &format!("user{number}"), "spring").await;
        reply.expect(400, "invalid_credentials");
        if number % 10 == 0 {
            // Signing in to one's own account does not reset the count.
            let reply = sign_in(&app, ELSEWHERE, "ada", PASSWORD).await;
            reply.expect_status(200);
        }
    }
    locked_out(&app, ELSEWHERE, "ada", "900").await;
    sign_in(&app, "192.0.2.8:1", "ada", PASSWORD)
        .await
        .expect_status(200);
    app.clock.advance(900);
    sign_in(&app, ELSEWHERE, "ada", PASSWORD)
        .await
        .expect_status(200);
}

/// Counts the password checks and hashes.
#[derive(Default)]
pub(crate) struct Counting(pub(crate) AtomicUsize);

impl PasswordHasher for Counting {
    fn hash(&self, _: &Password) -> Result<PasswordHash, HashingFailed> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(PasswordHash::new("hash".to_owned()))
    }

    fn verify(&self, _: &str, _: &PasswordHash) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        false
    }

    fn verify_dummy(&self, _: &str) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn is_outdated(&self, _: &PasswordHash, _: &str) -> bool {
        false
    }
}

/// Retries as long as the queue of passwords is full: that is no attempt.
pub(crate) async fn insist<F: Future<Output = Reply>>(ask: impl Fn() -> F) -> Reply {
    loop {
        let reply = ask().await;
        if reply.status != 503 {
            return reply;
        }
    }
}

#[actix_web::test]
async fn concurrent_attempts_do_not_bypass_the_limit_and_cost_no_hashing() {
    let hasher = Arc::new(Counting::default());
    let app = App::hashing(memory(), settings(), hasher.clone()).await;
    let tries = (0..40).map(|_| insist(|| sign_in(&app, ELSEWHERE, "ada", "wrong")));
    let replies = futures_util::future::join_all(tries).await;
    let with = |status| {
        replies
            .iter()
            .filter(|reply| reply.status == status)
            .count()
    };
    assert_eq!((with(400), with(429)), (5, 35));
    assert_eq!(hasher.0.load(Ordering::Relaxed), 5);
}

fn everywhere(number: usize) -> String {
    format!("198.51.{}.{}:4000", number / 200, number % 200)
}

/// Guesses at one account from many addresses: after twenty, one is checked every few seconds. The
/// limit is the same for missing accounts and for those of staff.
#[actix_web::test]
async fn one_account_cannot_be_guessed_at_from_many_addresses() {
    let app = App::new().await;
    app.customer("ada");
    app.staff("boss");
    sign_in(&app, ELSEWHERE, "ada", PASSWORD)
        .await
        .expect_status(200);
    let mut told = Vec::new();
    for (username, spellings) in [
        ("ada", ["ada", "ＡDA", " Ada", "𝐚da"]),
        ("boss", ["boss", "BOSS", "boss ", "ｂoss"]),
        ("nobody", ["nobody", "NOBODY", " nobody", "ｎobody"]),
    ] {
        let mut answers = Vec::new();
        for number in 0..600 {
            let spelling = spellings[number % 4];
            let reply = sign_in(&app, &everywhere(number / 5), spelling, "wrong").await;
            let wait = reply.header("retry-after").to_owned();
            answers.push((reply.status, wait));
        }
        let checked = answers.iter().filter(|(status, _)| *status == 400).count();
        assert_eq!(checked, 20, "{username}");
        told.push(answers);
        // Neither another path nor the right password bypasses the limit, and the delay is short.
        let body = json!({"username": username, "password": PASSWORD});
        let path = app.post("/api/token/").peer("203.0.113.1:1");
        path.json(&body).await.expect(429, "too_many_attempts");
        locked_out(&app, "203.0.113.1:1", username, "1").await;
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
    // A network that lately sent the right password has no delay.
    sign_in(&app, ELSEWHERE, "ada", PASSWORD)
        .await
        .expect_status(200);
    locked_out(&app, "203.0.113.1:1", "ada", "1").await;
    app.clock.advance(1);
    for _ in 0..2 {
        sign_in(&app, "203.0.113.1:1", "ada", PASSWORD)
            .await
            .expect_status(200);
    }
    app.clock.advance(30 * 24 * 3_600);
    for number in 0..20 {
        let reply = sign_in(&app, &everywhere(number / 5), "ada", "wrong").await;
        reply.expect(400, "invalid_credentials");
    }
    locked_out(&app, ELSEWHERE, "ada", "1").await;
}

/// A right password costs a hash too: sixty of one account from one address.
#[actix_web::test]
async fn right_passwords_count_too() {
    let app = App::new().await;
    let token = app.customer("ada");
    app.customer("bob");
    for number in 0..60 {
        let path = ["/api-token-auth/", "/api/token/"][number % 2];
        let username = ["ada", " ADA", "Ａda"][number % 3];
        let body = json!({"username": username, "password": PASSWORD});
        let reply = app.post(path).peer(ELSEWHERE).json(&body).await;
        reply.expect_status(200);
    }
    locked_out(&app, ELSEWHERE, "ada", "900").await;
    for (method, path, body) in [
        (
            "POST",
            "/api/users/me/password/",
            json!({"current_password": PASSWORD, "new_password": "another horse"}),
        ),
        (
            "PATCH",
            "/api/users/me/",
            json!({"current_password": PASSWORD, "email": "new@example.org"}),
        ),
    ] {
        let call = app.call(method.parse().unwrap(), path).token(&token);
        let reply = call.peer(ELSEWHERE).json(&body).await;
        reply.expect(429, "too_many_attempts");
    }
    for (peer, username) in [(ELSEWHERE, "bob"), ("192.0.2.8:1", "ada")] {
        sign_in(&app, peer, username, PASSWORD)
            .await
            .expect_status(200);
    }
    app.clock.advance(900);
    sign_in(&app, ELSEWHERE, "ada", PASSWORD)
        .await
        .expect_status(200);
}
