//! The pages of orders.

mod many;
mod paper;

use crate::support::{App, new_user};
use tradepost_domain::catalog::{Price, Product, ProductDraft};
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::Sku;
use tradepost_domain::orders::{Order, OrderStatus};
use tradepost_domain::testing::usd;

/// Text that breaks a page which does not escape it.
const HOSTILE: &str = "</title><script>alert(1)</script>\"'&";

/// A shop with the customer `ada` and a mug.
async fn shop() -> (App, Account, Product) {
    let app = App::new().await;
    let ada = app.shop.accounts.register(new_user("ada")).unwrap();
    let mug = app.product("Mug", "9.90");
    (app, ada, mug)
}

fn stored(app: &App, order: &Order) -> Order {
    let found = app.shop.orders.order(app.grace.actor(), order.id, true);
    found.unwrap()
}

fn set(app: &App, order: &Order, status: OrderStatus) {
    let set = app
        .shop
        .orders
        .set_status(app.grace.actor(), order.id, status, None);
    set.unwrap();
}

#[actix_web::test]
async fn an_order_is_shown_with_its_lines_and_goes_through_its_states() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    app.order(&ada, &[(&mug, 3)]);
    let page = staff.get("/admin/orders/1/").await.expect(200);
    let page = page
        .has("<th scope=\"row\"><a href=\"/admin/products/1/\">Mug</a></th>")
        .has(">ada</a>")
        .has("29.70 USD")
        .has("href=\"/admin/orders/1/cancel/\"")
        .has("href=\"/admin/orders/1/delete/\"")
        .has("Placed")
        .has_not("Subtotal")
        .has_not("Mark as shipped");
    let _ = page.has("Mark as processing");
    for (status, next) in [
        ("processing", "Mark as shipped"),
        ("shipped", "Mark as delivered"),
        ("delivered", "Packing slip"),
    ] {
        let page = staff.get("/admin/orders/1/").await;
        let reply = page.submit(&staff, &[("status", status)]).await;
        assert_eq!(reply.location(), "/admin/orders/1/");
        let page = staff.get("/admin/orders/1/").await;
        let page = page.has(&format!("Order 1 is {status} now."));
        let page = page.has(next).has_not("/delete/");
        let _ = page.has("Status changed").has(">grace</a>");
    }
    let page = staff.get("/admin/orders/1/").await;
    page.has_not("Mark as").has_not("/cancel/");
}

#[actix_web::test]
async fn an_order_is_cancelled_and_deleted_after_a_question() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    let (one, two) = (app.order(&ada, &[(&mug, 1)]), app.order(&ada, &[(&mug, 2)]));
    let page = staff.get("/admin/orders/1/cancel/").await.expect(200);
    let page = page.has("Cancel order 1?");
    assert_eq!(stored(&app, &one).status, OrderStatus::Pending);
    let fields = [("status", "cancelled")];
    let reply = page.submit_to(&staff, "/admin/orders/1/", &fields).await;
    assert_eq!(reply.location(), "/admin/orders/1/");
    assert_eq!(stored(&app, &one).status, OrderStatus::Cancelled);
    assert_eq!(app.stored(&mug).stock.units(), 1);
    let page = staff.get("/admin/orders/2/delete/").await.expect(200);
    let reply = page.submit(&staff, &[]).await;
    assert_eq!(reply.location(), "/admin/orders/");
    assert!(stored(&app, &two).archived);
    let list = staff.get("/admin/orders/").await;
    let list = list.has("Order 2 was deleted.");
    list.has("/admin/orders/1/").has_not("/admin/orders/2/");
    let list = staff.get("/admin/orders/?archived=1").await;
    list.has("/admin/orders/2/").has_not("name=\"order\"");
    let page = staff.get("/admin/orders/2/").await.expect(200);
    page.has("deleted").has_not("Mark as").has_not("/cancel/");
    // A question about a change that is not allowed has an answer at once.
    for path in ["/admin/orders/1/cancel/", "/admin/orders/1/delete/"] {
        staff.get(path).await.expect(409).has("cancelled");
    }
    let page = staff.get("/admin/orders/2/delete/").await.expect(409);
    page.has("This order is deleted.");
}

