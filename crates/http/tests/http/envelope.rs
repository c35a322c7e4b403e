//! Properties of all responses: request ids, hosts, proxies, CORS, error format.

use crate::support::{App, memory, settings};
use actix_web::http::Method;
use tradepost_http::{PublicUrl, Settings};

#[actix_web::test]
async fn a_safe_request_id_is_echoed_and_another_is_replaced() {
    let app = App::new().await;
    let long = "x".repeat(128);
    for id in ["a", "Req-1._", &long] {
        for path in ["/api/products/", "/api/cart/", "/nothing/"] {
            let reply = app.get(path).header("X-Request-ID", id).send().await;
            assert_eq!(reply.header("x-request-id"), id);
        }
    }
    let longer = "x".repeat(129);
    for id in ["", "a b", "a;b", "<script>", "a\tb", &longer] {
        let reply = app
            .get("/api/cart/")
            .header("X-Request-ID", id)
            .send()
            .await;
        let made = reply.header("x-request-id");
        assert!(made != id && made.len() >= 16, "{id:?} {made:?}");
    }
    let (one, other) = (app.get("/api/").send().await, app.get("/api/").send().await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[actix_web::test]
async fn errors_are_problem_json_on_request() {
    let app = App::new().await;
    for (accept, media) in [
        ("application/problem+json", "application/problem+json"),
        (
            "application/json, application/problem+json;q=0.9",
            "application/problem+json",
        ),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
    ] {
        let reply = app.get("/api/cart/").header("Accept", accept).send().await;
        assert_eq!(reply.header("content-type"), media, "{accept}");
        let fine = app.get("/api/").header("Accept", accept).send().await;
        assert_eq!(fine.header("content-type"), "application/json", "{accept}");
    }
}

#[actix_web::test]
async fn hosts_that_are_not_served_are_400() {
    let app = App::new().await;
    for host in ["shop", "SHOP", "shop:8000"] {
        let reply = app
            .get("/api/")
            .host(Some(host))
            .send()
            .await
            .expect_status(200);
        assert_eq!(reply.json()["cart"], format!("http://{host}/api/cart/"));
    }
    for host in [
        None,
        Some(""),
        Some("evil"),
        Some("shop.evil"),
        Some("evil@shop"),
        Some("shop:x"),
    ] {
        for (method, path) in [
            ("GET", "/api/"),
            ("POST", "/api-token-auth/"),
            ("OPTIONS", "/api/"),
            ("GET", "/x"),
        ] {
            let call = app.call(method.parse().unwrap(), path).host(host);
            call.send().await.expect(400, "bad_host");
        }
    }
    // Only a trusted proxy can name another host.
    let lie = app
        .get("/api/")
        .header("X-Forwarded-Host", "evil")
        .send()
        .await
        .expect_status(200);
    assert_eq!(lie.json()["cart"], "http://shop/api/cart/");
    let lie = app
        .get("/api/")
        .host(Some("evil"))
        .header("X-Forwarded-Host", "shop")
        .send()
        .await;
    lie.expect(400, "bad_host");
}

#[actix_web::test]
async fn any_host_is_still_a_host() {
    let any = Settings {
        allowed_hosts: vec!["*".to_owned()],
        ..settings()
    };
    let app = App::with(memory(), any).await;
    let reply = app
        .get("/api/")
        .host(Some("[2001:db8::1]:81"))
        .send()
        .await
        .expect_status(200);
    assert_eq!(reply.json()["cart"], "http://[2001:db8::1]:81/api/cart/");
    for host in [None, Some("a/b"), Some("a\"b"), Some("a b")] {
        app.get("/api/")
            .host(host)
            .send()
            .await
            .expect(400, "bad_host");
    }
}

#[actix_web::test]
async fn a_trusted_proxy_says_where_a_request_came_in() {
    let trusting = Settings {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..settings()
    };
    let app = App::with(memory(), trusting).await;
    let through = |peer: &str| {
        let call = app.get("/api/").host(Some("inner")).peer(peer);
        let call = call.header("X-Forwarded-Host", "shop");
        call.header("X-Forwarded-Proto", "https")
    };
    let reply = through("10.1.2.3:99").send().await.expect_status(200);
    assert_eq!(reply.json()["cart"], "https://shop/api/cart/");
    through("127.0.0.1:99").send().await.expect(400, "bad_host");
    let other = app.get("/api/").host(Some("shop")).peer("10.1.2.3:99");
    other
        .header("X-Forwarded-Host", "evil")
        .send()
        .await
        .expect(400, "bad_host");
}

#[actix_web::test]
async fn the_public_url_makes_the_links() {
    let public = Settings {
        public_url: PublicUrl::parse("https://shop.example.org/front/").ok(),
        ..settings()
    };
    let app = App::with(memory(), public).await;
    let staff = app.staff("boss");
    for _ in 0..11 {
        app.product(&staff, "1.00", 1).await;
    }
    let page = app.get("/api/products/").send().await.json();
    let url = "https://shop.example.org/front/api/products/";
    assert_eq!(page["next"], format!("{url}?page=2"));
    let product = serde_json::json!({"name": "Cup", "price": 1});
    let made = app
        .post("/api/products/")
        .token(&staff)
        .json(&product)
        .await;
    assert_eq!(made.header("location"), format!("{url}12/"));
}

#[actix_web::test]
async fn cors_is_for_the_origins_that_are_allowed() {
    let origins = vec!["https://front.example.org".to_owned()];
    let app = App::with(
        memory(),
        Settings {
            allowed_origins: origins,
            ..settings()
        },
    )
    .await;
    let preflight = |origin: &str, headers: &str| {
        app.call(Method::OPTIONS, "/api/orders/")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", headers)
    };
    let origin = "https://front.example.org";
    let asked = "authorization,content-type,idempotency-key,if-match";
    let reply = preflight(origin, asked).send().await.expect_status(200);
    assert_eq!(reply.header("access-control-allow-origin"), origin);
    for header in asked.split(',') {
        let allowed = reply.header("access-control-allow-headers").to_lowercase();
        assert!(allowed.contains(header), "{header}");
    }
    assert_eq!(reply.header("access-control-allow-credentials"), "true");
    let others = preflight(origin, "x-csrftoken, baggage").send().await;
    let allowed = others
        .expect_status(200)
        .header("access-control-allow-headers");
    assert!(
        allowed.contains("x-csrftoken") && allowed.contains("baggage"),
        "{allowed}"
    );
    for method in ["TRACE", "LINK"] {
        let refused = app
            .call(Method::OPTIONS, "/api/orders/")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", method);
        refused.send().await.expect(400, "bad_request");
    }
    {
        let refused = preflight("https://evil.example.org", asked).send().await;
        let refused = refused.expect(400, "bad_request");
        assert!(refused.text().contains("Pages of this origin"));
        assert!(refused.header("vary").contains("Origin"));
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }

    // A page can read errors as well as successes, including that for a host that is not served.
    let elsewhere = app
        .get("/api/")
        .host(Some("other.example"))
        .header("Origin", origin);
    let elsewhere = elsewhere.send().await.expect(400, "bad_host");
    assert_eq!(elsewhere.header("access-control-allow-origin"), origin);
    for path in ["/api/products/", "/api/cart/", "/nothing/"] {
        let reply = app.get(path).header("Origin", origin).send().await;
        assert_eq!(
            reply.header("access-control-allow-origin"),
            origin,
            "{path}"
        );
        let exposed = reply.header("access-control-expose-headers").to_lowercase();
        for header in [
            "x-request-id",
            "location",
            "retry-after",
            "etag",
            "idempotent-replayed",
        ] {
            assert!(exposed.contains(header), "{header}");
        }
        let other = app
            .get(path)
            .header("Origin", "https://evil.example.org")
            .send()
            .await;
        assert_eq!(other.header("access-control-allow-origin"), "", "{path}");
    }
    let plain = app
        .call(Method::OPTIONS, "/api/orders/")
        .send()
        .await
        .expect_status(200);
    assert_eq!(plain.header("allow"), "GET, HEAD, POST, OPTIONS");
}

#[actix_web::test]
async fn origins_of_native_front_ends_are_allowed_and_a_star_gives_no_credentials() {
    let with = |origin: &str| {
        let allowed_origins = vec![origin.to_owned()];
        App::with(
            memory(),
            Settings {
                allowed_origins,
                ..settings()
            },
        )
    };
    for origin in [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
    ] {
        let app = with(origin).await;
        let reply = app.get("/api/").header("Origin", origin).send().await;
        assert_eq!(reply.header("access-control-allow-origin"), origin);
        assert_eq!(reply.header("access-control-allow-credentials"), "true");
    }
    let any = with("*").await;
    let reply = any
        .get("/api/")
        .header("Origin", "https://a.example")
        .send()
        .await;
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("access-control-allow-credentials"), "");
}

#[actix_web::test]
async fn without_allowed_origins_there_is_no_cors() {
    let app = App::new().await;
    let reply = app
        .get("/api/")
        .header("Origin", "https://front.example.org")
        .send()
        .await;
    assert!(
        reply
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("access-control"))
    );
}
