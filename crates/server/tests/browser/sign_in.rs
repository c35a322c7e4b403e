//! Signing in and out.

use crate::browser::Options;
use crate::shop::Shop;

#[test]
fn staff_sign_in_to_the_page_that_they_asked_for() {
    let shop = Shop::new();
    shop.customer("grace");
    let browser = shop.browser();
    browser.go("/admin/products/?q=mug&in_stock=1");
    assert!(browser.path().starts_with("/admin/sign-in/?next="));
    browser.is_well_made();

    browser.sign_in("ada", "wrong horse");
    browser.see("The username or the password is wrong, or the account is deactivated.");
    assert_eq!(browser.typed("Username"), "ada");
    assert_eq!(browser.typed("Password"), "");
    browser.is_well_made();
    browser.sign_in("", "");
    browser.see("Enter your username and your password.");
    browser.sign_in("grace", "a quiet harbour");
    browser.see("This account is a customer's. Only staff can use the admin interface.");

    browser.sign_in("ada", "correct horse");
    assert_eq!(browser.path(), "/admin/products/?q=mug&in_stock=1");
    assert_eq!(browser.typed("Search"), "mug");

    browser.press("Sign out");
    assert_eq!(browser.path(), "/admin/sign-in/");
    browser.go("/admin/products/1/");
    assert_eq!(browser.path(), "/admin/sign-in/?next=%2Fproducts%2F1%2F");
}

#[test]
fn signing_out_everywhere_ends_the_sessions_of_all_browsers() {
    let shop = Shop::new();
    let (here, there) = (
        shop.staff(Options::default()),
        shop.staff(Options::default()),
    );
    there.go("/admin/products/new/");
    there.fill("Name", "Kettle");
    here.follow("ada");
    here.press("Sign out everywhere");
    assert_eq!(here.path(), "/admin/sign-in/");
    there.press("Create");
    assert!(
        there.path().starts_with("/admin/sign-in/"),
        "{}",
        there.path()
    );
    there.go("/admin/");
    assert!(
        there.path().starts_with("/admin/sign-in/"),
        "{}",
        there.path()
    );
    let (_, products) = shop
        .server
        .get("/api/products/?search=Kettle&in_stock=false", "");
    assert!(products.starts_with("{\"count\":1,"), "{products}");
}