#[actix_web::test]
async fn a_change_of_an_order_that_was_changed_meanwhile_is_refused() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    let order = app.order(&ada, &[(&mug, 1)]);
    let page = staff.get("/admin/orders/1/").await;
    let question = staff.get("/admin/orders/1/delete/").await;
    set(&app, &order, OrderStatus::Processing);
    set(&app, &order, OrderStatus::Shipped);
    let reply = page.submit(&staff, &[("status", "processing")]).await;
    let reply = reply.expect(412).has("was changed meanwhile");
    let reply = reply
        .has("<dt>Status when you opened the page</dt><dd>pending</dd>")
        .has("<dt>Status now</dt><dd>shipped</dd>");
    let _ = reply.has("<dt>You chose</dt><dd>processing</dd>");
    let reply = question.submit(&staff, &[]).await.expect(412);
    let _ = reply.has("<dt>You chose</dt><dd>deleted</dd>");
    assert_eq!(stored(&app, &order).status, OrderStatus::Shipped);
    // Deleted by another person.
    let order = app.order(&ada, &[(&mug, 1)]);
    let page = staff.get("/admin/orders/2/").await;
    let deleted = app.shop.orders.delete(app.grace.actor(), order.id, None);
    deleted.unwrap();
    let reply = page.submit(&staff, &[("status", "processing")]).await;
    let _ = reply.expect(412).has("cancelled, deleted");
}

#[actix_web::test]
async fn changes_that_the_shop_refuses_are_explained() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    let order = app.order(&ada, &[(&mug, 1)]);
    let page = staff.get("/admin/orders/1/").await;
    let reply = page.submit(&staff, &[("status", "delivered")]).await;
    let reply = reply.expect(409);
    let _ = reply.has("An order that is pending cannot become delivered.");
    for status in ["", "lost", HOSTILE] {
        let reply = page.submit(&staff, &[("status", status)]).await;
        let reply = reply.expect(400).has("Choose one of the offered statuses.");
        let _ = reply.has_not("<script>alert");
    }
    let fields = [("status", "processing"), ("version", HOSTILE)];
    let reply = page.submit(&staff, &fields).await.expect(412);
    reply.has("not known").has_not("<script>alert");
    let forged = [
        ("csrf", "forged"),
        ("status", "processing"),
        ("version", "pending"),
    ];
    staff.post("/admin/orders/1/", &forged).await.expect(403);
    set(&app, &order, OrderStatus::Processing);
    let fields = [("version", "processing")];
    let reply = page
        .submit_to(&staff, "/admin/orders/1/delete/", &fields)
        .await;
    let _ = reply.expect(409).has("cannot be deleted");
    assert_eq!(stored(&app, &order).status, OrderStatus::Processing);
}

#[actix_web::test]
async fn an_order_that_does_not_exist_is_a_page() {
    let (app, ada, mug) = shop().await;
    app.order(&ada, &[(&mug, 1)]);
    let staff = app.staff().await;
    let page = staff.get("/admin/orders/1/").await;
    for id in ["99", "0", "x", "-1", "9223372036854775808", "%3Cscript%3E"] {
        for end in ["", "cancel/", "delete/", "packing-slip/"] {
            let reply = staff.get(&format!("/admin/orders/{id}/{end}")).await;
            let reply = reply.expect(404).has("Not found");
            let _ = reply.has_not("<script>");
        }
        for end in ["", "delete/"] {
            let path = format!("/admin/orders/{id}/{end}");
            let fields = [("status", "processing")];
            page.submit_to(&staff, &path, &fields).await.expect(404);
        }
    }
}

