//! Every page of the route table.

use crate::browser::Options;
use crate::shop::Shop;
use tradepost_admin::table;

/// Files, which a browser saves instead of showing.
const FILES: [&str; 3] = [
    "/admin/assets/{file}/",
    "/admin/orders/export/",
    "/admin/products/export/",
];

#[test]
fn every_page_is_well_made() {
    let shop = Shop::new();
    let customer = shop.customer("grace");
    shop.order(&customer, &[(1, 2), (6, 1)]);
    let browser = shop.staff(Options::default());
    for path in paths().chain(["/admin/customers/2/".to_owned()]) {
        browser.go(&path);
        assert_eq!(browser.path(), path);
        browser.is_well_made();
    }
    browser.press("Sign out");
    for path in ["/admin/sign-in/", "/"] {
        browser.go(path);
        browser.is_well_made();
    }
}

#[test]
fn an_unknown_page_is_well_made() {
    let shop = Shop::new();
    let browser = shop.staff(Options::default());
    for path in [
        "/admin/products/999/",
        "/admin/products/x/",
        "/admin/nothing/",
    ] {
        browser.go(path);
        assert!(browser.has("h1"), "{}", browser.text());
        browser.is_well_made();
    }
}

/// The path of each page, of the first product, order and user.
fn paths() -> impl Iterator<Item = String> {
    let pages = table().iter().filter(|route| route.method() == "GET");
    let pages = pages.map(|route| route.path());
    let pages = pages.filter(|path| !FILES.contains(path));
    pages.map(|path| path.replace("{id}", "1"))
}
