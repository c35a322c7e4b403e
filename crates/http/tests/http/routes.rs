//! The route table, and properties of each of its lines.

use crate::access;
use crate::support::App;
use actix_web::http::Method;
use std::collections::BTreeSet;
use tradepost_domain::kernel::Access;
use tradepost_http::table;

/// A path as clients write it, with an id that may exist.
fn concrete(path: &str) -> String {
    path.replace("{id}", "1").replace("{file}", "start.js")
}

/// A path with and without the slash at its end.
fn both_forms(path: &str) -> [String; 2] {
    let bare = path.trim_end_matches('/');
    [format!("{bare}/"), bare.to_owned()]
}

/// The lines of a table that admit a caller without the access that they declare.
async fn open_doors(app: &App, customer: &str, table: &[(Method, String, Access)]) -> Vec<String> {
    let mut open = Vec::new();
    for (method, path, access) in table {
        for path in both_forms(path) {
            // An invalid body must not matter yet.
            let call = |token: Option<&str>| {
                let call = app.call(method.clone(), &path);
                let call = match token {
                    Some(token) => call.token(token),
                    None => call,
                };
                call.body("application/json", "{")
            };
            let anonymous = call(None).await;
            let forged = call(Some("forged")).await;
            let customers = call(Some(customer)).await;
            let (one, other, third) = match access {
                Access::Public => continue,
                Access::Customer => ("not_authenticated", "invalid_token", None),
                Access::Staff => ("not_authenticated", "invalid_token", Some("forbidden")),
            };
            if anonymous.status != 401
                || anonymous.code() != one
                || forged.status != 401
                || forged.code() != other
                || third.is_some_and(|code| customers.status != 403 || customers.code() != code)
                || (third.is_none() && matches!(customers.status, 401 | 403))
            {
                open.push(format!("{method} {path}"));
            }
        }
    }
    open
}

fn real() -> Vec<(Method, String, Access)> {
    let real = table().iter();
    real.map(|entry| {
        (
            entry.method().clone(),
            concrete(entry.path()),
            entry.access(),
        )
    })
    .collect()
}

#[actix_web::test]
async fn every_route_rejects_unauthorized_callers() {
    let app = App::new().await;
    let customer = app.customer("ada");
    assert_eq!(open_doors(&app, &customer, &real()).await, [""; 0]);
}

#[actix_web::test]
async fn the_access_check_can_fail() {
    let app = App::new().await;
    let customer = app.customer("ada");
    for (method, path, access) in [
        (Method::GET, "/api/products/", Access::Customer),
        (Method::GET, "/api/products/", Access::Staff),
        (Method::GET, "/api/cart/", Access::Staff),
        (Method::GET, "/api/nothing/", Access::Customer),
    ] {
        let open = open_doors(&app, &customer, &[(method, path.to_owned(), access)]).await;
        assert_eq!(open.len(), 2, "{path} {access:?}");
    }
}

