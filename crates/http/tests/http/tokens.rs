//! Token pairs: issued, refreshed, revoked, verified.

use crate::support::{App, PASSWORD, Reply};
use serde_json::{Value, json};

async fn begin(app: &App, username: &str) -> (String, String) {
    let body = json!({"username": username, "password": PASSWORD});
    pair(&app.post("/api/token/").json(&body).await)
}

fn pair(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let pair = reply.json();
    assert_eq!(pair.as_object().unwrap().len(), 2, "{pair}");
    let text = |name: &str| pair[name].as_str().unwrap().to_owned();
    (text("access"), text("refresh"))
}

async fn refresh(app: &App, token: &str) -> Reply {
    let body = json!({"refresh": token});
    app.post("/api/token/refresh/").json(&body).await
}

async fn revoke(app: &App, token: &str) -> Reply {
    let body = json!({"refresh": token});
    app.post("/api/token/revoke/").json(&body).await
}

async fn verify(app: &App, token: &str) -> Reply {
    let body = json!({"token": token});
    app.post("/api/token/verify/").json(&body).await
}

async fn opens(app: &App, access: &str) -> u16 {
    app.get("/api/cart/").token(access).send().await.status
}

#[actix_web::test]
async fn a_pair_opens_the_shop_and_gives_the_next_one() {
    let app = App::new().await;
    app.customer("ada");
    let (access, first) = begin(&app, " ADA ").await;
    assert_eq!(opens(&app, &access).await, 200);
    app.clock.advance(600);
    assert_eq!(opens(&app, &access).await, 401, "ten minutes are over");
    // Neither a stale token nor one of another kind prevents it.
    let stale = app.post("/api/token/refresh").token(&access);
    let (access, second) = pair(&stale.json(&json!({"refresh": first, "user": 2})).await);
    assert_eq!(opens(&app, &access).await, 200);
    assert_ne!(first, second);
    let (_, third) = pair(&refresh(&app, &second).await);
    pair(&refresh(&app, &third).await);
}

