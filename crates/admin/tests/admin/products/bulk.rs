//! Price and stock of many products at once.

use super::HOSTILE;
use crate::support::{App, Browser, Reply};
use tradepost_domain::catalog::{Price, Product, ProductChange};
use tradepost_domain::testing::usd;

const SAVE: &str = "/admin/products/bulk/save/";

fn products(app: &App) -> Vec<Product> {
    let name = |number| format!("Mug {number}");
    (1..=3).map(|n| app.product(&name(n), "9.90")).collect()
}

/// The form for the products 1 to 3.
async fn form(staff: &Browser<'_>) -> Reply {
    let list = staff.get("/admin/products/").await;
    let ids = [
        ("id", "1"),
        ("id", "2"),
        ("id", "3"),
        ("id", "x"),
        ("id", "99"),
    ];
    let page = list.submit_to(staff, "/admin/products/bulk/", &ids).await;
    page.expect(200).has("Price and stock of 3 products")
}

async fn save(staff: &Browser<'_>, page: &Reply, typed: &[(&str, &str)]) -> Reply {
    let ids = [("id", "1"), ("id", "2"), ("id", "3")];
    let untouched = [
        "price.1", "price.2", "price.3", "delta.1", "delta.2", "delta.3", "note",
    ];
    let untouched = untouched
        .into_iter()
        .filter(|name| typed.iter().all(|(typed, _)| typed != name));
    let untouched: Vec<_> = untouched.map(|name| (name, page.field(name))).collect();
    let mut all = ids.to_vec();
    all.extend(
        untouched
            .iter()
            .map(|(name, value)| (*name, value.as_str())),
    );
    all.extend(typed);
    page.submit_to(staff, SAVE, &all).await
}

fn set_price(app: &App, product: &Product, price: &str) {
    let change = ProductChange {
        price: Some(Price::parse(price, usd()).unwrap()),
        ..ProductChange::default()
    };
    let changed = app
        .shop
        .catalogue
        .change(app.grace.actor(), product.id, change, None);
    changed.unwrap();
}

/// Price and stock of each product.
fn state(app: &App, products: &[Product]) -> Vec<(String, i64)> {
    let stored = products.iter().map(|product| app.stored(product));
    stored
        .map(|product| (product.price.money().to_string(), product.stock.units()))
        .collect()
}

fn expected(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter()
        .map(|(price, stock)| (String::from(*price), *stock))
        .collect()
}

#[actix_web::test]
async fn price_and_stock_of_many_are_saved_together() {
    let app = App::new().await;
    let staff = app.staff().await;
    let products = products(&app);
    let list = staff.get("/admin/products/").await;
    for path in ["/admin/products/bulk/", SAVE] {
        let nothing = list.submit_to(&staff, path, &[]).await;
        assert_eq!(nothing.location(), "/admin/products/");
    }
    let page = form(&staff).await;
    let nothing = save(&staff, &page, &[]).await;
    let list = staff.get(nothing.location()).await;
    let _ = list.has("Nothing was changed");
    let typed = [
        ("price.1", "11"),
        ("delta.1", "4"),
        ("delta.2", "7"),
        ("note", "Delivery"),
    ];
    let saved = save(&staff, &page, &typed).await;
    let _ = staff
        .get(saved.location())
        .await
        .has("2 products were saved");
    let after = expected(&[("11.00", 4), ("9.90", 7), ("9.90", 0)]);
    assert_eq!(state(&app, &products), after);
    let ledger = staff.get("/admin/products/2/stock/").await;
    let _ = ledger.has("Delivery").has("adjustment");
}

#[actix_web::test]
async fn one_error_saves_no_product_and_loses_nothing() {
    let app = App::new().await;
    let staff = app.staff().await;
    let products = products(&app);
    let before = expected(&[("9.90", 0); 3]);
    let page = form(&staff).await;
    let typed = [
        ("price.1", "11.00"),
        ("delta.1", "4"),
        ("price.2", "free"),
        ("delta.3", "many"),
        ("note", HOSTILE),
    ];
    let reply = save(&staff, &page, &typed).await.expect(400);
    let reply = reply
        .has("id=\"price.2-error\"")
        .has("id=\"delta.3-error\"");
    let reply = reply
        .has("Nothing was changed")
        .has_not("id=\"price.1-error\"");
    assert_eq!(state(&app, &products), before);
    let kept = ["price.1", "delta.1", "price.2", "delta.3"].map(|name| reply.field(name));
    assert_eq!(kept, ["11.00", "4", "free", "many"]);
    // An error that only the shop finds.
    let typed = [("price.1", "11.00"), ("delta.1", "4"), ("delta.2", "-1")];
    let reply = save(&staff, &page, &typed).await.expect(400);
    let reply = reply.has("Only 0 units are in stock.");
    assert_eq!(reply.field("delta.1"), "4");
    assert_eq!(state(&app, &products), before);
    let ledger = staff.get("/admin/products/1/stock/").await;
    let _ = ledger.has("Nothing has moved yet");
}

#[actix_web::test]
async fn a_price_that_was_changed_meanwhile_is_shown_beside_the_typed_one() {
    let app = App::new().await;
    let staff = app.staff().await;
    let products = products(&app);
    let page = form(&staff).await;
    set_price(&app, &products[1], "5.00");
    set_price(&app, &products[2], "6.00");
    // The third price was not edited in the form, and is no conflict.
    let typed = [("price.1", "11.00"), ("price.2", "12.00"), ("delta.3", "2")];
    let conflict = save(&staff, &page, &typed).await.expect(412);
    let conflict = conflict.has("Another user changed it to 5.00 meanwhile");
    assert_eq!(conflict.field("price.2"), "12.00");
    assert_eq!(
        state(&app, &products),
        expected(&[("9.90", 0), ("5.00", 0), ("6.00", 0)])
    );
    save(&staff, &conflict, &typed).await.expect(303);
    assert_eq!(
        state(&app, &products),
        expected(&[("11.00", 0), ("12.00", 0), ("6.00", 2)])
    );
}

#[actix_web::test]
async fn an_archived_product_stops_the_others() {
    let app = App::new().await;
    let staff = app.staff().await;
    let products = products(&app);
    let page = form(&staff).await;
    let archived = app
        .shop
        .catalogue
        .archive(app.grace.actor(), products[0].id, None);
    archived.unwrap();
    let typed = [("price.1", "11.00"), ("price.2", "12.00")];
    let reply = save(&staff, &page, &typed).await.expect(400);
    let _ = reply.has("The product was archived meanwhile.");
    assert_eq!(state(&app, &products), expected(&[("9.90", 0); 3]));
    save(&staff, &page, &[("price.2", "12.00")])
        .await
        .expect(303);
}
