//! Access matrix: each route of the table, for each kind of caller, against a golden file.

use crate::support::{App, new_user};
use actix_web::http::Method;
use std::fmt::Write as _;
use tradepost_admin::table;
use tradepost_domain::kernel::Access;

const GOLDEN: &str = include_str!("../golden/access.txt");

/// The path of a route for an existing thing.
fn path(pattern: &str) -> String {
    pattern.replace("{id}", "1").replace("{file}", "none.css")
}

#[actix_web::test]
async fn every_route_has_its_row_in_the_access_matrix() {
    let mut matrix = String::new();
    for route in table() {
        let app = App::new().await;
        let ada = app.shop.accounts.register(new_user("ada")).unwrap();
        let mug = app.product("Mug", "9.90");
        app.order(&ada, &[(&mug, 2)]);
        let (anonymous, staff) = (app.browser(), app.staff().await);
        let path = path(route.path());
        let mut row = format!("{} {}", route.method(), route.path());
        for browser in [&anonymous, &staff] {
            let reply = if *route.method() == Method::GET {
                browser.get(&path).await
            } else {
                let csrf = browser.get("/admin/products/new/").await;
                let csrf = if csrf.status == 200 {
                    csrf.field("csrf")
                } else {
                    String::new()
                };
                browser.post(&path, &[("csrf", &csrf)]).await
            };
            write!(row, " {}", reply.status).unwrap();
            if route.access() == Access::Staff && std::ptr::eq(browser, &anonymous) {
                assert!(reply.location().starts_with("/admin/sign-in/"), "{row}");
            }
        }
        // A former staff user is a customer now.
        let change = tradepost_domain::identity::UserChange {
            is_staff: Some(true),
            ..Default::default()
        };
        let demoted = app.browser();
        app.shop
            .accounts
            .switch(app.grace.actor(), ada.id, change)
            .unwrap();
        demoted.sign_in("ada").await;
        let change = tradepost_domain::identity::UserChange {
            is_staff: Some(false),
            ..Default::default()
        };
        app.shop
            .accounts
            .switch(app.grace.actor(), ada.id, change)
            .unwrap();
        let reply = if *route.method() == Method::GET {
            demoted.get(&path).await
        } else {
            demoted.post(&path, &[]).await
        };
        writeln!(row, " {}", reply.status).unwrap();
        if route.access() == Access::Staff {
            assert_eq!(reply.status, 403, "{row}");
        }
        matrix.push_str(&row);
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/access.txt");
        std::fs::write(golden, &matrix).unwrap();
        return;
    }
    assert_eq!(matrix, GOLDEN);
}

#[actix_web::test]
async fn no_form_is_accepted_without_its_token() {
    let app = App::new().await;
    app.product("Mug", "9.90");
    let staff = app.staff().await;
    for route in table()
        .iter()
        .filter(|route| *route.method() == Method::POST)
    {
        for token in [&[][..], &[("csrf", "")], &[("csrf", "forged")]] {
            let reply = staff.post(&path(route.path()), token).await;
            reply.expect(403).has("The form has expired");
        }
    }
}

#[actix_web::test]
async fn requests_of_other_sites_are_rejected() {
    let app = App::new().await;
    let csrf = app
        .staff()
        .await
        .get("/admin/products/new/")
        .await
        .field("csrf");
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let browser = app.staff().await;
        let csrf = browser.get("/admin/products/new/").await.field("csrf");
        let browser = browser.header(name, value);
        let fields = [("csrf", &*csrf), ("name", "Mug"), ("price", "1.00")];
        browser
            .post("/admin/products/new/", &fields)
            .await
            .expect(403);
    }
    for (name, value) in [
        ("Origin", "http://localhost"),
        ("Sec-Fetch-Site", "same-origin"),
    ] {
        let browser = app.staff().await;
        let csrf = browser.get("/admin/products/new/").await.field("csrf");
        let browser = browser.header(name, value);
        let fields = [("csrf", &*csrf), ("name", "Mug"), ("price", "1.00")];
        browser
            .post("/admin/products/new/", &fields)
            .await
            .expect(303);
    }
    // The token of another session is not that of this one.
    let fields = [("csrf", &*csrf), ("name", "Mug"), ("price", "1.00")];
    let other = app.staff().await;
    other
        .post("/admin/products/new/", &fields)
        .await
        .expect(403);
}
