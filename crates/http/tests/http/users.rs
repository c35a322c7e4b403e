//! The caller's own account, and user administration by staff.

use crate::support::{App, PASSWORD, settings};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn names(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().unwrap().iter();
    results
        .map(|user| user["username"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn ones_own_account_is_shown_and_its_address_changed() {
    let app = App::new().await;
    let ada = app.customer("ada");
    app.customer("bob");
    let own = app.get("/api/users/me").token(&ada).send().await;
    let before = own.expect_status(200).json();
    let expected = json!({
        "id": 1, "username": "ada", "email": "ada@example.org", "is_staff": false,
        "is_active": true, "created_at": "2023-11-14T22:13:20.000250Z",
    });
    assert_eq!(before, expected);
    let change = |body: Value| {
        let call = app.patch("/api/users/me/").token(&ada);
        async move { call.json(&body).await }
    };
    let taken = change(json!({"email": "BOB@example.org", "current_password": PASSWORD})).await;
    taken.expect_fields(&["email"]);
    for wrong in [
        json!(null),
        json!(""),
        json!("ada"),
        json!(1),
        json!("a\0@b.co"),
    ] {
        change(json!({"email": wrong, "current_password": PASSWORD}))
            .await
            .expect_fields(&["email"]);
    }
    assert_eq!(change(json!({})).await.expect_status(200).json(), before);
    // Fields that a customer may not change are ignored.
    let reply = change(json!({
        "email": " Countess@example.org ", "current_password": PASSWORD, "is_staff": true, "is_active": false, "id": 2,
        "username": "boss", "password": "x", "session_epoch": 9, "created_at": null,
    }));
    let mut expected = before;
    expected["email"] = json!("Countess@example.org");
    assert_eq!(reply.await.expect_status(200).json(), expected);
    let own = app.get("/api/users/me/").token(&ada).send().await;
    assert_eq!(own.expect_status(200).json(), expected);
}

#[actix_web::test]
async fn a_new_address_needs_the_current_password() {
    let app = App::new().await;
    let ada = app.customer("ada");
    app.customer("bob");
    let change = |body: Value| {
        let call = app.patch("/api/users/me/").token(&ada);
        async move { call.json(&body).await }
    };
    // The response is the same whether the address is taken or free.
    for email in ["new@example.org", "bob@example.org"] {
        for wrong in [json!("wrong"), json!(""), json!(null)] {
            let body = json!({"email": email, "current_password": wrong});
            let reply = change(body).await;
            reply.expect_fields(&["current_password"]);
        }
        let missing = change(json!({"email": email})).await;
        missing.expect_fields(&["current_password"]);
    }
    // The current address is no change, as clients send back all fields of a response.
    for body in [json!({"email": "ada@example.org"}), json!({})] {
        let same = change(body).await.expect_status(200).json();
        assert_eq!(same["email"], "ada@example.org");
    }
    let body = json!({"email": "new@example.org", "current_password": PASSWORD});
    let changed = change(body).await.expect_status(200).json();
    assert_eq!(changed["email"], "new@example.org");
}

#[actix_web::test]
async fn staff_list_and_search_users() {
    let app = App::new().await;
    let boss = app.staff("boss");
    for name in ["ada", "Élodie", "bob_b", "bobxb"] {
        app.customer(name);
    }
    let listed = async |query: &str| {
        let path = format!("/api/users/{query}");
        let reply = app.get(&path).token(&boss).send().await;
        reply.expect_status(200).json()
    };
    let page = listed("?page_size=2").await;
    assert_eq!(names(&page), ["bobxb", "bob_b"]);
    assert_eq!(page["count"], 5);
    assert_eq!(page["next"], "http://shop/api/users/?page=2&page_size=2");
    assert_eq!(page["previous"], Value::Null);
    for (query, expected) in [
        ("?search=ADA", &["ada"][..]),
        ("?search=%20b_b%20", &["bob_b"]),
        ("?search=%C3%A9LO", &["Élodie"]),
        ("?search=ss%40EXAMPLE", &["boss"]),
        ("?search=%25", &[]),
        ("?search=", &["bobxb", "bob_b", "Élodie", "ada", "boss"]),
        ("?search=%20&page_size=1", &["bobxb"]),
    ] {
        assert_eq!(names(&listed(query).await), expected, "{query}");
    }
    let wrong = app.get("/api/users/?page_size=x&search=%00").token(&boss);
    wrong.send().await.expect_fields(&["page_size", "search"]);
    let linked = listed("?search=example&page_size=4").await;
    let next = "http://shop/api/users/?page=2&search=example&page_size=4";
    assert_eq!(linked["next"], next);
    let long = format!("?search={}", "x".repeat(255));
    for query in ["?search=a%00b", "?search=%0Ax%0Ay", &long] {
        let path = format!("/api/users/{query}");
        let reply = app.get(&path).token(&boss).send().await;
        reply.expect_fields(&["search"]);
    }
    let beyond = app.get("/api/users/?page=2").token(&boss).send().await;
    beyond.expect(404, "not_found");
}

/// The session cache, which keeps a user for less than a second, permits no lasting effect.
#[actix_web::test]
async fn a_cached_session_permits_no_lasting_effect() {
    let app = App::new().await;
    let (boss, mallory) = (app.staff("boss"), app.staff("mallory"));
    let ada = app.customer("ada");
    let other = App::with(app.stores.clone(), settings()).await;
    let promote = async |app: &App, user: u32| {
        let path = format!("/api/users/{user}/");
        let body = json!({"is_staff": true, "is_active": true});
        app.patch(&path).token(&mallory).json(&body).await
    };
    for app in [&app, &other] {
        let known = app.get("/api/users/").token(&mallory).send().await;
        known.expect_status(200);
    }
    app.patch("/api/users/2/")
        .token(&boss)
        .json(&json!({"is_staff": false}))
        .await
        .expect_status(200);
    for app in [&app, &other] {
        for user in [2, 3] {
            promote(app, user).await.expect(403, "forbidden");
        }
        app.post("/api/products/")
            .token(&mallory)
            .json(&json!({"name": "Mug", "price": "1.00"}))
            .await
            .expect(403, "forbidden");
    }
    // The server that made the change knows at once.
    let users = app.get("/api/users/").token(&mallory).send().await;
    users.expect(403, "forbidden");

    let known = other.get("/api/cart/").token(&ada).send().await;
    known.expect_status(200);
    app.patch("/api/users/3/")
        .token(&boss)
        .json(&json!({"is_active": false}))
        .await
        .expect_status(200);
    let email = json!({"email": "mallory@example.org", "current_password": PASSWORD});
    let change = other.patch("/api/users/me/").token(&ada).json(&email).await;
    change.expect(401, "invalid_token");
    let password = json!({"current_password": PASSWORD, "new_password": "another-horse"});
    let change = other.post("/api/users/me/password/").token(&ada);
    change.json(&password).await.expect(401, "invalid_token");
}

#[actix_web::test]
async fn user_updates_by_staff_take_effect_within_a_second() {
    let app = App::new().await;
    let (boss, ada) = (app.staff("boss"), app.customer("ada"));
    let switch = async |id: &str, body: Value| {
        let path = format!("/api/users/{id}/");
        app.patch(&path).token(&boss).json(&body).await
    };
    let user = app.get("/api/users/2/").token(&boss).send().await;
    let before = user.expect_status(200).json();
    assert_eq!(
        (&before["id"], &before["username"]),
        (&json!(2), &json!("ada"))
    );
    for id in ["0", "-1", "abc", "9223372036854775808", "77", "ME"] {
        let path = format!("/api/users/{id}/");
        app.get(&path)
            .token(&boss)
            .send()
            .await
            .expect(404, "not_found");
        switch(id, json!({"is_staff": true}))
            .await
            .expect(404, "not_found");
    }
    let wrong = json!({"is_active": 1, "is_staff": "true"});
    let reply = switch("2", wrong).await;
    reply.expect_fields(&["is_active", "is_staff"]);
    let reply = switch("2", json!({"is_active": null})).await;
    reply.expect_fields(&["is_active"]);
    let others = json!({"username": "x", "email": "x@example.org", "password": "x", "id": 1});
    assert_eq!(switch("2", others).await.expect_status(200).json(), before);

    let is_staff = async |token: &str| {
        let reply = app.get("/api/users/").token(token).send().await;
        reply.status
    };
    for (body, expected) in [
        (json!({"is_staff": true}), 200),
        (json!({"is_staff": false}), 403),
        (json!({"is_active": false}), 401),
    ] {
        let switched = switch("2", body.clone()).await.expect_status(200).json();
        for (field, value) in body.as_object().unwrap() {
            assert_eq!(switched[field], *value);
        }
        let since = Instant::now();
        while is_staff(&ada).await != expected {
            assert!(since.elapsed() < Duration::from_secs(1), "{body}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let back = switch("2", json!({"is_active": true})).await;
    back.expect_status(200);
    assert_eq!(is_staff(&ada).await, 401, "what has ended stays so");
}

#[actix_web::test]
async fn the_last_staff_user_stays() {
    let app = App::new().await;
    let boss = app.staff("boss");
    let switch = async |body: Value| app.patch("/api/users/1/").token(&boss).json(&body).await;
    for body in [
        json!({"is_staff": false}),
        json!({"is_active": false}),
        json!({"is_active": false, "is_staff": false}),
    ] {
        switch(body).await.expect(409, "last_staff");
    }
    switch(json!({"is_active": true, "is_staff": true}))
        .await
        .expect_status(200);
    app.staff("other");
    switch(json!({"is_staff": false})).await.expect_status(200);
}

#[actix_web::test]
async fn customers_see_no_users_but_themselves() {
    let app = App::new().await;
    app.staff("boss");
    let ada = app.customer("ada");
    for id in ["1", "2", "77"] {
        let path = format!("/api/users/{id}/");
        let reply = app.get(&path).token(&ada).send().await;
        reply.expect(403, "forbidden");
        app.get(&path).send().await.expect(401, "not_authenticated");
    }
    let search = app.get("/api/users/?search=a%00").token(&ada).send().await;
    search.expect(403, "forbidden");
}
