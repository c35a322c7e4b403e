//! The pages of customers and staff.

use crate::dashboard::order;
use crate::support::{App, Browser, PASSWORD, Reply, new_user};
use tradepost_domain::identity::{Account, Email, NewUser, UserChange};
use tradepost_domain::kernel::{Actor, UserId};

const NEW: &str = "a quiet new harbour";

fn register(app: &App, name: &str) -> Account {
    app.shop.accounts.register(new_user(name)).unwrap()
}

fn stored(app: &App, user: UserId) -> Account {
    stored_by(app, app.grace.id, user)
}

fn stored_by(app: &App, staff: UserId, user: UserId) -> Account {
    app.shop.accounts.user(Actor::Staff(staff), user).unwrap()
}

async fn press(browser: &Browser<'_>, user: UserId, action: &str) -> Reply {
    let page = browser.get(&format!("/admin/customers/{user}/")).await;
    let path = format!("/admin/customers/{user}/{action}/");
    page.submit_to(browser, &path, &[]).await
}

#[actix_web::test]
async fn users_are_found_by_part_of_a_name_or_address() {
    let app = App::new().await;
    let staff = app.staff().await;
    register(&app, "ada");
    let email = "o'neil&amp@navy.example";
    let user = NewUser {
        email: Some(Email::new(email).unwrap()),
        ..new_user("bob.+-_x@y")
    };
    app.shop.accounts.register(user).unwrap();
    let page = staff.get("/admin/customers/").await.expect(200);
    let page = page.has(">ada</a>").has("/1/\">grace</a>");
    let _ = page.has("o&#39;neil&#38;amp@navy.example");
    for (query, shown, hidden) in [
        ("q=AD", ">ada</a>", "/1/\">grace"),
        ("q=navy.ex", ">bob.+-_x@y</a>", ">ada</a>"),
        ("q=%25", "No user matches", ">ada</a>"),
        ("q=%3Cscript%3Ealert", "No user matches", "<script>alert"),
        ("q=%00", "aria-invalid", "no user"),
        ("cursor=forged", ">ada</a>", "No user"),
        ("q=a&cursor=%3Cscript%3Ealert", ">ada</a>", "<script>alert"),
    ] {
        let page = staff.get(&format!("/admin/customers/?{query}")).await;
        let _ = page.expect(200).has(shown).has_not(hidden);
    }
    let _ = (staff.get("/admin/customers/3/").await)
        .expect(200)
        .has("o&#39;neil&#38;amp@navy.example");
}

#[actix_web::test]
async fn long_lists_of_users_have_pages() {
    let app = App::new().await;
    let staff = app.staff().await;
    let names = [
        "alder", "birch", "cedar", "douglas", "elm", "fir", "ginkgo", "hazel", "iroko", "juniper",
    ];
    for one in names {
        for other in ["river", "stone", "meadow", "cloud", "ember", "forest"] {
            register(&app, &format!("{one}.{other}"));
        }
    }
    let first = staff.get("/admin/customers/").await.expect(200);
    let first = first.has("rel=\"next\"").has_not("rel=\"prev\"");
    let second = format!("/admin/customers/{}", first.link("next"));
    let second = staff.get(&second).await.expect(200);
    let second = second.has("/1/\">grace</a>").has("rel=\"prev\"");
    let back = format!("/admin/customers/{}", second.link("prev"));
    let back = staff.get(&back).await.expect(200);
    let _ = back.has(">juniper.forest</a>").has_not("rel=\"prev\"");
    // A search has pages of its own.
    let found = staff.get("/admin/customers/?q=stone").await.expect(200);
    let _ = found.has(">alder.stone</a>").has_not("rel=\"next\"");
}

#[actix_web::test]
async fn the_page_of_a_user_shows_orders_and_history() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = register(&app, "ada");
    order(&app, &ada, "Mug");
    let page = staff.get("/admin/customers/2/").await.expect(200);
    let page = page
        .has("/admin/orders/1/\">1</a>")
        .has("/admin/orders/?customer=2")
        .has("Order 1 was placed for 2,469.00 USD.")
        .has("/admin/audit/?user=2")
        .has("/admin/audit/?actor=2");
    let _ = page.has("Make staff").has_not("This is your own account");
    let own = staff.get("/admin/customers/1/").await.expect(200);
    let own = own.has("This is your own account");
    let _ = own.has("Product 1 was created.").has_not("new-password");
}

