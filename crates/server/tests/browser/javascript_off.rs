//! The admin interface without scripts.

use crate::browser::Options;
use crate::shop::Shop;

#[test]
fn products_are_kept_without_scripts() {
    let shop = Shop::new();
    let browser = shop.staff(Options {
        javascript: false,
        ..Options::default()
    });
    assert!(!browser.has("html.js"));
    browser.follow("Products");
    browser.fill("Search", "teapot");
    browser.press("Filter");
    browser.follow("Glass teapot, 1 l");
    browser.fill("Price", "a lot");
    browser.fill("Description", "Borosilicate glass.");
    browser.press("Save");
    browser.see("Some fields need another look.");
    assert_eq!(browser.typed("Description"), "Borosilicate glass.");
    browser.fill("Price", "32.00");
    browser.press("Save");
    browser.see("“Glass teapot, 1 l” was saved.");
    browser.follow("18");
    browser.fill("Change in units", "12");
    browser.press("Adjust");
    browser.see("The stock is 30 now.");
    browser.go("/admin/products/?q=teapot");
    browser.click("[name=id]");
    browser.press("Edit price and stock of the ticked products");
    browser.fill_in("[aria-label='Price of Glass teapot, 1 l']", "33.00");
    browser.press("Save all");
    browser.go("/admin/products/8/");
    assert_eq!(browser.typed("Price"), "33.00");
    browser.press("Sign out");
    browser.see("Sign in");
}
