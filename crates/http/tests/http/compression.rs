//! Compression of responses: which ones, for which clients, and their headers.

use crate::support::{App, PASSWORD, Reply};
use actix_web::http::Method;
use serde_json::json;

/// A text that makes a product larger than the minimum.
fn long_text() -> String {
    "Thrown on the wheel, glazed twice, and fired for a day. ".repeat(20)
}

struct Shop {
    app: App,
    staff: String,
    ada: String,
}

/// A shop with a small product, a large one, and a cart with both of them.
async fn shop() -> Shop {
    let app = App::new().await;
    let (staff, ada) = (app.staff("grace"), app.customer("ada"));
    app.product(&staff, "1.00", 9).await;
    let large = json!({"name": "Jug", "price": "2.00", "stock": 9, "description": long_text()});
    let made = app.post("/api/products/").token(&staff).json(&large).await;
    made.expect_status(201);
    for product in [1, 2] {
        app.fill(&ada, product, 1).await;
    }
    Shop { app, staff, ada }
}

impl Shop {
    async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Reply {
        let mut call = self.app.call(method, path).token(&self.ada);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        call.send().await
    }

    async fn get(&self, path: &str, coding: &str) -> Reply {
        self.ask(Method::GET, path, &[("Accept-Encoding", coding)])
            .await
    }
}

const LARGE: [&str; 6] = [
    "/api/products/2/",
    "/api/products/",
    "/api/products/?cursor=&ordering=name",
    "/api/cart/",
    "/api/cart/2/",
    "/api/schema/",
];

#[actix_web::test]
async fn large_responses_are_compressed_for_clients_that_prefer_it() {
    let shop = shop().await;
    for path in LARGE {
        let plain = shop.app.get(path).token(&shop.ada).send().await;
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert_eq!(plain.header("vary"), "Accept-Encoding", "{path}");
        for (coding, is_packed) in [
            ("gzip", true),
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.2", true),
            ("*", true),
            ("identity;q=0, *;q=0.1", true),
            ("identity", false),
            ("br, deflate", false),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip;q=0.5, identity", false),
            ("*;q=0", false),
            ("", false),
        ] {
            let reply = shop.get(path, coding).await.expect_status(200);
            let encoding = if is_packed { "gzip" } else { "" };
            assert_eq!(
                reply.header("content-encoding"),
                encoding,
                "{path} {coding}"
            );
            assert_eq!(reply.header("vary"), "Accept-Encoding", "{path} {coding}");
            assert_eq!(reply.decoded(), plain.body, "{path} {coding}");
            assert_eq!(reply.body.len() < plain.body.len(), is_packed, "{path}");
            let media = reply.header("content-type");
            assert_eq!(media, plain.header("content-type"), "{path} {coding}");
        }
    }
}

#[actix_web::test]
async fn small_responses_are_compressed_only_if_nothing_else_is_acceptable() {
    let shop = shop().await;
    for path in [
        "/api/products/1/",
        "/api/cart/1/",
        "/api/",
        "/api/users/me/",
    ] {
        for (coding, encoding) in [("gzip", ""), ("gzip, identity;q=0", "gzip")] {
            let reply = shop.get(path, coding).await.expect_status(200);
            assert!(reply.decoded().len() <= 1_024, "{path} is large");
            assert_eq!(
                reply.header("content-encoding"),
                encoding,
                "{path} {coding}"
            );
            assert_eq!(reply.header("vary"), "Accept-Encoding", "{path} {coding}");
        }
    }
}

#[actix_web::test]
async fn head_has_the_headers_of_get_in_each_coding() {
    let shop = shop().await;
    for path in LARGE {
        for coding in ["gzip", "identity"] {
            let accepts = [("Accept-Encoding", coding)];
            let get = shop.ask(Method::GET, path, &accepts).await;
            let head = shop.ask(Method::HEAD, path, &accepts).await;
            for name in ["content-encoding", "content-type", "etag", "vary"] {
                assert_eq!(
                    head.header(name),
                    get.header(name),
                    "{path} {coding} {name}"
                );
            }
            assert!(head.body.is_empty() && !get.body.is_empty());
        }
    }
}

