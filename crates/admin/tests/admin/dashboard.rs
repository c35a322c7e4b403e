//! The dashboard.

use crate::support::{App, new_user};
use tradepost_domain::identity::Account;
use tradepost_domain::inventory::{LedgerCheck, LedgerCheckKind, StockDelta};
use tradepost_domain::kernel::{Clock, Quantity};
use tradepost_domain::orders::{Order, OrderStatus};

/// Text that breaks a page which does not escape it.
pub(crate) const HOSTILE: &str = "</td><script>alert(1)</script>\"'&";

/// An order of two units of a product with one more in stock.
pub(crate) fn order(app: &App, customer: &Account, name: &str) -> Order {
    let product = app.product(name, "1234.50");
    let delta = StockDelta::requested(3).unwrap();
    let grace = app.grace.actor();
    let adjusted = app
        .shop
        .inventory
        .adjust_stock(grace, product.id, delta, None, None);
    adjusted.unwrap();
    let quantity = Quantity::new(2).unwrap();
    let actor = customer.actor();
    app.shop
        .carts
        .add(actor, product.id, quantity, None)
        .unwrap();
    let placed = app.shop.orders.place(actor, None, None);
    placed.unwrap().executed().unwrap()
}

#[actix_web::test]
async fn an_empty_shop_has_a_dashboard() {
    let app = App::new().await;
    let page = app.staff().await.get("/admin/").await.expect(200);
    let page = page.has("0.00 USD").has("No sales in this time.");
    let page = page.has("No product is low in stock.");
    let _ = page
        .has("There are no orders yet.")
        .has("The ledger was not checked yet");
}

#[actix_web::test]
async fn the_dashboard_shows_sales_and_work() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = app.shop.accounts.register(new_user("ada")).unwrap();
    let first = order(&app, &ada, HOSTILE);
    let second = order(&app, &ada, "Mug");
    let processing = OrderStatus::Processing;
    let grace = app.grace.actor();
    (app.shop.orders)
        .set_status(grace, second.id, processing, None)
        .unwrap();
    let page = staff.get("/admin/").await.expect(200);
    let page = page.has("<p class=\"figure\">4,938.00 USD</p>\n<p>2 orders</p>");
    // The chart, with words for screen readers, and the same numbers as a table.
    let page = page
        .has("role=\"img\"")
        .has("<title>2077-09-27: 4,938.00 USD</title>");
    let page = page
        .has("At most 4,938.00 USD, on 2077-09-27.")
        .has("<th scope=\"row\">2077-08-29</th>");
    assert_eq!(page.text.matches("<rect ").count(), 60);
    let page = page
        .has("/admin/orders/?status=pending\">pending</a></dt><dd>1</dd>")
        .has("/admin/orders/?status=processing\">processing</a></dt><dd>1</dd>")
        .has("/admin/orders/?status=shipped\">shipped</a></dt><dd>0</dd>")
        .has_not("status=delivered");
    let page = page
        .has(&format!("/admin/orders/{}/\">{}<", first.id, first.id))
        .has(&format!("/admin/customers/{}/\">ada</a>", ada.id))
        .has("/admin/products/1/stock/\">1</a>");
    let _ = page.has_not("<script>alert").has("&#60;script&#62;");
}

#[actix_web::test]
async fn days_without_sales_leave_the_chart() {
    let app = App::new().await;
    let ada = app.shop.accounts.register(new_user("ada")).unwrap();
    order(&app, &ada, "Mug");
    app.clock.advance(86_400);
    let page = app.staff().await.get("/admin/").await;
    let page = page.has("<p class=\"figure\">0.00 USD</p>\n<p>0 orders</p>");
    let _ = page.has("<p class=\"figure\">2,469.00 USD</p>\n<p>1 orders</p>");
    app.clock.advance(29 * 86_400);
    let page = app.staff().await.get("/admin/").await;
    let _ = page.has_not("2,469.00 USD</p>");
}

#[actix_web::test]
async fn the_ledger_is_checked_on_demand() {
    let app = App::new().await;
    let staff = app.staff().await;
    let ada = app.shop.accounts.register(new_user("ada")).unwrap();
    order(&app, &ada, "Mug");
    let page = staff.get("/admin/").await;
    let reply = page.submit_to(&staff, "/admin/check-ledger/", &[]).await;
    assert_eq!(reply.location(), "/admin/");
    let page = staff.get("/admin/").await.has("The ledger was checked.");
    let _ = page
        .has("The whole ledger is right: 1 products, 1 orders and 2 movements were read.")
        .has("class=\"tag good\">right<");
    let forged = [("csrf", "forged")];
    staff
        .post("/admin/check-ledger/", &forged)
        .await
        .expect(403);
}

#[actix_web::test]
async fn the_results_of_ledger_checks_are_kept() {
    let app = App::new().await;
    let staff = app.staff().await;
    let check = LedgerCheck {
        kind: LedgerCheckKind::Stock,
        at: app.clock.now(),
        products: 1_234,
        orders: 0,
        movements: 9,
        discrepancies: 2,
        first: vec![HOSTILE.to_owned()],
    };
    app.stores.ledger.record_check(&check).unwrap();
    let page = staff.get("/admin/").await.expect(200);
    let page = page.has("The stock is wrong in 2 places: 1,234 products were compared");
    let page = page
        .has("class=\"tag bad\">wrong<")
        .has("&#60;script&#62;alert(1)");
    let _ = page.has_not("<script>alert").has("tradepost verify");
}
