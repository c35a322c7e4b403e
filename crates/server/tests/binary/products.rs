//! `tradepost import products` and `tradepost export products`, on the real binary.

use crate::place::{Ended, Place};
use tradepost_domain::catalog::Measure;
use tradepost_test_postgres::Cluster;

/// An export with two products, of which one has a weight.
fn file() -> String {
    let others = Measure::ALL
        .iter()
        .filter(|one| **one != Measure::WeightGrams);
    let columns: String = others.map(|one| format!(",{}", one.name())).collect();
    let zeros = zeros();
    format!(
        "sku,name,description,price,currency,stock,weight_grams{columns}\r\n\
        MUG,Mug,\"Blue, \"\"large\"\".\r\nHolds half a litre.\",12.50,USD,7,300{zeros}\r\n\
        TEA,'=Tea,,3.00,USD,0,0{zeros}\r\n"
    )
}

/// The cells of the measures beside the weight.
fn zeros() -> String {
    ",0".repeat(Measure::ALL.len() - 1)
}

fn with(name: &str, text: impl AsRef<[u8]>) -> Place {
    let place = Place::new();
    std::fs::write(place.path(name), text).unwrap();
    place
}

fn import(place: &Place, words: &[&str]) -> Ended {
    place.run(&[&["import", "products"], words].concat())
}

const DONE: &str = "products.csv: 2 rows with the columns of Tradepost, separated by commas.\n\
    2 products created, 0 changed, 0 unchanged.\n";

#[test]
fn an_export_is_imported_as_the_same_products() {
    let place = with("products.csv", file());
    assert_eq!(import(&place, &["products.csv"]).well(), DONE);
    let exported = place.run(&["export", "products"]);
    assert_eq!(exported.well(), file());
    // The same file twice changes nothing.
    let again = import(&place, &["products.csv"]).well();
    let unchanged = "0 products created, 0 changed, 2 unchanged.\n";
    assert!(again.ends_with(unchanged), "{again}");
    assert_eq!(
        place.run(&["verify"]).well(),
        "The books are right: 2 products, 0 orders, 1 movement.\n"
    );
    // Into another shop, on PostgreSQL.
    let cluster = Cluster::start().unwrap();
    let url = cluster.url(&cluster.database().unwrap());
    let database = ["--database", &*url];
    let words = [&["products.csv"], &database[..]].concat();
    assert_eq!(import(&place, &words).well(), DONE);
    let words = [&["export", "products"], &database[..]].concat();
    assert_eq!(place.run(&words).well(), file());
}

#[test]
fn an_import_with_problems_changes_nothing() {
    let place = with("products.csv", file());
    import(&place, &["products.csv"]).well();
    let bad = "sku;price;stock\nMUG;9,90;3\nTEA;1.234;x\nMUG;5;1\nNEW;5;1\n";
    std::fs::write(place.path("bad.csv"), bad).unwrap();
    let refused = import(&place, &["bad.csv"]);
    assert_eq!(
        refused.out,
        "line 3, price: \"1.234\" can be read in two ways. Write it with a decimal point and \
         without separators of thousands.\n\
         line 3, stock: A whole number is required.\n\
         line 4, sku: Line 2 has the same sku.\n\
         line 5, name: The shop has no product with this sku yet, and a new one needs this field.\n"
    );
    let sentence = refused.sentence(1);
    assert_eq!(sentence, "Nothing was imported from bad.csv: 4 problems.");
    assert_eq!(place.run(&["export", "products"]).well(), file());
}

#[test]
fn a_dry_run_says_what_an_import_would_do() {
    let place = with("products.csv", file());
    import(&place, &["products.csv"]).well();
    let shopify = "Handle,Title,Vendor,Variant SKU,Variant Price\n\
        mug,Large mug,Potter,MUG,12.50\npot,Pot,Potter,POT,40\n";
    std::fs::write(place.path("shopify.csv"), shopify).unwrap();
    let said = import(&place, &["--dry-run", "shopify.csv"]).well();
    assert_eq!(
        said,
        "shopify.csv: 2 rows with the columns of Shopify, separated by commas.\n\
         Columns that are not imported: Vendor (2 rows).\n\
         1 product created, 1 changed, 0 unchanged.\n\
         Nothing was changed, as --dry-run says.\n"
    );
    assert_eq!(place.run(&["export", "products"]).well(), file());
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_remedy() {
    let place = with("latin.csv", b"sku,name\nT,Gr\xfcner Tee, gro\xdfe Dose\n");
    let sentence = import(&place, &["latin.csv"]).sentence(1);
    assert!(
        sentence.starts_with(
            "The file latin.csv cannot be imported: line 2 is not UTF-8: it seems to be \
             windows-1252. Save it as UTF-8"
        ),
        "{sentence}"
    );
    let sentence = import(&place, &["missing.csv"]).sentence(1);
    assert!(sentence.starts_with("The file missing.csv cannot be read: "));
    std::fs::write(place.path("other.csv"), "id,title\n1,Mug\n").unwrap();
    let sentence = import(&place, &["other.csv"]).sentence(1);
    assert!(sentence.contains("no column for the sku"), "{sentence}");
    assert!(!place.path("data").exists(), "nothing is made");
}

#[test]
fn strict_stock_writes_need_a_word_about_stock() {
    let place = with("products.csv", file());
    let strict = ["products.csv", "--stock-writes", "strict"];
    let sentence = import(&place, &strict).sentence(2);
    assert!(sentence.contains("--stock set"), "{sentence}");
    import(&place, &[&strict[..], &["--stock", "skip"]].concat()).well();
    let exported = place.run(&["export", "products"]).well();
    assert!(exported.contains(",12.50,USD,0,300"), "{exported}");
    import(&place, &[&strict[..], &["--stock", "set"]].concat()).well();
    assert_eq!(place.run(&["export", "products"]).well(), file());
}

#[test]
fn an_export_to_a_file_replaces_none_unless_it_is_told_to() {
    let place = with("products.csv", file());
    import(&place, &["-"]).sentence(1);
    let standard_input = place.run_with(&["import", "products", "-"], &[], &file());
    assert!(standard_input.well().starts_with("-: 2 rows"));
    let export = |words: &[&str]| place.run(&[&["export", "products"], words].concat());
    let sentence = export(&["products.csv"]).sentence(1);
    assert!(sentence.contains("--force"), "{sentence}");
    assert_eq!(export(&["new.csv", "--bom"]).well(), "");
    let written = std::fs::read_to_string(place.path("new.csv")).unwrap();
    assert_eq!(written, format!("\u{feff}{}", file()));
    export(&["--force", "new.csv", "--archived"]).well();
    let written = std::fs::read_to_string(place.path("new.csv")).unwrap();
    assert!(
        written.contains(&format!(",300{},false\r\n", zeros())),
        "{written}"
    );
    let mut names: Vec<_> = std::fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["data", "new.csv", "products.csv"]);
}