/// The statuses in the access matrix say which access each endpoint has.
#[test]
fn the_table_has_the_lines_of_the_contract() {
    let lines = table().iter();
    let lines = lines.map(|endpoint| {
        let (method, path) = (endpoint.method(), endpoint.path());
        format!("{method} {path} {:?}", endpoint.access())
    });
    let expected = access::matrix().into_iter().map(|row| {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let access = match (cells[2], cells[3]) {
            ("401", "403") => Access::Staff,
            ("401", _) => Access::Customer,
            _ => Access::Public,
        };
        format!("{} {} {access:?}", cells[0], cells[1])
    });
    assert_eq!(lines.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[actix_web::test]
async fn the_lines_of_one_path_stand_together() {
    let runs = table().chunk_by(|one, other| one.path() == other.path());
    let paths: Vec<&str> = runs.map(|run| run[0].path()).collect();
    let once: BTreeSet<&str> = paths.iter().copied().collect();
    assert_eq!(once.len(), paths.len());
    for path in paths {
        assert_eq!(path.ends_with('/'), path.starts_with("/api"), "{path}");
    }
}

#[actix_web::test]
async fn other_methods_are_405_with_what_is_allowed() {
    let app = App::new().await;
    for run in table().chunk_by(|one, other| one.path() == other.path()) {
        let mut allow = Vec::new();
        for entry in run {
            allow.push(entry.method().as_str());
            if entry.method() == Method::GET {
                allow.push("HEAD");
            }
        }
        allow.push("OPTIONS");
        let expected = allow.join(", ");
        let slashed = concrete(run[0].path());
        for path in &both_forms(&slashed) {
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND",
                "FOO",
            ] {
                if allow.contains(&method) {
                    continue;
                }
                let reply = app.call(method.parse().unwrap(), path).send().await;
                assert_eq!(reply.status, 405, "{method} {path}");
                assert_eq!(reply.header("allow"), expected, "{method} {path}");
            }
            let options = app.call(Method::OPTIONS, path).send().await;
            assert_eq!(options.status, 200, "{path}");
            assert_eq!(options.header("allow"), expected, "{path}");
            assert!(options.body.is_empty(), "{path}");
        }
    }
}

#[actix_web::test]
async fn unknown_paths_are_404_whatever_the_method() {
    let app = App::new().await;
    for path in [
        "/",
        "/api/nothing/",
        "/api/products//",
        "//api/products/",
        "/api/products/1/2/",
        "/API/products/",
        "/api/%70roduct/",
        "/apix/",
        "/api//",
        "/api-token-auth/x/",
        "/%00",
        "/%",
        "/%ff%fe/",
        "/..%2f",
    ] {
        for method in ["GET", "POST", "OPTIONS", "DELETE", "FOO", "HEAD"] {
            let reply = app.call(method.parse().unwrap(), path).send().await;
            assert_eq!(reply.status, 404, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn head_is_get_without_a_body() {
    let app = App::new().await;
    let staff = app.staff("boss");
    let customer = app.customer("ada");
    let product = app.product(&staff, "19.99", 5).await;
    let line = app.fill(&customer, product, 1).await;
    let order = app.order(&customer, product, 1).await;
    let line_path = format!("/api/cart/{line}/");
    let paths = [
        "/api/".to_owned(),
        "/api".to_owned(),
        "/api/products/".to_owned(),
        format!("/api/products/{product}"),
        "/api/products/99/".to_owned(),
        "/api/products/?page_size=x".to_owned(),
        "/api/cart/".to_owned(),
        line_path,
        "/api/orders/".to_owned(),
        format!("/api/orders/{order}/"),
    ];
    for path in paths {
        let get = app.get(&path).token(&customer).send().await;
        let head = app.call(Method::HEAD, &path).token(&customer).send().await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert!(head.body.is_empty());
    }
    let head = app.call(Method::HEAD, "/api/cart/").send().await;
    assert_eq!(head.status, 401);
}

#[actix_web::test]
async fn a_path_serves_the_same_without_its_slash() {
    let app = App::new().await;
    let staff = app.staff("boss");
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let id = app.product(&staff, "1.00", 5).await;
        for slash in ["", "/"] {
            let path = format!("/api/products/{id}{slash}");
            let body = serde_json::json!({"name": "Cup", "price": "2.00"});
            let reply = app
                .call(method.clone(), &path)
                .token(&staff)
                .json(&body)
                .await;
            let gone = method == Method::DELETE && slash == "/";
            let expected = match method {
                _ if gone => 404,
                Method::DELETE => 204,
                _ => 200,
            };
            assert_eq!(reply.status, expected, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn the_root_lists_the_collections() {
    let app = App::new().await;
    for path in ["/api", "/api/"] {
        let reply = app.get(path).send().await.expect_status(200);
        assert_eq!(
            reply.json(),
            serde_json::json!({
                "products": "http://shop/api/products/",
                "cart": "http://shop/api/cart/",
                "orders": "http://shop/api/orders/",
            "users": "http://shop/api/users/",
            })
        );
    }
}
