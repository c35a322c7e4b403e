//! Problems of shops' dumps whose messages suggest an option, which is tried.

use crate::testing::{changed, order, refused, sound};
use tradepost_domain::kernel::Money;

#[test]
fn a_repeated_email_address_is_left_to_its_first_user() {
    let text = changed("bob@example.com", "Ada@Example.com");
    let said = refused(&text, &[]);
    let option = "--skip-values auth.user.email";
    assert!(
        said.starts_with("auth.user 2, email: An earlier row has the same")
            && said.contains(option),
        "{said}"
    );
    let dump = sound(&text, &["--skip-values", "auth.user.email"]);
    let emails = dump.shop.users.iter().map(|user| &user.account.email);
    let emails: Vec<_> = emails.map(Option::is_some).collect();
    assert_eq!(emails, [true, false]);
    assert!(
        dump.notes
            .contains(&"auth.user.email 2: wrong, skipped as told.".to_owned()),
        "{:?}",
        dump.notes
    );
}

#[test]
fn a_repeated_sku_is_left_to_its_first_product() {
    let products = r#"
        {"model": "shop.product", "pk": 8, "fields": {"name": "Mug", "price": "5", "sku": "A"}},
        {"model": "shop.product", "pk": 9, "fields": {"name": "Cup", "price": "5", "sku": "A"}},"#;
    let text = changed("[", &format!("[{products}"));
    let said = refused(&text, &[]);
    assert!(said.contains("--skip-values shop.product.sku"), "{said}");
    let dump = sound(&text, &["--skip-values", "shop.product.sku"]);
    let skus: Vec<_> = dump.shop.products.iter().map(|p| p.sku.is_some()).collect();
    assert_eq!(skus, [true, false, false]);
}