#[actix_web::test]
async fn users_that_do_not_exist_are_not_found() {
    let app = App::new().await;
    let staff = app.staff().await;
    let page = staff.get("/admin/customers/1/").await;
    for id in ["99", "0", "-1", "x", "99999999999999999999"] {
        let path = format!("/admin/customers/{id}/");
        staff.get(&path).await.expect(404);
        for action in [
            "activate",
            "deactivate",
            "make-staff",
            "make-customer",
            "sign-out",
            "password",
        ] {
            let fields = [("password", NEW), ("password_again", NEW)];
            let target = format!("{path}{action}/");
            page.submit_to(&staff, &target, &fields).await.expect(404);
        }
    }
}

#[actix_web::test]
async fn a_deactivated_user_is_out_at_once() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = register(&app, "ada");
    let reply = press(&staff, ada.id, "make-staff").await;
    assert_eq!(reply.location(), "/admin/customers/2/");
    let _ = (staff.get(reply.location()).await).has("“ada” is staff now.");
    let colleague = app.browser();
    colleague.sign_in("ada").await;
    colleague.get("/admin/").await.expect(200);
    press(&staff, ada.id, "deactivate").await.expect(303);
    // The clock stands still: no time passes in between.
    let out = colleague.get("/admin/").await;
    assert!(out.location().starts_with("/admin/sign-in/"));
    assert_ne!(colleague.sign_in("ada").await.status, 303);
    let _ = (staff.get("/admin/customers/2/").await).has("deactivated");
    press(&staff, ada.id, "activate").await.expect(303);
    assert!(stored(&app, ada.id).is_active);
    colleague.sign_in("ada").await.expect(303);
    press(&staff, ada.id, "make-customer").await.expect(303);
    colleague.get("/admin/").await.expect(403);
}

#[actix_web::test]
async fn the_last_staff_user_stays() {
    let app = App::new().await;
    let staff = app.staff().await;
    for action in ["deactivate", "make-customer"] {
        let reply = press(&staff, app.grace.id, action).await;
        let reply = reply.expect(409);
        let _ = reply
            .has("The last active staff user")
            .has("role=\"alert\"");
        assert_eq!(stored(&app, app.grace.id), app.grace);
    }
    staff.get("/admin/").await.expect(200);
}

#[actix_web::test]
async fn staff_may_demote_themselves() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = register(&app, "ada");
    press(&staff, ada.id, "make-staff").await.expect(303);
    let reply = press(&staff, app.grace.id, "make-customer").await;
    assert_eq!(reply.location(), "/admin/sign-in/");
    staff.get("/admin/").await.expect(403);
    assert!(!stored_by(&app, ada.id, app.grace.id).is_staff);
}

#[actix_web::test]
async fn a_password_is_set_for_another_user() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = register(&app, "ada");
    let token = app.shop.accounts.sign_in("ada", PASSWORD).unwrap().token;
    let page = staff.get("/admin/customers/2/").await;
    let path = "/admin/customers/2/password/";
    for (fields, error) in [
        ([("password", "short"), ("password_again", "short")], "8"),
        (
            [("password", "password1"), ("password_again", "password1")],
            "common",
        ),
        ([("password", NEW), ("password_again", "x")], "differ"),
        ([("password", ""), ("password_again", "")], "blank"),
    ] {
        let reply = page.submit_to(&staff, path, &fields).await.expect(400);
        let reply = reply.has(error);
        assert_eq!(reply.field("password"), "", "it is not sent back");
        assert!(!reply.text.contains(NEW));
    }
    assert_eq!(stored(&app, ada.id), ada);
    let fields = [("password", NEW), ("password_again", NEW)];
    let reply = page.submit_to(&staff, path, &fields).await;
    assert_eq!(reply.location(), "/admin/customers/2/");
    let page = staff.get(reply.location()).await;
    let page = page.has("“ada” has another password");
    let _ = page
        .has("Account “ada” has another password.")
        .has("/1/\">grace</a>");
    assert!(app.shop.accounts.authenticate(&token).is_err());
    assert!(app.shop.accounts.sign_in("ada", PASSWORD).is_err());
    assert!(app.shop.accounts.sign_in("ada", NEW).is_ok());
}

