//! Orders: through their states, cancelled, many at once, and with two people at one order.

use crate::browser::Options;
use crate::shop::Shop;

#[test]
fn an_order_goes_through_its_states() {
    let shop = Shop::new();
    let token = shop.customer("grace");
    shop.order(&token, &[(1, 2), (8, 1)]);
    let browser = shop.staff(Options::default());
    browser.go("/admin/orders/");
    browser.is_well_made();
    browser.follow("1");
    browser.see("Order 1");
    browser.is_well_made();
    browser.follow("Packing slip");
    browser.see("Assam tea, 250 g");
    browser.is_well_made();
    browser.follow("Order 1");
    for state in ["processing", "shipped", "delivered"] {
        browser.press(&format!("Mark as {state}"));
        browser.see(&format!("Order 1 {state}"));
    }
    assert!(!browser.has("main button"), "{}", browser.text());
    let history = browser.script(
        "return Array.from(document.querySelectorAll('[aria-label=History] tbody tr'), \
         row => row.cells[3].innerText)",
    );
    let states = serde_json::json!(["pending", "processing", "shipped", "delivered"]);
    assert_eq!(history, states);
    let token = format!("Authorization: Bearer {token}\r\n");
    let (_, seen) = shop.server.get("/api/orders/1/", &token);
    assert!(seen.contains("\"status\":\"delivered\""), "{seen}");
}

#[test]
fn a_cancelled_order_returns_its_units() {
    let shop = Shop::new();
    let token = shop.customer("grace");
    shop.order(&token, &[(12, 1)]);
    let browser = shop.staff(Options::default());
    browser.go("/admin/orders/1/");
    browser.follow("Cancel …");
    browser.is_well_made();
    browser.follow("Keep it");
    browser.follow("Cancel …");
    browser.press("Cancel the order");
    browser.see("Order 1 cancelled");
    browser.is_well_made();
    browser.go("/admin/products/?q=gift");
    browser.follow("1");
    browser.see("Stock of Gift box");
}

#[test]
fn the_second_of_two_people_learns_of_the_first() {
    let shop = Shop::new();
    let token = shop.customer("grace");
    shop.order(&token, &[(1, 1)]);
    let (first, second) = (
        shop.staff(Options::default()),
        shop.staff(Options::default()),
    );
    for browser in [&first, &second] {
        browser.go("/admin/orders/1/");
    }
    first.press("Mark as processing");
    second.press("Mark as processing");
    second.see("Order 1 was changed meanwhile");
    second.is_well_made();
    second.follow("Open the order and choose again");
    second.press("Mark as shipped");
    second.see("Order 1 shipped");
}

#[test]
fn ticked_orders_are_changed_together() {
    let shop = Shop::new();
    let token = shop.customer("grace");
    for product in [1, 2, 3] {
        shop.order(&token, &[(product, 1)]);
    }
    let browser = shop.staff(Options::default());
    browser.go("/admin/orders/");
    browser.click("[data-select-all]");
    browser.select("Change ticked orders to", "processing");
    // Another person is faster with one of them.
    shop.advance(2, &["processing", "shipped"]);
    browser.press("Change");
    browser.see("2 changed to processing, 1 not");
    browser.is_well_made();
    browser.follow("Back to the list");
    let states = browser
        .script("return Array.from(document.querySelectorAll('tbody .tag'), tag => tag.innerText)");
    assert_eq!(
        states,
        serde_json::json!(["processing", "shipped", "processing"])
    );
}
