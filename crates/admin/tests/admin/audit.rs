//! The audit.

use crate::dashboard::{HOSTILE, order};
use crate::support::{App, new_user};
use tradepost_domain::orders::OrderStatus;

/// The link of a page with this `rel`.
fn link(page: &str, rel: &str) -> String {
    let before = page.split(&format!("\" rel=\"{rel}\"")).next().unwrap();
    let href = before.rsplit("href=\"").next().unwrap();
    format!("/admin/audit/{}", href.replace("&#38;", "&"))
}

#[actix_web::test]
async fn events_are_sentences_with_links() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = app.shop.accounts.register(new_user("ada")).unwrap();
    let order = order(&app, &ada, HOSTILE);
    let shipped =
        app.shop
            .orders
            .set_status(app.grace.actor(), order.id, OrderStatus::Processing, None);
    shipped.unwrap();
    let page = staff.get("/admin/audit/").await.expect(200);
    let page = page
        .has("Order 1 went from pending to processing.")
        .has("Order 1 was placed for 2,469.00 USD.")
        .has("The stock of product 1 changed by +3.")
        .has("Product 1 is back in stock: 3.")
        .has("Account “grace” was registered.");
    let page = page
        .has("<a href=\"/admin/orders/1/\">order 1</a>")
        .has("<a href=\"/admin/customers/2/\">ada</a>")
        .has("<a href=\"/admin/customers/1/\">grace</a>");
    let _ = page.has_not("<script>alert").has("&#60;script&#62;");
}

#[actix_web::test]
async fn events_are_filtered() {
    let app = App::new().await;
    let ada = app.shop.accounts.register(new_user("ada")).unwrap();
    order(&app, &ada, "Mug");
    app.clock.advance(2 * 86_400);
    app.product("Cup", "9.90");
    let staff = app.staff().await;
    for (query, shown, hidden) in [
        ("actor=grace", "Product 1 was created", "was placed"),
        ("actor=2", "was placed", "was created"),
        ("user=ADA", "was placed", "was created"),
        ("order=%231", "was placed", "was created"),
        ("product=2", "Product 2 was created", "Product 1"),
        ("kind=order.*", "was placed", "was created"),
        ("kind=product.created", "Product 2", "was placed"),
        ("from=2077-09-28", "Product 2", "Product 1"),
        ("to=2077-09-27", "Product 1", "Product 2"),
        ("from=2077-09-27&to=2077-09-29", "Product 2", "no such"),
        ("order=77", "There are no such events", "was created"),
        ("product=77&kind=", "There are no such events", "was placed"),
        (
            "actor=grace&user=ada",
            "There are no such events",
            "was placed",
        ),
        ("before=1", "There are no such events", "was placed"),
        ("before=x&after=-1", "was placed", "no such"),
    ] {
        let page = staff.get(&format!("/admin/audit/?{query}")).await;
        let _ = page.expect(200).has(shown).has_not(hidden);
    }
}

#[actix_web::test]
async fn an_invalid_filter_is_explained() {
    let app = App::new().await;
    let staff = app.staff().await;
    let hostile = "%3C%2Ftd%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%22";
    for (query, status, error) in [
        ("actor=nemo".to_owned(), 404, "No user has this name"),
        ("user=99".to_owned(), 404, "No user has this name"),
        ("order=x".to_owned(), 400, "Enter a number."),
        ("product=-1".to_owned(), 400, "Enter a number."),
        (
            format!("product={}", "9".repeat(40)),
            400,
            "Enter a number.",
        ),
        ("kind=x".to_owned(), 400, "no such kind"),
        ("from=yesterday".to_owned(), 400, "Enter a date"),
        ("to=9999999-01-01".to_owned(), 400, "Enter a date"),
        (format!("actor={hostile}"), 404, "&#60;script&#62;"),
        (format!("order={hostile}"), 400, "&#60;script&#62;"),
    ] {
        let page = staff.get(&format!("/admin/audit/?{query}")).await;
        let _ = page.expect(status).has(error).has_not("<script>alert");
    }
}

#[actix_web::test]
async fn pages_of_events_are_followed_in_both_directions() {
    let app = App::new().await;
    let staff = app.staff().await;
    for number in 0..120 {
        app.product(&format!("Mug {number}"), "9.90");
    }
    let first = staff.get("/admin/audit/?kind=product.created").await;
    let first = first.has("Product 120 was").has("Product 71 was");
    let first = first.has_not("Product 70 was").has_not("rel=\"prev\"");
    let second = staff.get(&link(&first.text, "next")).await;
    let second = second.has("Product 70 was").has("Product 21 was");
    let third = staff.get(&link(&second.text, "next")).await;
    let third = third.has("Product 20 was").has("Product 1 was");
    let third = third.has_not("rel=\"next\"");
    let back = staff.get(&link(&third.text, "prev")).await;
    let back = back.has("Product 70 was").has("Product 21 was");
    let back = back.has_not("Product 71 was").has_not("Product 20 was");
    let start = staff.get(&link(&back.text, "prev")).await;
    let _ = start
        .has("Product 120 was")
        .has_not("Product 70 was")
        .has_not("rel=\"prev\"");
}
