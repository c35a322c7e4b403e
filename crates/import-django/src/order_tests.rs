//! The status, the lines and the total of orders.

use crate::testing::{dump, order, refused, result, sound};

#[test]
fn a_state_in_an_address_and_a_column_of_notes_are_no_status() {
    for fields in [
        r#""user": 1, "state": "pending", "city": "Town""#,
        r#""user": 1, "state": "pending", "zipcode": "1""#,
        r#""user": 1, "state": "pending", "country": "IN""#,
        r#""user": 1"#,
    ] {
        let text = order(fields);
        let said = refused(&text, &[]);
        assert!(said.contains("The order has no status."), "{said}");
        let told = sound(&text, &["--status", "=shipped"]);
        assert_eq!(told.shop.orders[0].status.as_str(), "shipped");
    }
    let rank = order(r#""user": 1, "state": "x", "status": "y", "order_status": "shipped""#);
    assert_eq!(sound(&rank, &[]).shop.orders[0].status.as_str(), "shipped");
    let state = order(r#""user": 1, "state": "delivered""#);
    assert_eq!(
        sound(&state, &[]).shop.orders[0].status.as_str(),
        "delivered"
    );
    let rows: Vec<_> = (11..=13)
        .map(|pk| {
            let fields = format!(r#"{{"user": 1, "status": "Ring {pk} times"}}"#);
            format!(r#"{{"model": "shop.order", "pk": {pk}, "fields": {fields}}}"#)
        })
        .collect();
    let text = dump(&rows.join(","));
    let said = refused(&text, &[]);
    assert!(said.contains("--field shop.order.status=status"), "{said}");
    let told = refused(&text, &["--field", "shop.order.status=status"]);
    assert!(told.contains("It is \"Ring 11 times\"."), "{told}");
}

#[test]
fn statuses_of_numbers_and_flags_are_mapped_by_options() {
    for (fields, option, status) in [
        (r#""status": 2"#, "2=shipped", "shipped"),
        (r#""status": true"#, "true=delivered", "delivered"),
        (r#""paid": true"#, "paid=processing", "processing"),
        (r#""complete": true"#, "complete=true=shipped", "shipped"),
        (
            r#""is_delivered": false"#,
            "isDelivered=false=pending",
            "pending",
        ),
        (r#""status": "Payé""#, "PAYÉ=processing", "processing"),
        (
            r#""status": "pending", "cancelled": true"#,
            "cancelled=cancelled",
            "cancelled",
        ),
    ] {
        let text = order(&format!(r#""user": 1, {fields}"#));
        let dump = sound(&text, &["--status", option]);
        assert_eq!(dump.shop.orders[0].status.as_str(), status, "{fields}");
    }
    let both = order(r#""user": 1, "paid": true, "is_delivered": true"#);
    let options = [
        "--status",
        "is_delivered=delivered",
        "--status",
        "paid=processing",
    ];
    assert_eq!(
        sound(&both, &options).shop.orders[0].status.as_str(),
        "delivered"
    );
}

#[test]
fn open_orders_are_carts() {
    let text = order(r#""user": 2, "state": "basket""#);
    assert!(refused(&text, &[]).contains("--status \"basket\"=pending"));
    let dump = sound(&text, &["--status", "basket=cart"]);
    assert!(dump.shop.orders.is_empty());
    let line = &dump.shop.carts[0];
    assert_eq!(
        (line.user.get(), line.product.get(), line.quantity.units()),
        (2, 7, 2)
    );
    let cart = r#"{"model": "shop.cartitem", "pk": 30, "fields": {"user": 2, "product": 7, "quantity": 1}},"#;
    let dump = sound(
        &text.replacen('[', &format!("[{cart}"), 1),
        &["--status", "basket=cart"],
    );
    assert_eq!((dump.shop.carts.len(), dump.merged), (1, 1));
    assert_eq!(dump.shop.carts[0].quantity.units(), 3);
}

#[test]
fn totals_are_never_lowered() {
    for (fields, options, expected) in [
        (r#""total": "19.80""#, &[][..], Some((1_980, 0))),
        (
            r#""totalPrice": "24.30", "taxPrice": "1.50", "shippingPrice": "3.00""#,
            &[],
            Some((2_430, 450)),
        ),
        // Tax that is included in the prices.
        (
            r#""total": "22.80", "tax": "1.50", "shipping_cost": "3.00""#,
            &[],
            Some((2_280, 300)),
        ),
        (
            r#""total": "17.80", "discount_amount": "2.00""#,
            &[],
            Some((1_780, -200)),
        ),
        (r#""total": "24.30", "tax": "1.00""#, &[], None),
        (
            r#""total": "24.30""#,
            &["--keep-totals"],
            Some((2_430, 450)),
        ),
        (r#""tax": "1.50""#, &[], None),
        (r#""tax": "1.50""#, &["--keep-totals"], Some((2_130, 150))),
        (
            r#""tax": "1.50""#,
            &["--field", "shop.order.tax="],
            Some((1_980, 0)),
        ),
        (
            r#""order_total": "19.80", "grand_total": "23.80", "delivery_cost": "4.00""#,
            &[],
            Some((2_380, 400)),
        ),
    ] {
        let text = order(&format!(r#""user": 1, "status": "pending", {fields}"#));
        let found = result(&text, options).map(|dump| {
            let order = &dump.shop.orders[0];
            (order.total.minor(), order.adjustment.minor())
        });
        match expected {
            Some(expected) => assert_eq!(found, Ok(expected), "{fields}"),
            None => assert!(found.unwrap_err().contains("--keep-totals"), "{fields}"),
        }
    }
}

#[test]
fn missing_products_are_skipped_or_archived() {
    let text = order(r#""user": 1, "status": "pending", "total": "29.70""#);
    let gone = r#"{"model": "shop.orderitem", "pk": 10, "fields": {"order": 5, "product": 8, "quantity": 1, "price": "9.90"}},"#;
    let text = text.replacen('[', &format!("[{gone}"), 1);
    assert!(
        refused(&text, &[]).contains("There is no product 8 in it. --missing-products archive")
    );
    let skipped = sound(&text, &["--missing-products", "skip"]);
    let order = &skipped.shop.orders[0];
    assert_eq!(
        (
            order.lines.len(),
            order.total.minor(),
            order.adjustment.minor()
        ),
        (1, 2_970, 990)
    );
    assert!(
        skipped
            .notes
            .contains(&"shop.orderitem 10: the product is gone, skipped.".to_owned())
    );
    let archived = sound(&text, &["--missing-products", "archive"]);
    let product = &archived.shop.products[1];
    assert_eq!(
        (product.id.get(), product.archived, product.stock.units()),
        (8, true, 0)
    );
    let order = &archived.shop.orders[0];
    assert_eq!((order.lines.len(), order.adjustment.minor()), (2, 0));
}

#[test]
fn products_that_an_order_lists_are_no_keys_of_lines() {
    let text = order(r#""user": 1, "status": "pending", "products": [7]"#);
    // A cart line with the key of its product.
    let text = text.replace(
        "\"pk\": 9, \"fields\": {\"order\": 5, ",
        "\"pk\": 7, \"fields\": {",
    );
    let dump = sound(&text, &[]);
    let line = &dump.shop.orders[0].lines[0];
    assert_eq!((line.product.get(), line.quantity.units()), (7, 1));
    let orphan = "shop.orderitem 7: of no order, skipped.".to_owned();
    assert!(dump.notes.contains(&orphan), "{:?}", dump.notes);
}
