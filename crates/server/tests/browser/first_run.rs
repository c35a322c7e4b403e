//! From an empty folder to the first staff user.

use crate::browser::Browser;
use crate::place::{Place, QUICK};
use std::io::{BufRead, Read};

#[test]
fn the_setup_link_makes_the_first_staff_user_once() {
    let place = Place::new();
    let mut server = place.serve(&[&QUICK[..], &["--throttle", "off"]].concat());
    let lines = server.out.by_ref().lines().map(Result::unwrap);
    let link = lines
        .map(|line| line.trim().to_owned())
        .find(|line| line.contains("/admin/setup/?token="))
        .unwrap();
    let link = link.split_once(&server.address).unwrap().1.to_owned();
    let browser = Browser::open(&server.address);

    browser.go("/");
    browser.see("Welcome to Tradepost");
    browser.see("There is no staff user yet. Open the setup link");
    browser.is_well_made();
    browser.go("/admin/setup/?token=forged");
    browser.see("This is not the current setup link.");
    browser.is_well_made();

    browser.go(&link);
    browser.is_well_made();
    browser.fill("Username", "ada");
    browser.fill("E-mail address", "ada@example.org");
    browser.fill("Password", "correct horse");
    browser.fill("Password, again", "correct house");
    browser.press("Create the staff user");
    browser.see("The two passwords differ.");
    assert_eq!(browser.typed("Username"), "ada");
    assert_eq!(browser.typed("E-mail address"), "ada@example.org");
    assert_eq!(browser.typed("Password"), "");
    browser.is_well_made();
    browser.fill("Password", "correct horse");
    browser.fill("Password, again", "correct horse");
    browser.press("Create the staff user");
    assert_eq!(browser.path(), "/admin/");
    browser.see("Dashboard");

    browser.go(&link);
    browser.see("This shop has a staff user already");
    browser.is_well_made();
    browser.go("/");
    assert!(!browser.text().contains("There is no staff user yet"));
    browser.follow("Admin");
    browser.press("Sign out");
    browser.sign_in("ada", "correct horse");
    browser.see("Dashboard");
}
