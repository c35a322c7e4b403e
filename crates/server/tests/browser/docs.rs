//! The page of the API's documentation.

use crate::browser::{Browser, NARROW, Options};
use crate::place::Place;

#[test]
fn the_docs_page_lists_the_operations() {
    let place = Place::new();
    let server = place.serve(&[]);
    let browser = Browser::open(&server.address);
    browser.go("/api/docs/");
    browser.see("/api/products/");
}

#[test]
fn the_docs_page_fits_a_narrow_screen() {
    let place = Place::new();
    let server = place.serve(&[]);
    let options = Options {
        size: NARROW,
        dark: true,
        ..Options::default()
    };
    let browser = Browser::with(&server.address, options);
    browser.go("/api/docs/");
    browser.see("/api/products/");
    let width = browser.script("return document.documentElement.scrollWidth");
    assert!(width.as_u64() <= Some(320), "{width}");
}

#[test]
fn a_page_with_a_fault_is_not_accessible() {
    let place = Place::new();
    let server = place.serve(&[]);
    let browser = Browser::open(&server.address);
    browser.go("/api/docs/");
    browser.script("document.body.append(document.createElement('input'))");
    let violations = browser.violations();
    assert!(
        violations.iter().any(|one| one.starts_with("label:")),
        "{violations:?}"
    );
}
