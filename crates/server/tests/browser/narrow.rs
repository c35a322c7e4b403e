//! The admin interface on a phone, 320 CSS pixels wide.

use crate::browser::{NARROW, Options};
use crate::shop::Shop;

#[test]
fn a_product_is_found_and_edited_on_a_phone() {
    let shop = Shop::new();
    let browser = shop.staff(Options {
        size: NARROW,
        dark: true,
        ..Options::default()
    });
    browser.fits();
    browser.follow("Products");
    browser.fits();
    browser.fill("Search", "teapot");
    browser.press("Filter");
    browser.follow("Glass teapot, 1 l");
    browser.fits();
    // A word without a place to break.
    let word = "teapot".repeat(20);
    browser.fill("Name", &word);
    browser.press("Save");
    browser.see(&format!("“{word}” was saved."));
    browser.fits();
    browser.follow("Products");
    browser.fits();
}
