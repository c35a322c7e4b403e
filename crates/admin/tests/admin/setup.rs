//! First run: the setup link.

use crate::support::{App, PASSWORD};
use tradepost_http::Settings;

async fn empty() -> App {
    App::with(Settings::default(), false).await
}

const FIELDS: [(&str, &str); 4] = [
    ("username", "grace"),
    ("email", ""),
    ("password", PASSWORD),
    ("password_again", PASSWORD),
];

#[actix_web::test]
async fn the_setup_link_creates_the_first_staff_user_once() {
    let app = empty().await;
    let browser = app.browser();
    browser
        .get("/")
        .await
        .expect(200)
        .has("There is no staff user yet");
    let page = browser.get(app.setup.reveal()).await.expect(200);
    let reply = page.submit(&browser, &FIELDS).await;
    assert_eq!(reply.location(), "/admin/");
    browser.get("/admin/").await.expect(200).has("grace");
    assert!(app.shop.accounts.has_staff().unwrap());
    let reply = browser.get(app.setup.reveal()).await.expect(410);
    reply.has("has a staff user already");
    page.submit(&browser, &FIELDS).await.expect(410);
}

#[actix_web::test]
async fn late_foreign_and_unknown_setup_links_do_not_work() {
    let app = empty().await;
    let browser = app.browser();
    let page = browser.get(app.setup.reveal()).await;
    let unknown = format!("{}x", app.setup.reveal());
    browser
        .get(&unknown)
        .await
        .expect(403)
        .has("not the current setup link");
    browser.get("/admin/setup/").await.expect(403);
    let mut elsewhere = app.browser();
    elsewhere.peer = "192.0.2.1:4000";
    let reply = elsewhere.get(app.setup.reveal()).await.expect(403);
    reply.has("on the machine that runs the shop");
    let proxied = app.browser().header("X-Forwarded-For", "127.0.0.1");
    proxied.get(app.setup.reveal()).await.expect(403);
    let mut office = app.browser();
    office.peer = "10.1.2.3:4000";
    office.get(app.setup.reveal()).await.expect(200);
    app.clock.advance(30 * 60);
    browser
        .get(app.setup.reveal())
        .await
        .expect(403)
        .has("older than 30 minutes");
    page.submit(&browser, &FIELDS).await.expect(403);
    assert!(!app.shop.accounts.has_staff().unwrap());
}

#[actix_web::test]
async fn mistakes_in_the_setup_are_shown_beside_their_fields() {
    let app = empty().await;
    let browser = app.browser();
    let page = browser.get(app.setup.reveal()).await;
    let fields = [
        ("username", "<b>grace"),
        ("email", "nobody"),
        ("password", "short"),
        ("password_again", "other"),
    ];
    let reply = page.submit(&browser, &fields).await.expect(400);
    let reply = reply
        .has("email-error")
        .has("password-error")
        .has("The two passwords differ");
    assert_eq!(reply.field("email"), "nobody");
    let reply = reply.has_not("<b>").has_not("value=\"short\"");
    reply.submit(&browser, &FIELDS).await.expect(303);
}

#[actix_web::test]
async fn of_two_setups_at_once_one_wins() {
    let app = empty().await;
    let (one, other) = (app.browser(), app.browser());
    let first = one.get(app.setup.reveal()).await;
    let second = other.get(app.setup.reveal()).await;
    first.submit(&one, &FIELDS).await.expect(303);
    let fields =
        FIELDS.map(|(name, value)| (name, if value == "grace" { "mallory" } else { value }));
    second.submit(&other, &fields).await.expect(410);
    other.get("/admin/").await.expect(303);
}