#[test]
fn users_of_natural_keys_may_be_known_by_their_email_address() {
    let text = changed(r#""user": 1"#, r#""user": ["bob@example.com"]"#);
    assert_eq!(sound(&text, &[]).shop.orders[0].user.get(), 2);
    // A username is no address of another user.
    let text = text.replace(r#""username": "ada""#, r#""username": "bob@example.com""#);
    assert_eq!(sound(&text, &[]).shop.orders[0].user.get(), 1);
}

#[test]
fn an_invalid_username_may_be_replaced_by_the_email_address() {
    let text = changed(r#""username": "bob""#, r#""username": "Bob Smith""#);
    let option = "auth.user.username=email";
    let said = refused(&text, &[]);
    assert!(said.contains(&format!("--field {option} takes")), "{said}");
    let dump = sound(&text, &["--field", option]);
    let names = dump.shop.users.iter();
    let names: Vec<_> = names.map(|user| user.account.username.as_str()).collect();
    assert_eq!(names, ["ada@example.com", "bob@example.com"]);
}

#[test]
fn a_user_without_a_password_cannot_sign_in() {
    for password in [r#""password": """#, r#""password": null"#] {
        let text = changed(
            r#""username": "bob", "password": "!""#,
            &format!(r#""username": "bob", {password}"#),
        );
        let users = sound(&text, &[]).shop.users;
        assert_eq!(users[1].password.reveal(), "!", "{password}");
    }
}

#[test]
fn whole_units_may_have_decimals() {
    let text = changed(r#""quantity": 2"#, r#""quantity": "2.00""#);
    let text = text.replace(r#""stock": 4"#, r#""stock": 4.0"#);
    let shop = sound(&text, &[]).shop;
    let (line, product) = (&shop.orders[0].lines[0], &shop.products[0]);
    assert_eq!((line.quantity.units(), product.stock.units()), (2, 4));
    let half = refused(&text.replace("2.00", "2.50"), &[]);
    assert!(half.contains("quantity: A whole number"), "{half}");
}

#[test]
fn an_unusual_status_column_is_suggested_before_a_status_for_all() {
    let text = changed(r#""status": "pending""#, r#""fulfilment_state": "shipped""#);
    let said = refused(&text, &[]);
    let option = "shop.order.status=fulfilment_state";
    assert!(said.contains(&format!("--field {option}.")), "{said}");
    let dump = sound(&text, &["--field", option]);
    assert_eq!(dump.shop.orders[0].status.as_str(), "shipped");
}

#[test]
fn an_owner_by_another_column_is_suggested_before_a_guest() {
    let text = changed(r#""user": 1"#, r#""billing_profile": 4"#);
    let profile = r#"{"model": "billing.billingprofile", "pk": 4, "fields": {"user": 2}}"#;
    let text = text.replacen('[', &format!("[{profile},"), 1);
    let said = refused(&text, &[]);
    let option = "shop.order.user=billing_profile:billing.billingprofile";
    assert!(
        said.contains(&format!("--field {option}.")) && said.contains("--guest NAME"),
        "{said}"
    );
    let dump = sound(&text, &["--field", option]);
    assert_eq!(dump.shop.orders[0].user.get(), 2);
}

#[test]
fn the_product_column_of_lines_is_asked_for_before_archived_products() {
    let text = changed(r#""product": 7"#, r#""menu_item": 7"#);
    let said = refused(&text, &[]);
    let option = "shop.orderitem.product=menu_item";
    assert!(
        said.contains("No column of it is that of its product.")
            && said.contains(&format!("--field {option}")),
        "{said}"
    );
    let dump = sound(&text, &["--field", option]);
    assert_eq!(dump.shop.orders[0].lines[0].product.get(), 7);
}

#[test]
fn prices_of_whole_lines_are_recognised_by_the_total() {
    let text = order(r#""user": 1, "status": "pending", "total": "19.80""#).replace(
        r#""quantity": 2, "price": "9.90""#,
        r#""quantity": 2, "price": "19.80""#,
    );
    let said = refused(&text, &[]);
    assert!(
        said.contains("--field shop.orderitem.price= --field shop.orderitem.total=price"),
        "{said}"
    );
    let options = [
        "--field",
        "shop.orderitem.price=",
        "--field",
        "shop.orderitem.total=price",
    ];
    let dump = sound(&text, &options);
    let order = &dump.shop.orders[0];
    assert_eq!(order.lines[0].unit_price.minor(), 990);
    assert_eq!((order.total.minor(), order.adjustment.minor()), (1_980, 0));
}

#[test]
fn one_amount_of_a_total_is_taken_and_several_are_asked_for() {
    let text = changed(r#""total""#, r#""amount_due": 3, "sum_paid""#);
    let total = |dump: crate::Dump| dump.shop.orders[0].total;
    // A whole number may be a key.
    assert_eq!(total(sound(&text, &[])).minor(), 1_980);
    let shipped = text.replace(r#""19.80""#, r#""24.80", "shipping_price": "5.00""#);
    assert_eq!(total(sound(&shipped, &[])).minor(), 2_480);
    let text = text.replace(r#""amount_due": 3"#, r#""amount_due": "19.80""#);
    let said = refused(&text, &[]);
    assert!(
        said.contains(
            "--field shop.order.total=amount_due or --field shop.order.total=sum_paid; \
                       --field shop.order.total= adds up the lines."
        ),
        "{said}"
    );
    for option in ["shop.order.total=amount_due", "shop.order.total="] {
        assert_eq!(total(sound(&text, &["--field", option])).minor(), 1_980);
    }
}

#[test]
fn the_price_of_a_line_is_never_that_of_the_product_while_it_has_one() {
    let text = order(r#""user": 1, "status": "pending""#);
    let price = |columns: &str| {
        text.replace(
            r#""quantity": 2, "price": "9.90""#,
            &format!(r#""quantity": 2, {columns}"#),
        )
    };
    let unit = |dump: crate::Dump| -> Money { dump.shop.orders[0].lines[0].unit_price };
    assert_eq!(
        unit(sound(&price(r#""price_ht": "8.00""#), &[])).minor(),
        800
    );
    let two = price(r#""price_ht": "8.00", "price_ttc": "9.50""#);
    let said = refused(&two, &[]);
    assert!(
        said.contains(
            "--field shop.orderitem.price=price_ht or --field shop.orderitem.price=price_ttc"
        ),
        "{said}"
    );
    let told = sound(&two, &["--field", "shop.orderitem.price=price_ttc"]);
    assert_eq!(unit(told).minor(), 950);
    let told = sound(&two, &["--field", "shop.orderitem.price="]);
    assert_eq!(unit(told).minor(), 990);
}

#[test]
fn orders_without_any_lines_ask_for_the_model_of_lines() {
    let text = changed("shop.orderitem", "shop.bought");
    let text = text.replace(r#""quantity": 2"#, r#""how_many": 2"#);
    let said = refused(&text, &[]);
    assert!(said.contains("--model shop.bought=order-line"), "{said}");
    let options = [
        "--model",
        "shop.bought=order-line",
        "--field",
        "shop.bought.quantity=how_many",
    ];
    assert_eq!(sound(&text, &options).shop.orders[0].lines.len(), 1);
}

#[test]
fn lines_name_products_that_no_model_has() {
    let text = changed(
        r#""price": "9.90"}"#,
        r#""price": "9.90", "product_title": "Green tea"}"#,
    );
    let (before, after) = text.split_once(r#"{"model": "shop.product""#).unwrap();
    let text = format!("{before}{}", after.split_once("}},").unwrap().1);
    let text = text.replace(r#""product": 7, "#, "");
    let said = refused(&text, &[]);
    assert!(
        said.contains("or --missing-products archive makes"),
        "{said}"
    );
    let shop = sound(&text, &["--missing-products", "archive"]).shop;
    assert_eq!(shop.products[0].name.as_str(), "Green tea");
    assert!(shop.products[0].archived);
}

#[test]
fn models_in_the_plural_and_in_other_languages_are_known() {
    let text = changed("shop.order\"", "shop.Orders\"");
    let text = text.replace("shop.product\"", "shop.Products\"");
    assert_eq!(sound(&text, &[]).shop.orders.len(), 1);
    for (words, names) in [
        (
            "commande",
            [
                ("order\"", "commande\""),
                ("orderitem", "LigneCommande"),
                ("quantity", "quantite"),
                ("status", "statut"),
                ("product", "produit"),
                ("\"price", "\"prix"),
                ("\"name", "\"nom"),
            ],
        ),
        (
            "pedido",
            [
                ("order\"", "pedido\""),
                ("orderitem", "DetallePedido"),
                ("quantity", "cantidad"),
                ("status", "estado"),
                ("product", "producto"),
                ("\"price", "\"precio"),
                ("\"name", "\"nombre"),
            ],
        ),
        (
            "pedido",
            [
                ("order\"", "pedido\""),
                ("orderitem", "ItemPedido"),
                ("quantity", "quantidade"),
                ("status", "situacao"),
                ("product", "produto"),
                ("\"price", "\"preco"),
                ("\"name", "\"nome"),
            ],
        ),
    ] {
        let mut text = order(r#""user": 1, "status": "pending", "total": "19.80""#);
        for (name, other) in names {
            text = text.replace(name, other);
        }
        let shop = sound(&text, &[]).shop;
        assert_eq!((shop.orders.len(), shop.products.len()), (1, 1), "{words}");
    }
}

#[test]
fn an_order_of_a_missing_user_can_be_skipped() {
    let text = changed(r#""user": 1"#, r#""user": 99"#);
    let said = refused(&text, &[]);
    assert!(
        said.contains("There is no user 99 in it. --skip-rows shop.order"),
        "{said}"
    );
    assert!(
        sound(&text, &["--skip-rows", "shop.order"])
            .shop
            .orders
            .is_empty()
    );
}

#[test]
fn orders_may_list_products_by_the_name_of_their_model() {
    let text = order(r#""user": 1, "status": "pending", "games": [7]"#);
    let text = text.replace("shop.product", "shop.game");
    let text = text
        .replace("shop.orderitem", "shop.skipped")
        .replace(r#""order": 5, "#, "");
    let lines = &sound(&text, &[]).shop.orders[0].lines;
    assert_eq!((lines.len(), lines[0].product.get()), (1, 7));
}

#[test]
fn staff_may_be_marked_by_another_flag() {
    for flag in ["staff", "is_admin", "admin"] {
        let text = changed(
            r#""password": "!""#,
            &format!(r#""password": "!", "{flag}": true"#),
        );
        assert!(sound(&text, &[]).shop.users[0].account.is_staff, "{flag}");
    }
}

#[test]
fn only_models_of_persons_are_suggested_as_users() {
    let text = changed("auth.user", "crm.person").replace(r#""username""#, r#""nick""#);
    let text = text.replace(r#""password": "!", "#, "");
    let said = refused(&text, &[]);
    assert!(
        said.contains("--model crm.person=user; or dump it too, or --guest NAME"),
        "{said}"
    );
    let said = refused(&text.replace("email", "motto"), &[]);
    assert!(
        said.contains("There is no model of users in the dump"),
        "{said}"
    );
}
