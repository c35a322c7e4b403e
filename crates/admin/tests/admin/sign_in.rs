//! Sign-in, sessions and sign-out.

use crate::support::{App, PASSWORD, new_user};
use tradepost_domain::identity::UserChange;
use tradepost_http::{PublicUrl, Settings};

#[actix_web::test]
async fn anonymous_requests_lead_to_the_sign_in_page_and_back() {
    let app = App::new().await;
    let browser = app.browser();
    let reply = browser.get("/admin/products/?q=tea%20mug").await;
    assert_eq!(
        reply.location(),
        "/admin/sign-in/?next=%2Fproducts%2F%3Fq%3Dtea%2520mug"
    );
    let page = browser.get(reply.location()).await.expect(200);
    let reply = page
        .submit(&browser, &[("username", "grace"), ("password", PASSWORD)])
        .await;
    assert_eq!(reply.location(), "/admin/products/?q=tea%20mug");
    browser.get(reply.location()).await.expect(200).has("grace");
}

#[actix_web::test]
async fn the_sign_in_leads_to_no_other_site() {
    let app = App::new().await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\r\nX: y",
    ] {
        let browser = app.browser();
        let page = browser.get("/admin/sign-in/").await;
        let fields = [
            ("username", "grace"),
            ("password", PASSWORD),
            ("next", next),
        ];
        assert_eq!(
            page.submit(&browser, &fields).await.location(),
            "/admin/",
            "{next}"
        );
    }
}

#[actix_web::test]
async fn wrong_passwords_are_refused_and_throttled() {
    let app = App::new().await;
    let browser = app.browser();
    let page = browser.get("/admin/sign-in/").await;
    for _ in 0..5 {
        let wrong = [("username", "grace"), ("password", "wrong")];
        let reply = page.submit(&browser, &wrong).await.expect(400);
        let reply = reply
            .has("The username or the password is wrong")
            .has_not("value=\"wrong\"");
        assert_eq!(reply.field("username"), "grace");
    }
    let right = [("username", "grace"), ("password", PASSWORD)];
    let reply = page.submit(&browser, &right).await.expect(429);
    assert_eq!(reply.header("retry-after"), "60");
    reply.has("Try again in 60 seconds");
    app.clock.advance(60);
    page.submit(&browser, &right).await.expect(303);
}

#[actix_web::test]
async fn customers_are_told_that_they_are_not_staff() {
    let app = App::new().await;
    app.shop.accounts.register(new_user("ada")).unwrap();
    let browser = app.browser();
    let reply = browser.sign_in("ada").await.expect(403);
    reply.has("Only staff can use the admin interface");
    assert_eq!(browser.cookie("session"), None);
}

#[actix_web::test]
async fn a_copied_cookie_is_useless_after_the_sign_out() {
    let app = App::new().await;
    let staff = app.staff().await;
    let stolen = app.browser();
    stolen.set_cookie("tradepost_session", &staff.cookie("session").unwrap());
    stolen.get("/admin/").await.expect(200);
    let page = staff.get("/admin/").await;
    page.submit_to(&staff, "/admin/sign-out/", &[])
        .await
        .expect(303);
    for browser in [&staff, &stolen] {
        let reply = browser.get("/admin/").await;
        assert!(reply.location().starts_with("/admin/sign-in/"));
    }
    // The cookie of an ended session is removed.
    assert_eq!(stolen.cookie("session"), None);
}

#[actix_web::test]
async fn forged_cookies_are_no_session() {
    let app = App::new().await;
    for value in ["", "x", &"A".repeat(43), &"\"".repeat(43)] {
        let browser = app.browser();
        browser.set_cookie("tradepost_session", value);
        assert!(
            browser
                .get("/admin/")
                .await
                .location()
                .starts_with("/admin/sign-in/")
        );
    }
}

#[actix_web::test]
async fn sessions_end_with_the_role_the_password_and_their_age() {
    let app = App::new().await;
    let ada = app.shop.accounts.register(new_user("ada")).unwrap();
    let by = app.grace.actor();
    let set = |is_active, is_staff| {
        let change = UserChange {
            is_active,
            is_staff,
        };
        app.shop.accounts.switch(by, ada.id, change).unwrap();
    };
    set(None, Some(true));
    let browser = app.browser();
    browser.sign_in("ada").await.expect(303);
    browser.get("/admin/").await.expect(200);
    set(None, Some(false));
    browser.get("/admin/").await.expect(403);
    set(None, Some(true));
    browser.get("/admin/").await.expect(200);
    set(Some(false), None);
    browser.get("/admin/").await.expect(303);
    let grace = app.staff().await;
    app.clock.advance(11 * 3_600);
    grace.get("/admin/").await.expect(200);
    app.clock.advance(11 * 3_600);
    grace.get("/admin/").await.expect(200);
    app.clock.advance(12 * 3_600);
    grace.get("/admin/").await.expect(303);
    let grace = app.staff().await;
    let new = "another long password";
    let new = tradepost_domain::identity::Password::new(new, None).unwrap();
    app.shop
        .accounts
        .change_own_password(by, PASSWORD, &new)
        .unwrap();
    grace.get("/admin/").await.expect(303);
}

#[actix_web::test]
async fn cookies_are_bound_to_the_host_behind_tls() {
    let settings = Settings {
        public_url: Some(PublicUrl::parse("https://localhost/shop").unwrap()),
        ..Settings::default()
    };
    let app = App::with(settings, true).await;
    let staff = app.browser();
    let page = staff
        .get("/admin/sign-in/")
        .await
        .expect(200)
        .has("action=\"/shop/admin/sign-in/\"");
    let fields = [("username", "grace"), ("password", PASSWORD)];
    let reply = page.submit(&staff, &fields).await;
    assert_eq!(reply.location(), "/shop/admin/");
    let names = ["__Host-tradepost_browser", "__Host-tradepost_session"];
    assert_eq!(staff.cookie_names(), names);
    assert!(
        reply
            .set_cookies
            .iter()
            .all(|cookie| cookie.ends_with("; Secure"))
    );
    staff.get("/admin/").await.expect(200);
}

#[actix_web::test]
async fn signing_out_everywhere_ends_sessions_and_tokens() {
    let app = App::new().await;
    let (one, other) = (app.staff().await, app.staff().await);
    let token = app.shop.accounts.sign_in("grace", PASSWORD).unwrap().token;
    let page = one.get("/admin/account/").await.expect(200);
    let path = "/admin/account/sign-out-everywhere/";
    page.submit_to(&one, path, &[]).await.expect(303);
    for browser in [&one, &other] {
        browser.get("/admin/").await.expect(303);
    }
    assert!(app.shop.accounts.authenticate(&token).is_err());
    app.staff().await.get("/admin/").await.expect(200);
}