#[actix_web::test]
async fn the_own_password_needs_the_current_one() {
    let app = App::new().await;
    let staff = app.staff().await;
    let page = staff.get("/admin/customers/1/").await;
    let fields = [("password", NEW), ("password_again", NEW)];
    let path = "/admin/customers/1/password/";
    page.submit_to(&staff, path, &fields).await.expect(403);
    assert!(app.shop.accounts.sign_in("grace", PASSWORD).is_ok());
}

#[actix_web::test]
async fn a_user_is_signed_out_everywhere() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = register(&app, "ada");
    let make_staff = UserChange {
        is_staff: Some(true),
        ..UserChange::default()
    };
    let grace = app.grace.actor();
    app.shop.accounts.switch(grace, ada.id, make_staff).unwrap();
    let (one, other) = (app.browser(), app.browser());
    for browser in [&one, &other] {
        browser.sign_in("ada").await.expect(303);
    }
    press(&staff, ada.id, "sign-out").await.expect(303);
    for browser in [&one, &other] {
        let out = browser.get("/admin/").await;
        assert!(out.location().starts_with("/admin/sign-in/"));
    }
    let page = staff.get("/admin/customers/2/").await;
    let _ = page.has("Account “ada” was signed out everywhere.");
    one.sign_in("ada").await.expect(303);
    let reply = press(&staff, app.grace.id, "sign-out").await;
    assert_eq!(reply.location(), "/admin/sign-in/");
    staff.get("/admin/").await.expect(303);
}

#[actix_web::test]
async fn forged_forms_change_no_user() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = register(&app, "ada");
    for action in ["deactivate", "make-staff", "sign-out", "password"] {
        let path = format!("/admin/customers/2/{action}/");
        let fields = [
            ("csrf", "forged"),
            ("password", NEW),
            ("password_again", NEW),
        ];
        let reply = staff.post(&path, &fields).await.expect(403);
        let _ = reply.has("The form has expired").has_not(NEW);
    }
    assert_eq!(stored(&app, ada.id), ada);
}

#[actix_web::test]
async fn the_own_password_is_changed_with_the_current_one() {
    let app = App::new().await;
    let staff = app.staff().await;
    let other = app.staff().await;
    let page = staff
        .get("/admin/account/")
        .await
        .has("/admin/account/password/");
    drop(page);
    let page = staff.get("/admin/account/password/").await.expect(200);
    let typed = |current, new, again| {
        [
            ("current_password", current),
            ("password", new),
            ("password_again", again),
        ]
    };
    for (current, new, again, field) in [
        ("wrong password", NEW, NEW, "current_password-error"),
        ("", NEW, NEW, "current_password-error"),
        (PASSWORD, "short", "short", "password-error"),
        (PASSWORD, NEW, "another", "password_again-error"),
    ] {
        let reply = page
            .submit(&staff, &typed(current, new, again))
            .await
            .expect(400);
        let reply = reply.has(field).has_not(NEW).has_not(PASSWORD);
        assert_eq!(reply.field("password"), "");
    }
    other.get("/admin/").await.expect(200);
    let changed = page.submit(&staff, &typed(PASSWORD, NEW, NEW)).await;
    // This browser has a new session, and the others have none.
    let own = staff.get(changed.location()).await.expect(200);
    let _ = own.has("Your password was changed.");
    assert_eq!(other.get("/admin/").await.status, 303);
    let page = other.get("/admin/sign-in/").await;
    let old = [("username", "grace"), ("password", PASSWORD)];
    page.submit(&other, &old).await.expect(400);
    let new = [("username", "grace"), ("password", NEW)];
    page.submit(&other, &new).await.expect(303);
}
