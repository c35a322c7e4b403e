//! Sign-in, registration, and the `Authorization` header.

use crate::support::{App, PASSWORD, memory, settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tradepost_domain::Stores;
use tradepost_domain::identity::{MockAccountRepository, UpdateUser, UserChange};
use tradepost_domain::kernel::UserId;

const MULTIPART: &str = "multipart/form-data; boundary=XX";

fn multipart(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!(
            "--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body + "--XX--\r\n"
}

#[actix_web::test]
async fn a_token_is_issued_for_json_and_either_form() {
    let app = App::new().await;
    app.customer("ada");
    let json = json!({"username": "ADA", "password": PASSWORD, "is_staff": true}).to_string();
    let form = "username=ada&password=correct+horse%20battery".to_owned();
    let parts = multipart(&[("username", "ada"), ("password", PASSWORD)]);
    for (media, body) in [
        ("application/json", json),
        ("application/x-www-form-urlencoded", form),
        (MULTIPART, parts),
    ] {
        // A stale token must not prevent signing in.
        let call = app.post("/api-token-auth/").token("stale");
        let reply = call.body(media, body).await.expect_status(200).json();
        let token = reply["token"].as_str().unwrap();
        assert_eq!(reply.as_object().unwrap().len(), 1);
        app.get("/api/cart/")
            .token(token)
            .send()
            .await
            .expect_status(200);
    }
}

#[actix_web::test]
async fn wrong_credentials_are_400_in_the_words_that_clients_know() {
    let app = App::new().await;
    app.customer("ada");
    for (username, password) in [
        ("ada", "wrong"),
        ("nobody", PASSWORD),
        ("ada ", "x"),
        ("ada", " "),
    ] {
        let body = json!({"username": username, "password": password});
        let reply = app.post("/api-token-auth").json(&body).await;
        let reply = reply.expect(400, "invalid_credentials").json();
        let words = json!(["Unable to log in with provided credentials."]);
        assert_eq!(reply["non_field_errors"], words);
    }
}

#[actix_web::test]
async fn missing_fields_are_named_in_every_encoding() {
    let app = App::new().await;
    let post = |media: &'static str, body: String| app.post("/api-token-auth/").body(media, body);
    let urlencoded = "application/x-www-form-urlencoded";
    for (media, body, fields) in [
        (
            "application/json",
            "{}".to_owned(),
            &["password", "username"][..],
        ),
        (
            "application/json",
            r#"{"username": 1, "password": null}"#.to_owned(),
            &["password", "username"],
        ),
        (
            "application/json",
            r#"{"username": "a\u0000", "password": ""}"#.to_owned(),
            &["password", "username"],
        ),
        (urlencoded, "username=ada".to_owned(), &["password"]),
        (
            urlencoded,
            "username=a%00&password=x".to_owned(),
            &["username"],
        ),
        (MULTIPART, multipart(&[("password", "x")]), &["username"]),
    ] {
        post(media, body).await.expect_fields(fields);
    }
    app.post("/api-token-auth/")
        .send()
        .await
        .expect_fields(&["password", "username"]);
    for (media, body) in [
        ("application/json", "{"),
        ("application/json", "[]"),
        (MULTIPART, "--YY\r\n"),
        (
            MULTIPART,
            "--XX\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nada",
        ),
        (MULTIPART, "--XX\r\n\r\nada\r\n--XX--\r\n"),
        ("multipart/form-data", "x"),
    ] {
        post(media, body.to_owned())
            .await
            .expect(400, "malformed_body");
    }
    let bytes = app
        .post("/api-token-auth/")
        .body(urlencoded, &b"username=\xff"[..])
        .await;
    bytes.expect(400, "malformed_body");
    post("text/plain", "x".to_owned())
        .await
        .expect(415, "unsupported_media_type");
}

#[actix_web::test]
async fn each_authorization_header_is_accepted_or_challenged() {
    let app = App::new().await;
    let ada = app.customer("ada");
    for (header, status, code) in [
        (format!("Bearer {ada}"), 200, ""),
        (format!("bearer {ada}"), 200, ""),
        (format!("Token {ada}"), 200, ""),
        (format!("JWT {ada}"), 200, ""),
        (format!("jwt   {ada}"), 200, ""),
        (format!("Basic {ada}"), 401, "not_authenticated"),
        ("Negotiate".to_owned(), 401, "not_authenticated"),
        (ada.clone(), 401, "not_authenticated"),
        ("Bearer".to_owned(), 401, "invalid_token"),
        ("Bearer x".to_owned(), 401, "invalid_token"),
        (format!("Token {ada} {ada}"), 401, "invalid_token"),
    ] {
        let reply = app
            .get("/api/cart/")
            .header("Authorization", &header)
            .send()
            .await;
        assert_eq!(reply.status, status, "{header}");
        let public = app
            .get("/api/products/")
            .header("Authorization", &header)
            .send()
            .await;
        let bad = code == "invalid_token";
        assert_eq!(public.status, if bad { 401 } else { 200 }, "{header}");
        if status == 401 {
            let challenge = if bad {
                r#"Bearer error="invalid_token""#
            } else {
                "Bearer"
            };
            assert_eq!(reply.header("www-authenticate"), challenge);
            reply.expect(401, code);
        }
    }
    app.get("/api/cart/")
        .send()
        .await
        .expect(401, "not_authenticated");
}

#[actix_web::test]
async fn a_token_ends() {
    let app = App::new().await;
    let (boss, ada) = (app.staff("boss"), app.customer("ada"));
    let cart = |token: &str| app.get("/api/cart/").token(token).send();
    cart(&ada).await.expect_status(200);
    let off = UpdateUser {
        by: None,
        user: UserId::new(2).unwrap(),
        change: UserChange {
            is_active: Some(false),
            is_staff: None,
        },
        at: chrono::DateTime::UNIX_EPOCH,
    };
    app.stores.accounts.switch(off).unwrap();
    // Within one second.
    let switched = Instant::now();
    while cart(&ada).await.status != 401 {
        assert!(switched.elapsed() < Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cart(&ada).await.expect(401, "invalid_token");
    let sign_in = json!({"username": "ada", "password": PASSWORD});
    let refused = app.post("/api-token-auth/").json(&sign_in).await;
    refused.expect(400, "invalid_credentials");
    app.clock.advance(3_599);
    cart(&boss).await.expect_status(200);
    app.clock.advance(1);
    cart(&boss).await.expect(401, "invalid_token");
    app.get("/api/products/")
        .token(&boss)
        .send()
        .await
        .expect(401, "invalid_token");
}

/// Successive requests cause one lookup: all but the first succeed without the store.
#[actix_web::test]
async fn successive_requests_of_a_session_are_looked_up_once() {
    let known = memory();
    let counted = Arc::new(AtomicUsize::new(0));
    let (accounts, count) = (known.accounts.clone(), Arc::clone(&counted));
    let mut repository = MockAccountRepository::new();
    repository.expect_find_all().returning(move |users| {
        count.fetch_add(1, Ordering::Relaxed);
        accounts.find_all(users)
    });
    let (ada, bob) = {
        let app = App::with(known.clone(), settings()).await;
        (app.customer("ada"), app.customer("bob"))
    };
    let stores = Stores {
        accounts: Arc::new(repository),
        ..known
    };
    let app = App::with(stores, settings()).await;
    let began = Instant::now();
    for _ in 0..20 {
        for token in [&ada, &bob] {
            let reply = app.get("/api/cart/").token(token).send().await;
            reply.expect_status(200);
        }
    }
    // The access is checked on each request.
    let refused = app.get("/api/users/").token(&ada).send().await;
    refused.expect(403, "forbidden");
    let looked_up = || counted.load(Ordering::Relaxed);
    let lives = 1 + began.elapsed().as_millis() / 900;
    assert!(u128::try_from(looked_up()).unwrap() <= 2 * lives, "{lives}");
    // Staff edits bypass the session cache.
    let before = looked_up();
    let product = json!({"name": "Cup", "price": 1});
    let refused = app.post("/api/products/").token(&ada).json(&product).await;
    refused.expect(403, "forbidden");
    assert_eq!(looked_up(), before + 1);
    // A rejection is not cached.
    for _ in 0..2 {
        let forged = "plain.9.0.9999999999";
        let reply = app.get("/api/cart/").token(forged).send().await;
        reply.expect(401, "invalid_token");
    }
    assert_eq!(looked_up(), before + 3);
    // An expired token is rejected without a lookup.
    app.clock.advance(3_600);
    let reply = app.get("/api/cart/").token(&ada).send().await;
    reply.expect(401, "invalid_token");
    assert_eq!(looked_up(), before + 3);
}

#[actix_web::test]
async fn registered_users_are_customers() {
    let app = App::new().await;
    app.staff("boss");
    let user = json!({
        "username": " ada ", "email": "Ada@example.org", "password": PASSWORD,
        "is_staff": true, "id": 77, "is_active": false,
    });
    let reply = app
        .post("/api/register/")
        .json(&user)
        .await
        .expect_status(201);
    let expected = concat!(
        r#"{"id":2,"username":"ada","email":"Ada@example.org","is_staff":false,"#,
        r#""is_active":true,"created_at":"2023-11-14T22:13:20.000250Z"}"#
    );
    assert_eq!(reply.text(), expected);
    let sign_in = json!({"username": "Ada", "password": PASSWORD});
    let token = app
        .post("/api-token-auth/")
        .json(&sign_in)
        .await
        .expect_status(200)
        .json();
    let product = json!({"name": "Cup", "price": 1});
    let staff_only = app
        .post("/api/products/")
        .token(token["token"].as_str().unwrap());
    staff_only.json(&product).await.expect(403, "forbidden");

    let again = json!({"username": "ADA", "email": "ADA@EXAMPLE.ORG", "password": PASSWORD});
    let taken = app.post("/api/register/").json(&again).await;
    taken.expect_fields(&["email", "username"]);
}

#[actix_web::test]
async fn all_errors_of_a_registration_are_listed() {
    let app = App::new().await;
    let fine = json!({"username": "ada", "email": "ada@example.org", "password": PASSWORD});
    for (field, value, fields) in [
        ("username", Value::Null, &["username"][..]),
        ("username", json!(""), &["username"]),
        ("username", json!("a b"), &["username"]),
        ("username", json!("a".repeat(151)), &["username"]),
        ("username", json!(7), &["username"]),
        ("email", json!("ada"), &["email"]),
        ("email", json!(""), &["email"]),
        ("password", json!("short"), &["password"]),
        ("password", json!("password1"), &["password"]),
        ("password", json!("x".repeat(129)), &["password"]),
        ("password", json!("trust\u{0}no1x"), &["password"]),
        ("password", json!("ADA"), &["password"]),
    ] {
        let mut user = fine.clone();
        user[field] = value;
        app.post("/api/register/")
            .json(&user)
            .await
            .expect_fields(fields);
    }
    let all = app.post("/api/register/").json(&json!({})).await;
    all.expect_fields(&["email", "password", "username"]);
    let name = json!({"username": "ada.lovelace", "email": "a@b.co", "password": "Ada.Lovelace"});
    app.post("/api/register/")
        .json(&name)
        .await
        .expect_fields(&["password"]);
    app.post("/api/register/")
        .json(&fine)
        .await
        .expect_status(201);
}