#[actix_web::test]
async fn wrong_credentials_are_401_here() {
    let app = App::new().await;
    app.customer("ada");
    let mut answers = Vec::new();
    for (username, password) in [("ada", "wrong"), ("nobody", PASSWORD), ("ada", " ")] {
        let body = json!({"username": username, "password": password});
        let reply = app.post("/api/token/").json(&body).await;
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        answers.push(reply.expect(401, "no_active_account").anonymous());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let missing = app.post("/api/token/").json(&json!({})).await;
    missing.expect_fields(&["password", "username"]);
    let form = app.post("/api/token/");
    let form = form.body("application/x-www-form-urlencoded", "username=ada");
    form.await.expect_fields(&["password"]);
}

#[actix_web::test]
async fn a_second_use_is_refused_at_once_and_ends_the_family_later() {
    let app = App::new().await;
    app.customer("ada");
    let (_, first) = begin(&app, "ada").await;
    let (_, other) = begin(&app, "ada").await;
    let (_, second) = pair(&refresh(&app, &first).await);
    app.clock.advance(10);
    let again = refresh(&app, &first).await.expect(401, "invalid_token");
    let (_, third) = pair(&refresh(&app, &second).await);
    app.clock.advance(1);
    let later = refresh(&app, &first).await.expect(401, "invalid_token");
    let ended = refresh(&app, &third).await.expect(401, "invalid_token");
    let unknown = refresh(&app, "nothing").await.expect(401, "invalid_token");
    for refused in [&again, &later, &ended] {
        assert_eq!(refused.anonymous(), unknown.anonymous());
    }
    pair(&refresh(&app, &other).await);
}

#[actix_web::test]
async fn thirty_at_once_get_one_pair() {
    let app = App::new().await;
    app.customer("ada");
    let (_, first) = begin(&app, "ada").await;
    let all = (0..30).map(|_| refresh(&app, &first));
    let replies = futures_util::future::join_all(all).await;
    let (well, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|r| r.status == 200);
    assert_eq!((well.len(), refused.len()), (1, 29));
    for reply in refused {
        reply.expect(401, "invalid_token");
    }
    let (_, next) = pair(&well[0]);
    pair(&refresh(&app, &next).await);
}

#[actix_web::test]
async fn every_bad_token_gets_the_one_answer() {
    let app = App::new().await;
    app.customer("ada");
    let (access, token) = begin(&app, "ada").await;
    let bad = app.get("/api/cart/").token("bad").send().await;
    let expected = bad.expect(401, "invalid_token").anonymous();
    let long = "x".repeat(60_000);
    let texts = ["x", "..", &access, &long, "Ω", "tpr_", "' OR 1=1 --"];
    for text in texts {
        let reply = refresh(&app, text).await.expect(401, "invalid_token");
        let challenge = reply.header("www-authenticate");
        assert_eq!(challenge, r#"Bearer error="invalid_token""#);
        assert_eq!(reply.anonymous(), expected, "{text}");
    }
    // A refresh token is rejected as an access token, and its verification fails.
    for text in ["x", "..", &token, &long, "Ω"] {
        let reply = verify(&app, text).await.expect(401, "invalid_token");
        assert_eq!(reply.anonymous(), expected, "{text}");
    }
    let reply = app.get("/api/cart/").token(&token).send().await;
    assert_eq!(reply.expect(401, "invalid_token").anonymous(), expected);
    for (path, field) in [
        ("refresh", "refresh"),
        ("revoke", "refresh"),
        ("verify", "token"),
    ] {
        let path = format!("/api/token/{path}/");
        for value in [json!(""), json!(null), json!(1), json!(["x"]), json!("\0")] {
            let body = json!({field: value});
            app.post(&path).json(&body).await.expect_fields(&[field]);
        }
        app.post(&path).send().await.expect_fields(&[field]);
    }
    pair(&refresh(&app, &token).await);
}

#[actix_web::test]
async fn verifying_says_whether_a_token_opens_the_shop() {
    let app = App::new().await;
    let long_lived = app.customer("ada");
    let (access, _) = begin(&app, "ada").await;
    for token in [&access, &long_lived] {
        let reply = verify(&app, token).await.expect_status(200);
        assert_eq!(reply.text(), "{}");
    }
    app.clock.advance(600);
    verify(&app, &access).await.expect(401, "invalid_token");
    verify(&app, &long_lived).await.expect_status(200);
}

#[actix_web::test]
async fn signing_out_ends_the_family_and_no_other() {
    let app = App::new().await;
    app.customer("ada");
    let (_, first) = begin(&app, "ada").await;
    let (_, other) = begin(&app, "ada").await;
    let (access, second) = pair(&refresh(&app, &first).await);
    for token in ["unknown", &access, &second, &second, &first] {
        let reply = revoke(&app, token).await.expect_status(204);
        assert!(reply.body.is_empty());
    }
    refresh(&app, &second).await.expect(401, "invalid_token");
    pair(&refresh(&app, &other).await);
}

#[actix_web::test]
async fn a_refresh_token_ends_a_month_after_it_was_issued() {
    const DAY: i64 = 24 * 60 * 60;
    let app = App::new().await;
    app.customer("ada");
    let (_, mut token) = begin(&app, "ada").await;
    for _ in 0..12 {
        app.clock.advance(30 * DAY - 1);
        (_, token) = pair(&refresh(&app, &token).await);
    }
    // One year after which the password is required again.
    app.clock.advance(5 * DAY + 12);
    refresh(&app, &token).await.expect(401, "invalid_token");
    let (_, token) = begin(&app, "ada").await;
    app.clock.advance(30 * DAY);
    refresh(&app, &token).await.expect(401, "invalid_token");
}

#[actix_web::test]
async fn another_password_ends_every_session() {
    let app = App::new().await;
    let long_lived = app.customer("ada");
    let bob = app.customer("bob");
    let (access, token) = begin(&app, "ada").await;
    let change = |current: &str, new: &str| {
        let body: Value = json!({"current_password": current, "new_password": new});
        let call = app.post("/api/users/me/password/").token(&access);
        async move { call.json(&body).await }
    };
    let wrong = change("wrong", "another horse").await;
    wrong.expect_fields(&["current_password"]);
    for (new, fields) in [
        ("short", &["new_password"][..]),
        ("ADA", &["new_password"]),
        ("iloveyou", &["new_password"]),
        (&*"x".repeat(129), &["new_password"]),
    ] {
        change(PASSWORD, new).await.expect_fields(fields);
    }
    change("", "short")
        .await
        .expect_fields(&["current_password", "new_password"]);
    assert_eq!(
        opens(&app, &access).await,
        200,
        "nothing has changed so far"
    );
    let changed = change(PASSWORD, "another horse").await.expect_status(204);
    assert!(changed.body.is_empty());
    let since = std::time::Instant::now();
    for token in [&access, &long_lived] {
        while opens(&app, token).await != 401 {
            assert!(since.elapsed() < std::time::Duration::from_secs(1));
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        verify(&app, token).await.expect(401, "invalid_token");
    }
    refresh(&app, &token).await.expect(401, "invalid_token");
    assert_eq!(opens(&app, &bob).await, 200);
    let body = json!({"username": "ada", "password": PASSWORD});
    let old = app.post("/api/token/").json(&body).await;
    old.expect(401, "no_active_account");
    let body = json!({"username": "ada", "password": "another horse"});
    pair(&app.post("/api/token/").json(&body).await);
}
