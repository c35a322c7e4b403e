//! Products by way of another model: variants, offers and stock records.

use crate::testing::{changed, refused, sound};

/// The dump with lines of offers, and an offer of the product.
fn offers() -> String {
    let text = changed(r#""product": 7, "quantity""#, r#""offer": 3, "quantity""#);
    let offer = r#"{"model": "shop.offer", "pk": 3, "fields": {"product": 7, "seller": 1, "price": "9.90"}}"#;
    text.replacen('[', &format!("[{offer},"), 1)
}

#[test]
fn lines_of_variants_are_lines_of_their_products() {
    let text = offers();
    assert_eq!(sound(&text, &[]).shop.orders[0].lines[0].product.get(), 7);
    // The key of a variant is never taken for that of a product.
    let gone = refused(&text.replace(r#""pk": 3"#, r#""pk": 4"#), &[]);
    assert!(
        gone.contains("There is no product \"shop.offer 3\""),
        "{gone}"
    );
    let text = text.replace(r#""offer": 3"#, r#""sold": 3"#);
    let option = "shop.orderitem.product=sold:shop.offer";
    let told = sound(&text, &["--field", option]);
    assert_eq!(told.shop.orders[0].lines[0].product.get(), 7);
    // Lines of carts as well.
    let cart =
        r#"{"model": "shop.cartitem", "pk": 1, "fields": {"user": 1, "offer": 3, "quantity": 1}}"#;
    let text = offers().replacen('[', &format!("[{cart},"), 1);
    assert_eq!(sound(&text, &[]).shop.carts[0].product.get(), 7);
}

#[test]
fn prices_in_another_model_are_suggested() {
    let text = offers().replace(r#""name": "Tea", "price": "9.90""#, r#""name": "Tea""#);
    let said = refused(&text, &[]);
    let option = "shop.offer=stock-record";
    assert!(said.contains(&format!("--model {option}")), "{said}");
    let shop = sound(&text, &["--model", option]).shop;
    assert_eq!(shop.products[0].price.money().minor(), 990);
    let second = r#"{"model": "shop.offer", "pk": 4, "fields": {"product": 7, "price": "8"}}]"#;
    let text = text.replace(']', &format!(",{second}"));
    let said = refused(&text, &["--model", option]);
    assert!(said.contains("--skip-rows shop.offer keeps"), "{said}");
    let shop = sound(&text, &["--model", option, "--skip-rows", "shop.offer"]).shop;
    assert_eq!(shop.products[0].price.money().minor(), 990);
}

#[test]
fn variants_without_a_name_have_that_of_their_parent() {
    let variant = r#"
        {"model": "shop.product", "pk": 8, "fields": {"name": "", "price": "5", "parent": 7}},"#;
    let products = sound(&changed("[", &format!("[{variant}")), &[])
        .shop
        .products;
    let names: Vec<_> = products.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["Tea", "Tea"]);
}

#[test]
fn products_without_a_price_in_any_stock_record_can_be_skipped() {
    let records = r#"
        {"model": "partner.stockrecord", "pk": 1, "fields": {"product": 7, "price": "9.90"}},
        {"model": "shop.product", "pk": 8, "fields": {"name": "Mugs"}},"#;
    let text = changed(r#""name": "Tea", "price": "9.90""#, r#""name": "Tea""#);
    let text = text.replacen('[', &format!("[{records}"), 1);
    let said = refused(&text, &[]);
    assert!(
        said.contains("It has no price, and no partner.stockrecord. --skip-rows shop.product"),
        "{said}"
    );
    let shop = sound(&text, &["--skip-rows", "shop.product"]).shop;
    assert_eq!((shop.products.len(), shop.orders.len()), (1, 1));
}
