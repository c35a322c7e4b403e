//! Import of a file of products, with bad lines first.

use crate::browser::Options;
use crate::shop::Shop;
use std::fs;

#[test]
fn a_file_with_bad_lines_is_corrected_and_imported() {
    let shop = Shop::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("products.csv");
    let browser = shop.staff(Options::default());
    browser.follow("Products");
    browser.go("/admin/products/import/");

    fs::write(&file, "sku,name,price\nFLASK,Flask,cheap\nFLASK,,3\n").unwrap();
    browser.upload("File", &file);
    browser.press("Preview");
    browser.see("Nothing was changed. Correct the file, and choose it again.");
    browser.is_well_made();

    fs::write(&file, "sku,name,price,stock\nFLASK,Flask <i>,30,7\n").unwrap();
    browser.follow("Choose a file");
    browser.select("Stock", "Set the stock to the numbers of the file");
    browser.upload("File", &file);
    browser.press("Preview");
    browser.see("Nothing was changed yet.");
    browser.see("Flask <i>");
    browser.is_well_made();
    browser.press("Import all");
    browser.see("The file was imported: 1 new, 0 changed, 0 unchanged.");
    browser.go("/admin/products/?search=flask");
    browser.see("30.00 USD");
}
