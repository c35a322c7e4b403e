//! Pictures of the main pages for the documentation.
//!
//! `scripts/screenshots` runs this test with a folder in [`FOLDER`], to which it writes them. Without
//! it, the test checks that the pages can be pictured and that the folder has the pictures.

use crate::browser::Options;
use crate::shop::Shop;
use std::path::Path;

/// The variable with the folder to write to.
const FOLDER: &str = "TRADEPOST_SCREENSHOTS";

/// The size of a picture in bytes that a page of documentation can bear, after the compression of
/// the script.
const MOST: usize = 120_000;

const DESK: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (390, 844);

/// Name, page, size, and whether the system is dark.
const PICTURES: [(&str, &str, (u32, u32), bool); 6] = [
    ("dashboard", "/admin/", DESK, false),
    ("products", "/admin/products/", DESK, false),
    ("product", "/admin/products/8/", DESK, false),
    ("order", "/admin/orders/4/", DESK, false),
    ("phone", "/admin/products/", PHONE, false),
    ("dark", "/admin/products/1/stock/", DESK, true),
];

#[test]
fn the_main_pages_have_pictures() {
    let shop = busy_shop();
    let browser = shop.staff(Options::default());
    for (name, path, size, dark) in PICTURES {
        browser.resize(size);
        browser.set_dark(dark);
        browser.go(path);
        browser.see("ada");
        let picture = browser.screenshot();
        assert_eq!(dimensions(&picture), size, "{name}");
        if let Some(folder) = std::env::var_os(FOLDER) {
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
            continue;
        }
        let kept = format!("../../docs/screenshots/{name}.png");
        let kept = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(kept));
        let kept = kept.expect("scripts/screenshots makes the pictures");
        assert_eq!(dimensions(&kept), size, "{name}");
        assert!(kept.len() < MOST, "{name}: {} bytes", kept.len());
    }
}

/// The demo after a first day of business.
fn busy_shop() -> Shop {
    let shop = Shop::new();
    let customers = ["grace", "linus", "margaret", "dennis"];
    let customers = customers.map(|name| shop.customer(name));
    let orders: [&[(u64, u64)]; 8] = [
        &[(1, 2), (8, 1)],
        &[(4, 1), (11, 2)],
        &[(9, 1)],
        &[(6, 2), (7, 2), (2, 1)],
        &[(5, 3)],
        &[(10, 1), (4, 2)],
        &[(12, 1)],
        &[(3, 2), (1, 1)],
    ];
    for (lines, customer) in orders.iter().zip(customers.iter().cycle()) {
        shop.order(customer, lines);
    }
    shop.advance(1, &["processing", "shipped", "delivered"]);
    shop.advance(2, &["processing", "shipped"]);
    shop.advance(3, &["cancelled"]);
    shop.advance(4, &["processing"]);
    shop
}

/// Width and height in the header of a PNG file.
fn dimensions(picture: &[u8]) -> (u32, u32) {
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}
