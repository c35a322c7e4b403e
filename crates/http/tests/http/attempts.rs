//! Login throttling: limits for password attempts and registrations.

use crate::support::{App, PASSWORD, Reply, memory, settings};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tradepost_domain::identity::{Password, PasswordHash};
use tradepost_domain::kernel::{HashingFailed, PasswordHasher};

const ELSEWHERE: &str = "192.0.2.9:4000";

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

async fn locked_out(app: &App, peer: &str, username: &str, seconds: &str) {
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
struct Counting(AtomicUsize);

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
async fn insist<F: Future<Output = Reply>>(ask: impl Fn() -> F) -> Reply {
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

async fn register(app: &App, peer: &str, username: &str) -> Reply {
    let email = format!("{username}@example.org");
    let body = json!({"username": username, "email": email, "password": PASSWORD});
    app.post("/api/register/").peer(peer).json(&body).await
}

#[actix_web::test]
async fn registrations_per_network_are_limited_whatever_their_outcome() {
    let hasher = Arc::new(Counting::default());
    let app = App::hashing(memory(), settings(), hasher.clone()).await;
    let hashed = || hasher.0.load(Ordering::Relaxed);
    let here = |number| format!("[2001:db8::{number}]:4000");
    // An invalid registration costs nothing, reveals nothing and is not counted.
    for _ in 0..3 {
        let short = json!({"username": "ada", "email": "a@b.co", "password": "short"});
        let reply = app.post("/api/register/").peer(&here(1)).json(&short).await;
        reply.expect_fields(&["password"]);
    }
    assert_eq!(hashed(), 0);
    for number in 0..45 {
        let made = register(&app, &here(number), &format!("user{number}")).await;
        made.expect_status(201);
        app.clock.advance(1);
        // Checks for taken names count against the same limit.
        let taken = register(&app, &here(number), "user0").await;
        taken.expect_fields(&["email", "username"]);
    }
    // Ten are left, however many arrive at once.
    let app = &app;
    let rest = (0..30).map(|number| async move {
        let (peer, name) = (here(number), format!("late{number}"));
        insist(|| register(app, &peer, &name)).await
    });
    let rest = futures_util::future::join_all(rest).await;
    let with = |status| rest.iter().filter(|reply| reply.status == status).count();
    assert_eq!((with(201), with(429)), (10, 20));
    for reply in rest.iter().filter(|reply| reply.status == 429) {
        assert_eq!(reply.header("retry-after"), "855");
        assert_eq!(reply.json()["code"], "too_many_attempts");
    }
    assert_eq!(hashed(), 100);
    // Existing customers sign in as before, and other networks can register.
    let wrong = sign_in(app, &here(1), "user1", PASSWORD).await;
    wrong.expect(400, "invalid_credentials");
    let other = register(app, ELSEWHERE, "grace").await;
    other.expect_status(201);
    app.clock.advance(854);
    let early = register(app, &here(1), "mary").await;
    assert_eq!(early.header("retry-after"), "1");
    early.expect(429, "too_many_attempts");
    app.clock.advance(1);
    register(app, &here(1), "mary").await.expect_status(201);
}

/// A stolen token does not help to guess the password.
#[actix_web::test]
async fn the_current_password_cannot_be_guessed_with_a_token() {
    let app = App::new().await;
    let ada = app.customer("ada");
    let change = |peer: &'static str, current: &str| {
        let body = json!({"current_password": current, "new_password": "wrong horse battery"});
        let call = app.post("/api/users/me/password/").token(&ada).peer(peer);
        async move { call.json(&body).await }
    };
    const HERE: &str = "192.0.2.1:4000";
    // A rejection for another reason is no attempt.
    for _ in 0..6 {
        let short = json!({"current_password": "x", "new_password": "short"});
        let call = app.post("/api/users/me/password/").token(&ada).peer(HERE);
        call.json(&short).await.expect_fields(&["new_password"]);
    }
    for _ in 0..3 {
        let wrong = change(HERE, "wrong").await;
        wrong.expect_fields(&["current_password"]);
    }
    // Wrong passwords count together on both paths.
    for _ in 0..2 {
        let wrong = sign_in(&app, HERE, "ada", "wrong").await;
        wrong.expect(400, "invalid_credentials");
    }
    let refused = change(HERE, PASSWORD).await;
    assert_eq!(refused.header("retry-after"), "60");
    refused.expect(429, "too_many_attempts");
    locked_out(&app, HERE, "ada", "60").await;
    change(ELSEWHERE, PASSWORD).await.expect_status(204);
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

/// One customer may have every /64 network of a /48.
#[actix_web::test]
async fn many_networks_of_one_site_have_a_bound_together() {
    let app = App::new().await;
    let network = |number: usize| format!("[2001:db8:1:{number:x}::1]:4000");
    for number in 0..400 {
        let reply = sign_in(&app, &network(number), &format!("user-{number}"), "spring").await;
        reply.expect(400, "invalid_credentials");
    }
    locked_out(&app, &network(400), "other", "900").await;
    let other = sign_in(&app, "[2001:db8:2::1]:4000", "other", "spring").await;
    other.expect(400, "invalid_credentials");
    for number in 0..400 {
        let body = json!({
            "username": "Ada", "email": format!("ada{number}@example.org"), "password": PASSWORD,
        });
        let register = app.post("/api/register/").peer(&network(number));
        assert_ne!(register.json(&body).await.status, 429, "{number}");
    }
    let body = json!({"username": "ada", "email": "a@example.org", "password": PASSWORD});
    let register = app.post("/api/register/").peer(&network(401));
    register.json(&body).await.expect(429, "too_many_attempts");
}

/// Changing an email address reveals whether it is taken, as registering does.
#[actix_web::test]
async fn email_addresses_cannot_be_probed_by_changing_ones_own() {
    let app = App::new().await;
    let ada = app.customer("ada");
    let change = |email: String, password: &'static str| {
        let body = json!({"email": email, "current_password": password});
        let call = app.patch("/api/users/me/").token(&ada).peer(ELSEWHERE);
        async move { call.json(&body).await }
    };
    for number in 0..5 {
        let reply = change(format!("a{number}@example.org"), "wrong").await;
        reply.expect_fields(&["current_password"]);
    }
    change("b@example.org".to_owned(), PASSWORD)
        .await
        .expect(429, "too_many_attempts");
    locked_out(&app, ELSEWHERE, "ada", "60").await;
    app.clock.advance(901);
    // Also with the right password: by then registrations or sign-ins of one account are exhausted.
    let mut asked = 0;
    while change(format!("c{asked}@example.org"), PASSWORD)
        .await
        .status
        != 429
    {
        asked += 1;
        assert!(asked <= 100);
    }
    assert_eq!(asked, 60);
    // They count as registrations from this network.
    for number in 0..40 {
        let body = json!({
            "username": "Ada", "email": format!("d{number}@example.org"), "password": PASSWORD,
        });
        let register = app.post("/api/register/").peer(ELSEWHERE);
        assert_eq!(register.json(&body).await.status, 400, "{number}");
    }
    let body = json!({"username": "eve", "email": "e@example.org", "password": PASSWORD});
    let register = app.post("/api/register/").peer(ELSEWHERE);
    register.json(&body).await.expect(429, "too_many_attempts");
    change("f@example.org".to_owned(), PASSWORD)
        .await
        .expect(429, "too_many_attempts");
}