#[actix_web::test]
async fn each_representation_has_a_tag_of_its_own_and_both_are_one_state() {
    let shop = shop().await;
    for path in ["/api/products/2/", "/api/cart/2/", "/api/schema/"] {
        let plain = shop.get(path, "identity").await.header("etag");
        let packed = shop.get(path, "gzip").await.header("etag");
        assert_eq!(packed, format!("{}-gzip\"", plain.trim_end_matches('"')));
        for (held, coding, status) in [
            (&plain, "gzip", 304),
            (&plain, "identity", 304),
            (&packed, "gzip", 304),
            // A client that does not decode gzip has no use for the compressed representation.
            (&packed, "identity", 200),
            (&packed, "*;q=0", 200),
        ] {
            let headers = [("Accept-Encoding", coding), ("If-None-Match", held)];
            let reply = shop.ask(Method::GET, path, &headers).await;
            assert_eq!(reply.status, status, "{path} {held} {coding}");
            // A 304 names the representation that the client holds.
            let named = if status == 304 { held } else { &plain };
            assert_eq!(reply.header("etag"), *named, "{path} {held} {coding}");
            assert_eq!(reply.header("vary"), "Accept-Encoding");
            if status == 304 {
                assert!(reply.body.is_empty() && reply.header("content-encoding").is_empty());
            }
        }
        // Without Accept-Encoding every coding is acceptable.
        let reply = shop
            .ask(Method::GET, path, &[("If-None-Match", &*packed)])
            .await;
        assert_eq!((reply.status, reply.header("etag")), (304, packed.clone()));
        let weak = format!("W/{packed}");
        let reply = shop
            .ask(Method::GET, path, &[("If-None-Match", &*weak)])
            .await;
        assert_eq!(reply.status, 304);
    }
}

#[actix_web::test]
async fn a_tag_of_either_representation_permits_an_edit() {
    let shop = shop().await;
    let path = "/api/products/2/";
    let edit = async |held: &str, change: serde_json::Value| {
        let call = shop.app.patch(path).token(&shop.staff);
        let call = call
            .header("If-Match", held)
            .header("Accept-Encoding", "gzip");
        call.json(&change).await
    };
    for (number, coding) in ["gzip", "identity", "gzip"].into_iter().enumerate() {
        let held = shop.get(path, coding).await.header("etag");
        // With the stock, the whole tag counts.
        let change = json!({"name": format!("Jug {number}"), "stock": 7 + number});
        let edited = edit(&held, change.clone()).await.expect_status(200);
        assert_eq!(edited.header("content-encoding"), "gzip");
        assert_eq!(
            edited.header("etag"),
            shop.get(path, "gzip").await.header("etag")
        );
        edit(&held, change).await.expect(412, "precondition_failed");
    }
}

#[actix_web::test]
async fn responses_with_secrets_errors_and_empty_ones_are_not_compressed() {
    let shop = shop().await;
    let everything = "gzip, identity;q=0";
    let login = json!({"username": "ada", "password": PASSWORD});
    for path in ["/api/token/", "/api-token-auth/"] {
        let call = shop.app.post(path).header("Accept-Encoding", everything);
        let reply = call.json(&login).await.expect_status(200);
        let headers = [reply.header("content-encoding"), reply.header("vary")];
        assert_eq!(headers, ["", ""], "{path}");
    }
    let missing = shop.get("/api/products/99/", everything).await;
    let accepts = [("Accept-Encoding", everything)];
    let removed = shop.ask(Method::DELETE, "/api/cart/1/", &accepts).await;
    for reply in [missing, removed.expect_status(204)] {
        assert_eq!(reply.header("content-encoding"), "");
    }
}

#[actix_web::test]
async fn a_range_is_ignored_in_each_coding() {
    let shop = shop().await;
    for coding in ["gzip", "identity"] {
        let headers = [("Accept-Encoding", coding), ("Range", "bytes=0-9")];
        let reply = shop.ask(Method::GET, "/api/products/2/", &headers).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json()["description"], long_text());
        assert_eq!(reply.header("accept-ranges"), "");
    }
}

#[actix_web::test]
async fn an_idempotent_replay_is_the_same_in_each_coding() {
    let shop = shop().await;
    let place = async |coding: &str| {
        let call = shop.app.post("/api/products/").token(&shop.staff);
        let call = call
            .header("Idempotency-Key", "k1")
            .header("Accept-Encoding", coding);
        let new = json!({"name": "Bowl", "price": "2.00", "description": long_text()});
        call.json(&new).await.expect_status(201)
    };
    let (first, replay, plain) = (place("gzip").await, place("gzip").await, place("").await);
    assert_eq!(first.header("content-encoding"), "gzip");
    assert_eq!(replay.header("idempotent-replayed"), "true");
    assert_eq!(first.body, replay.body);
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(plain.body, first.decoded());
}
