//! Limits for registrations, and for the password and the e-mail address of an own account.

use crate::attempts::{Counting, ELSEWHERE, insist, locked_out, sign_in};
use crate::support::{App, PASSWORD, Reply, memory, settings};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

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
