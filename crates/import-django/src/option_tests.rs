//! Facts that are not guessed, and the options that state them.

use crate::Dump;
use crate::testing::{dump, order, refused, sound};
use tradepost_domain::catalog::Measure;

#[test]
fn owners_are_followed_through_the_model_that_their_column_names() {
    for (column, model) in [
        ("customer", "shop.customer"),
        ("customer_id", "crm.CustomerProfile"),
        ("owner", "shop.owner"),
        ("profile", "accounts.userprofile"),
        ("buyer", "shop.buyer"),
        ("account", "accounts.account"),
    ] {
        let text = order(&format!(r#""{column}": 1, "status": "pending""#));
        let profile =
            format!(r#"{{"model": "{model}", "pk": 1, "fields": {{"user": 2, "phone": "1"}}}}]"#);
        let text = text.replace("]", &format!(",\n{profile}"));
        let dump = sound(&text, &[]);
        assert_eq!(dump.shop.orders[0].user.get(), 2, "{column}");
        let note = format!("{model}: columns that are not read: phone (1 row).");
        assert!(dump.notes.contains(&note), "{:?}", dump.notes);
        // Carts as well.
        let cart = text.replace("shop.order\"", "shop.cart\"");
        let cart = cart
            .replace("orderitem", "cartitem")
            .replace("\"order\"", "\"cart\"");
        assert_eq!(sound(&cart, &[]).shop.carts[0].user.get(), 2, "{column}");
        // A missing row is not another row.
        let gone = refused(
            &text.replace(
                "\"pk\": 1, \"fields\": {\"user\"",
                "\"pk\": 3, \"fields\": {\"user\"",
            ),
            &[],
        );
        assert!(
            gone.contains(&format!("There is no {model} 1 in it.")),
            "{gone}"
        );
    }
}

#[test]
fn an_owner_of_an_ambiguous_model_is_refused() {
    let customer = order(r#""customer": 1, "status": "pending""#);
    let said = refused(&customer, &[]);
    let option = "--field shop.order.user=customer:auth.user";
    let named = "shop.order, customer: It may be a key of auth.user or of a model customer that is not in the dump.";
    assert!(said.starts_with(named) && said.contains(option), "{said}");
    let told = sound(&customer, &["--field", &option["--field ".len()..]]);
    assert_eq!(told.shop.orders[0].user.get(), 1);
    let profile = r#"{"model": "a.profile", "pk": 1, "fields": {"user": 2}}"#;
    let two = customer.replacen('[', &format!("[{profile},"), 1);
    let said = refused(&two, &[]);
    assert!(said.contains("auth.user or of a.profile"), "{said}");
    let told = sound(&two, &["--field", "shop.order.user=customer:a.profile"]);
    assert_eq!(told.shop.orders[0].user.get(), 2);
    // An intermediate model without an owner column.
    let mute = r#"{"model": "shop.customer", "pk": 1, "fields": {"name": "Bob"}}"#;
    let said = refused(&customer.replacen('[', &format!("[{mute},"), 1), &[]);
    assert!(
        said.starts_with("shop.customer: No column of it says whose"),
        "{said}"
    );
}

#[test]
fn content_types_list_the_models_of_the_project() {
    let types = |model: &str| {
        format!(
            r#"[{{"model": "contenttypes.contenttype", "pk": 1, "fields": {{"app_label": "shop", "model": "{model}"}}}},"#
        )
    };
    let customer = order(r#""customer": 1, "status": "pending""#);
    let alone = customer.replacen('[', &types("order"), 1);
    assert_eq!(sound(&alone, &[]).shop.orders[0].user.get(), 1);
    let said = refused(&customer.replacen('[', &types("customer"), 1), &[]);
    let named = "It is a key of shop.customer, which is not in the dump: dump that model too.";
    assert!(said.contains(named), "{said}");
}

#[test]
fn guest_orders_go_to_the_account_of_the_option() {
    let text = order(r#""user": null, "email": "x@example.com", "status": "pending""#);
    assert!(refused(&text, &[]).contains("--guest NAME"));
    let known = sound(&text, &["--guest", "BOB"]);
    assert_eq!(
        (known.shop.orders[0].user.get(), known.shop.users.len()),
        (2, 2)
    );
    let made = sound(&text, &["--guest", "guests"]);
    let account = &made.shop.users[2].account;
    assert!(!account.is_active && !account.is_staff);
    assert_eq!(made.shop.orders[0].user, account.id);
    let none = order(r#""user": 1, "status": "pending""#);
    assert_eq!(sound(&none, &["--guest", "guests"]).shop.users.len(), 2);
}

#[test]
fn rows_and_values_are_left_out_with_a_list() {
    let text =
        order(r#""user": 1, "status": "pending""#).replace("bob@example.com", "bob@localhost");
    let values = sound(&text, &["--skip-values", "auth.user.email"]);
    assert_eq!(values.shop.users[1].account.email, None);
    assert!(
        values
            .notes
            .contains(&"auth.user.email 2: wrong, skipped as told.".to_owned())
    );
    let rows = sound(&text, &["--skip-rows", "auth.user"]);
    assert_eq!(rows.shop.users.len(), 1);
    assert!(
        rows.notes
            .contains(&"auth.user 2: wrong, skipped as told.".to_owned())
    );
    // A reference to such a row is not dropped silently.
    let theirs = text.replace("\"user\": 1", "\"user\": 2");
    let said = refused(&theirs, &["--skip-rows", "auth.user"]);
    assert!(said.contains("There is no user 2 in it."), "{said}");
    // Lines of an order that is left out are left out with it.
    let order = text
        .replace("bob@localhost", "bob@example.com")
        .replace("pending", "lost");
    let dump = sound(&order, &["--skip-rows", "shop.order"]);
    assert!(dump.shop.orders.is_empty());
    assert!(
        dump.notes
            .contains(&"shop.orderitem 9: of no order, skipped.".to_owned())
    );
}

#[test]
fn parts_of_a_shop_are_imported_alone() {
    let text = order(r#""customer": 1, "state": "odd", "total": "1""#);
    let dump = sound(&text, &["--only", "users,products"]);
    assert_eq!((dump.shop.users.len(), dump.shop.products.len()), (2, 1));
    assert!(dump.shop.orders.is_empty());
    let skipped: Vec<_> = dump.skipped.into_iter().collect();
    let rows = [
        ("shop.order".to_owned(), 1),
        ("shop.orderitem".to_owned(), 1),
    ];
    assert_eq!(skipped, rows);
}

#[test]
fn options_that_name_nothing_are_problems() {
    let text = order(r#""user": 1, "status": "pending""#);
    for (options, said) in [
        (
            ["--model", "shop.thing=product"],
            "--model names \"shop.thing\", which is not in the dump. It has auth.user, shop.order",
        ),
        (
            ["--field", "shop.thing.price=x"],
            "--field names \"shop.thing\", which is not in the dump.",
        ),
        (
            ["--field", "shop.order.price_each=x"],
            "shop.order: --field names \"price_each\", but its fields are user, status",
        ),
        (
            ["--field", "shop.order.total=sum"],
            "shop.order: --field names the column \"sum\", but its columns are status, user.",
        ),
    ] {
        let wrong = refused(&text, &options);
        assert!(wrong.contains(said), "{wrong}");
    }
    let two = dump(
        r#"{"model": "old.product", "pk": 1, "fields": {"name": "T", "price": 1, "stock": 1}}"#,
    );
    let said = refused(&two, &[]);
    assert!(
        said.contains("--model shop.product=skip or --model old.product=skip"),
        "{said}"
    );
    assert_eq!(
        sound(
            &two,
            &["--model", "old.product=skip", "--only", "users,products"]
        )
        .shop
        .products
        .len(),
        1
    );
}

#[test]
fn problems_are_grouped_by_model_field_and_value() {
    let rows: Vec<_> = (11..=30)
        .map(|pk| {
            let status = if pk % 2 == 0 { "paid" } else { "lost" };
            let fields = format!(r#"{{"user": 1, "status": "{status}", "total": "x{pk}"}}"#);
            format!(r#"{{"model": "shop.order", "pk": {pk}, "fields": {fields}}}"#)
        })
        .collect();
    let said = refused(&dump(&rows.join(",")), &[]);
    for line in [
        "shop.order 12, 14, 16, 18, 20 and 5 more, status: It is \"paid\". Say what that is: --status \"paid\"=pending, or another. (10 rows)\n",
        "shop.order 11, total: A decimal number is required. It is \"x11\". ",
        "shop.order 16, 17, 18, 19, 20 and 10 more, total: A decimal number is required. ",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    assert!(said.lines().count() < 12, "{said}");
}

fn weight(dump: &Dump) -> i64 {
    dump.shop.products[0].measures.get(Measure::WeightGrams)
}

#[test]
fn weights_are_whole_grams_and_no_unit_is_guessed() {
    let tea = |columns: &str| {
        let stock = r#""stock": 4"#;
        let order = order(r#""user": 1, "status": "pending""#);
        order.replace(stock, &format!("{stock}, {columns}"))
    };
    let unread = |column: &str| {
        Some(format!(
            "shop.product: columns that are not read: {column} (1 row)."
        ))
    };
    for (columns, grams, note) in [
        (r#""weight": 350"#, 350, None),
        (r#""weight_grams": "350""#, 350, None),
        (r#""weightGrams": 350, "weight": 1"#, 350, unread("weight")),
        (
            r#""weight_grams": 350, "weight": "0.35""#,
            350,
            unread("weight"),
        ),
        (r#""weight": null"#, 0, None),
        (r#""weight": 0.35"#, 0, unread("weight")),
        (r#""weight": "350.00""#, 0, unread("weight")),
        (r#""weight": "350 g""#, 0, unread("weight")),
        (r#""weight": true"#, 0, unread("weight")),
    ] {
        let dump = sound(&tea(columns), &[]);
        assert_eq!(weight(&dump), grams, "{columns}");
        let mut notes = dump.notes.iter();
        let found = notes.find(|note| note.starts_with("shop.product: "));
        assert_eq!(found, note.as_ref(), "{columns}");
    }
    let heavy = tea(r#""weight": 1000001"#);
    let said = refused(&heavy, &[]);
    let expected = "shop.product 7, weight: Must be from 0 to 1000000. It is 1000001. \
                    --skip-values shop.product.weight leaves such values out.";
    assert!(said.contains(expected), "{said}");
    let skipped = sound(&heavy, &["--skip-values", "shop.product.weight"]);
    assert_eq!(weight(&skipped), 0);
}
