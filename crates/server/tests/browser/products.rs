//! Products: create, edit, archive, restore, many at once, and two editors.

use crate::browser::{Browser, Options};
use crate::shop::Shop;
use serde_json::{Value, json};

#[test]
fn a_product_is_created_edited_archived_and_restored() {
    let shop = Shop::new();
    let browser = shop.staff(Options::default());
    browser.follow("Products");
    browser.follow("New product");
    browser.fill("Name", "Travel mug <b>");
    browser.fill("Price", "cheap");
    browser.fill("Units on hand", "twelve");
    browser.fill("Description", "For the train.\nHolds 400 ml.");
    browser.press("Create");
    browser.see("Some fields need another look. Nothing was changed.");
    assert_eq!(browser.typed("Name"), "Travel mug <b>");
    assert_eq!(browser.typed("Price"), "cheap");
    assert_eq!(browser.typed("Units on hand"), "twelve");
    assert_eq!(
        browser.typed("Description"),
        "For the train.\nHolds 400 ml."
    );
    assert!(browser.has("#price[aria-invalid=true]") && browser.has("#stock[aria-invalid=true]"));
    browser.is_well_made();
    browser.fill("Price", "19.50");
    browser.fill("Units on hand", "12");
    browser.press("Create");
    browser.see("“Travel mug <b>” was created.");
    let path = browser.path();

    browser.fill("Price", "");
    browser.fill("SKU", "MUG-TRAVEL");
    browser.press("Save");
    browser.see("A decimal number is required.");
    assert_eq!(browser.typed("SKU"), "MUG-TRAVEL");
    browser.fill("Price", "21");
    browser.press("Save");
    browser.see("“Travel mug <b>” was saved.");
    assert_eq!(browser.typed("Price"), "21.00");
    browser.go(&path);
    assert!(!browser.text().contains("was saved"));

    browser.press("Archive");
    browser.see("was archived. Customers no longer see it.");
    assert_eq!(products(&shop, "Travel"), 0);
    browser.press("Restore");
    browser.see("was restored. Customers see it again.");
    assert_eq!(products(&shop, "Travel"), 1);
    browser.follow("Changes of the product and of its stock");
    browser.see("product.archived");
    browser.is_well_made();
}

#[test]
fn stock_is_adjusted_with_a_reason_in_the_ledger() {
    let shop = Shop::new();
    let browser = shop.staff(Options::default());
    browser.go("/admin/products/?q=gift");
    browser.follow("1");
    browser.see("Stock of Gift box");
    browser.fill("Change in units", "-2");
    browser.fill("Reason", "Broken <i>in</i> transit");
    browser.press("Adjust");
    assert!(browser.has("[role=alert]"), "{}", browser.text());
    assert_eq!(browser.typed("Change in units"), "-2");
    assert_eq!(browser.typed("Reason"), "Broken <i>in</i> transit");
    browser.is_well_made();
    browser.fill("Change in units", "-1");
    browser.press("Adjust");
    browser.see("The stock is 0 now.");
    browser.see("Broken <i>in</i> transit");
    browser.is_well_made();
}

#[test]
fn price_and_stock_of_ticked_products_are_saved_together() {
    let shop = Shop::new();
    let browser = shop.staff(Options::default());
    browser.go("/admin/products/?q=stoneware");
    browser.click("[data-select-all]");
    browser.press("Edit price and stock of the ticked products");
    browser.see("Price and stock of 2 products");
    browser.is_well_made();
    browser.fill_in("[aria-label='Price of Stoneware mug, grey']", "free");
    browser.fill_in("[aria-label='Price of Stoneware mug, blue']", "15.00");
    browser.fill_in("[aria-label='Change of stock of Stoneware mug, blue']", "5");
    browser.press("Save all");
    assert!(browser.has("[aria-label='Price of Stoneware mug, grey'][value=free]"));
    browser.is_well_made();
    browser.fill_in("[aria-label='Price of Stoneware mug, grey']", "16.00");
    browser.press("Save all");
    browser.go("/admin/products/?q=stoneware");
    let text = browser.text();
    assert!(
        text.contains("16.00") && text.contains("15.00") && text.contains("45"),
        "{text}"
    );
}

#[test]
fn the_second_editor_sees_what_changed_and_loses_nothing() {
    let shop = Shop::new();
    let (first, second) = (
        shop.staff(Options::default()),
        shop.staff(Options::default()),
    );
    for browser in [&first, &second] {
        browser.go("/admin/products/6/");
    }
    first.fill("Price", "15.00");
    first.fill("Weight in grams", "340");
    first.press("Save");
    first.see("was saved");

    second.fill("Price", "13.00");
    second.fill("Description", "Holds 320 ml.");
    second.press("Save");
    second.see("Stoneware mug, grey was changed meanwhile");
    assert_eq!(
        rows(&second),
        json!([["Price", "15.00", "13.00"], ["Weight", "340", "0"]])
    );
    second.is_well_made();
    second.press("Take the values of the shop for these fields");
    assert_eq!(second.typed("Price"), "15.00");
    assert_eq!(second.typed("Weight in grams"), "340");
    assert_eq!(second.typed("Description"), "Holds 320 ml.");

    // A third change comes before the second editor's, who insists.
    first.fill("Price", "16.00");
    first.press("Save");
    first.see("was saved");
    second.fill("Price", "13.00");
    second.press("Save");
    assert_eq!(rows(&second), json!([["Price", "16.00", "13.00"]]));
    second.press("Continue with what I typed");
    assert_eq!(second.typed("Price"), "13.00");
    second.press("Save");
    second.see("was saved");
    first.go("/admin/products/6/");
    assert_eq!(first.typed("Price"), "13.00");
    assert_eq!(first.typed("Weight in grams"), "340");
    assert_eq!(first.typed("Description"), "Holds 320 ml.");
}

/// The rows of the table of changes: field, current value, typed value.
fn rows(browser: &Browser) -> Value {
    browser.script(
        "return Array.from(document.querySelectorAll('tbody tr'), \
         row => Array.from(row.cells, cell => cell.innerText.trim()))",
    )
}

/// How many products a customer finds.
fn products(shop: &Shop, search: &str) -> u64 {
    let (_, found) = shop
        .server
        .get(&format!("/api/products/?search={search}"), "");
    let found: Value = serde_json::from_str(&found).unwrap();
    found["count"].as_u64().unwrap()
}