#[actix_web::test]
async fn the_list_is_filtered_sorted_and_paged() {
    let (app, ada, mug) = shop().await;
    let bob = app.shop.accounts.register(new_user("bob")).unwrap();
    let staff = app.staff().await;
    for number in 0..60_i64 {
        app.order(&ada, &[(&mug, 1 + number % 3)]);
    }
    let order = app.order(&bob, &[(&mug, 5)]);
    set(&app, &order, OrderStatus::Processing);
    let row = |id: i64| format!("<a href=\"/admin/orders/{id}/\">{id}</a>");
    let first = staff.get("/admin/orders/").await.expect(200);
    let first = first.has(&row(61)).has(&row(12)).has_not(&row(11));
    let next = first.text.split("\" rel=\"next\"").next().unwrap();
    let next = next.rsplit("href=\"").next().unwrap().replace("&#38;", "&");
    let next = staff.get(&format!("/admin/orders/{next}")).await;
    let _ = next.has(&row(11)).has(&row(1)).has_not(&row(12));
    let list = staff.get("/admin/orders/?sort=-total_price").await;
    let list = list.has("aria-sort=\"descending\"");
    let (dear, cheap) = (list.text.find(&row(61)), list.text.find(&row(60)));
    assert!(dear.unwrap() < cheap.unwrap());
    for query in [
        "customer=bob",
        "customer=BOB",
        "customer=3",
        "status=processing",
    ] {
        let list = staff.get(&format!("/admin/orders/?{query}")).await;
        let _ = list.expect(200).has(&row(61)).has_not(&row(60));
    }
    // The clock of the tests stands in 2077.
    for (query, found) in [
        ("from=2077-09-27&to=2077-09-27", true),
        ("from=2077-09-28", false),
        ("to=2077-09-26", false),
    ] {
        let list = staff
            .get(&format!("/admin/orders/?{query}"))
            .await
            .expect(200);
        assert_eq!(list.text.contains(&row(61)), found, "{query}");
    }
    assert_eq!(
        staff.get("/admin/orders/?id=61").await.location(),
        "/admin/orders/61/"
    );
    assert_eq!(
        staff.get("/admin/orders/?id=%2361").await.location(),
        "/admin/orders/61/"
    );
    for (query, status, error) in [
        ("id=99", 404, "No order has this number."),
        ("id=x", 400, "The number of an order has only digits."),
        ("customer=eve", 404, "No customer has this name or number."),
        ("customer=99", 404, "No customer has this name or number."),
        ("from=2077-02-30", 400, "Enter a date, such as 2026-01-31."),
        ("to=%2B99999-01-01", 400, "Enter a date"),
        ("status=lost", 400, "Must be one of: pending"),
    ] {
        let list = staff.get(&format!("/admin/orders/?{query}")).await;
        let list = list.expect(status).has(error);
        let _ = list.has_not(&row(61));
    }
    let forged = staff.get("/admin/orders/?cursor=forged&sort=x").await;
    let _ = forged.expect(200).has(&row(61));
}

/// An order of a product with hostile text.
fn hostile(app: &App, ada: &Account) -> Order {
    let price = Price::parse("2.00", usd()).unwrap();
    let draft = ProductDraft {
        sku: Some(Sku::new(HOSTILE).unwrap()),
        ..ProductDraft::new(HOSTILE.parse().unwrap(), price)
    };
    let created = app.shop.catalogue.create(app.grace.actor(), draft, None);
    app.order(ada, &[(&created.unwrap().executed().unwrap(), 1)])
}

#[actix_web::test]
async fn text_of_orders_is_escaped_on_every_page() {
    let (app, ada, _) = shop().await;
    let staff = app.staff().await;
    hostile(&app, &ada);
    for path in ["/admin/orders/1/", "/admin/orders/1/packing-slip/"] {
        let reply = staff.get(path).await.expect(200);
        let reply = reply.has("&#60;script&#62;alert(1)");
        let _ = reply.has_not("<script>alert");
    }
    let text = "%22%3E%3C%2Ftitle%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for name in [
        "id", "customer", "status", "from", "to", "archived", "sort", "cursor", "x",
    ] {
        let reply = staff.get(&format!("/admin/orders/?{name}={text}")).await;
        let _ = reply.has_not("<script>alert");
    }
    let slip = format!("/admin/orders/1/packing-slip/?prices={text}");
    staff.get(&slip).await.expect(200).has_not("<script>alert");
}
