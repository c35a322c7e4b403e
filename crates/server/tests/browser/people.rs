//! Customers and staff, and the audit log.

use crate::browser::Options;
use crate::shop::Shop;

#[test]
fn a_customer_is_deactivated_and_made_staff() {
    let shop = Shop::new();
    let token = shop.customer("grace");
    shop.order(&token, &[(1, 1)]);
    let may_order = || {
        let token = format!("Authorization: Bearer {token}\r\n");
        shop.server.get("/api/cart/", &token).0
    };
    assert_eq!(may_order(), 200);
    let browser = shop.staff(Options::default());
    browser.follow("Customers");
    browser.fill("Part of the username or e-mail address", "gra");
    browser.press("Search");
    browser.follow("grace");
    browser.is_well_made();

    browser.press("Deactivate");
    browser.see("The user cannot sign in.");
    assert_eq!(may_order(), 401);
    browser.press("Activate");
    browser.fill("New password", "a new harbour");
    browser.fill("New password, again", "a new habour");
    browser.press("Set the password");
    browser.see("The two passwords differ.");
    assert_eq!(browser.typed("New password"), "");
    browser.is_well_made();
    browser.fill("New password", "a new harbour");
    browser.fill("New password, again", "a new harbour");
    browser.press("Set the password");
    browser.press("Make staff");
    browser.is_well_made();

    let colleague = shop.browser();
    colleague.go("/admin/");
    colleague.sign_in("grace", "a new harbour");
    colleague.see("Dashboard");
    browser.press("Make a customer");
    colleague.until(|| {
        colleague.go("/admin/products/");
        !colleague.text().contains("New product")
    });
    colleague.is_well_made();

    browser.go("/admin/audit/");
    browser.fill("Customer or account", "grace");
    browser.press("Filter");
    browser.is_well_made();
    let text = browser.text();
    for kind in ["account.registered", "account.switched"] {
        assert!(text.contains(kind), "{kind}: {text}");
    }
    assert!(!text.contains("was created"), "{text}");
    browser.fill("Customer or account", "nonesuch");
    browser.press("Filter");
    assert_eq!(browser.typed("Customer or account"), "nonesuch");
    browser.is_well_made();
}
