//! The admin interface by keyboard alone.

use crate::browser::Browser;
use crate::shop::Shop;
use fantoccini::key::Key;

/// More steps than any page needs.
const STEPS: usize = 60;

#[test]
fn a_product_is_edited_by_keyboard_alone() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.go("/admin/sign-in/");
    browser.tab_to("Username");
    browser.keys("ada");
    browser.tab_to("Password");
    browser.keys("correct horse");
    browser.opens(|| browser.keys(&Key::Enter.to_string()));
    browser.see("Dashboard");

    browser.keys("?");
    assert!(browser.has("dialog[open]"));
    browser.see("These shortcuts");
    browser.keys(&Key::Escape.to_string());
    assert!(!browser.has("dialog[open]"));

    browser.tab_to("Products");
    browser.opens(|| browser.keys(&Key::Enter.to_string()));
    browser.keys("/");
    assert_eq!(browser.focused(), "Search");
    // In a field, the keys of the shortcuts are text.
    browser.keys("grinder/?");
    assert_eq!(browser.typed("Search"), "grinder/?");
    assert!(!browser.has("dialog[open]"));
    browser.keys(&format!("{}{}", Key::Backspace, Key::Backspace));
    browser.opens(|| browser.keys(&Key::Enter.to_string()));

    browser.tab_to("Hand grinder");
    browser.opens(|| browser.keys(&Key::Enter.to_string()));
    // Past the navigation to the content.
    browser.tab_to("Skip to the content");
    browser.keys(&Key::Enter.to_string());
    browser.tab_to("Price");
    browser.keys(&format!("{}a{}", Key::Control, Key::Control));
    browser.keys("75.00");
    browser.opens(|| browser.keys(&Key::Enter.to_string()));
    browser.see("“Hand grinder” was saved.");
    assert_eq!(browser.typed("Price"), "75.00");
}

impl Browser {
    /// Presses Tab until the element with this label or text has the focus. Each element on the way
    /// shows that it has the focus.
    #[track_caller]
    fn tab_to(&self, name: &str) {
        for _ in 0..STEPS {
            self.keys(&Key::Tab.to_string());
            let shown = "const e = document.activeElement, style = getComputedStyle(e), \
                box = e.getBoundingClientRect(); \
                return e === document.body || style.outlineStyle !== 'none' \
                    && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0 && box.right > 0";
            let focused = self.focused();
            assert_eq!(self.script(shown), true, "{focused} on {}", self.path());
            if focused == name {
                return;
            }
        }
        panic!("the keyboard does not reach {name} on {}", self.path());
    }
}
