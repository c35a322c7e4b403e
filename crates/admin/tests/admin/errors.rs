//! Error pages, assets, and the root.

use crate::support::App;
use actix_web::http::header::ALLOW;
use tradepost_http::{Settings, Throttling};

#[actix_web::test]
async fn failures_are_pages_that_say_what_to_do() {
    let app = App::new().await;
    let staff = app.staff().await;
    for path in [
        "/admin/none/",
        "/admin/products/99/",
        "/admin/products/x/",
        "/admin/assets/x.css",
    ] {
        let reply = staff.get(path).await.expect(404);
        reply
            .has("Not found")
            .has("To the dashboard")
            .has("request <code>");
    }
    let reply = staff.get("/admin/sign-out/").await.expect(405);
    assert_eq!(reply.headers.get(ALLOW).unwrap(), "POST, OPTIONS");
    let long = "x".repeat(300_000);
    let page = staff.get("/admin/products/new/").await;
    let reply = page.submit(&staff, &[("name", &long)]).await;
    reply.expect(413).has("The body is too large");
}

#[actix_web::test]
async fn pages_are_served_for_allowed_hosts_alone() {
    let app = App::new().await;
    let elsewhere = app.browser().header("Host", "evil.example");
    let paths = [
        "/",
        "/admin/",
        "/admin/sign-in/",
        "/admin/products/1/",
        "/admin/none/",
    ];
    for path in paths {
        let reply = elsewhere.get(path).await;
        assert_eq!(reply.status, 400, "{path}");
    }
    let posted = elsewhere
        .post("/admin/sign-in/", &[("username", "grace")])
        .await;
    assert_eq!(posted.status, 400);
}

#[actix_web::test]
async fn requests_are_counted_by_the_patterns_of_their_routes() {
    let app = App::new().await;
    let staff = app.staff().await;
    staff.get("/admin/products/99/").await.expect(404);
    let metrics = staff.get("/metrics").await.expect(200);
    for route in ["/admin/products/{id}/", "/admin/sign-in/"] {
        let line = format!("http_requests_total{{route=\"{route}\"");
        assert!(metrics.text.contains(&line), "{route}");
    }
}

#[actix_web::test]
async fn errors_of_the_api_stay_json() {
    let app = App::new().await;
    let reply = app.browser().get("/api/none/").await.expect(404);
    assert_eq!(reply.header("content-type"), "application/json");
    assert!(reply.text.contains("\"code\":\"not_found\""));
}

#[actix_web::test]
async fn too_many_requests_are_a_page_too() {
    let throttling = Throttling {
        user: 10,
        address: 10,
        network: 50,
    };
    let settings = Settings {
        throttling: Some(throttling),
        ..Settings::default()
    };
    let app = App::with(settings, true).await;
    let browser = app.browser();
    let mut last = browser.get("/admin/sign-in/").await;
    for _ in 0..10 {
        last = browser.get("/admin/sign-in/").await;
    }
    let last = last.expect(429).has("Too many requests").has("Wait ");
    assert!(!last.header("retry-after").is_empty());
}

#[actix_web::test]
async fn assets_are_kept_by_browsers_and_small() {
    let app = App::new().await;
    let browser = app.browser();
    let page = browser.get("/admin/sign-in/").await;
    let mut size = page.text.len();
    for start in ["rel=\"stylesheet\" href=\"", "<script src=\""] {
        let path = page
            .text
            .split(start)
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let asset = browser.get(path).await.expect(200);
        assert_eq!(
            asset.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        size += asset.text.len();
    }
    assert!(size < 100_000, "{size}");
}

#[actix_web::test]
async fn the_root_is_a_page_for_browsers_alone() {
    let app = App::new().await;
    let reply = app.browser().get("/").await.expect(200);
    reply
        .has("Welcome to Tradepost")
        .has("href=\"/admin/\"")
        .has("href=\"/api/docs/\"");
    let client = app.browser().header("Accept", "application/json");
    let reply = client.get("/").await.expect(404);
    assert_eq!(reply.header("content-type"), "application/json");
}
