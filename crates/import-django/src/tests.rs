use super::*;
use crate::testing::{options, with};
use tradepost_domain::import::{ExistingData, decide_import};
use tradepost_domain::kernel::{Currency, Money};
use tradepost_domain::orders::OrderStatus;

/// A dump by Django 5.2 of a shop with its models in apps named products, cart and orders.
const DUMP: &str = include_str!("../tests/dump.json");
/// The same with `--natural-foreign --natural-primary`.
const NATURAL: &str = include_str!("../tests/natural.json");

fn sound_with(text: &str, options: &Options) -> Dump {
    let dump = read(text.as_bytes(), options).unwrap();
    assert!(dump.wrong.is_empty(), "{}", dump.wrong);
    dump
}

fn sound(text: &str) -> Dump {
    sound_with(text, &options())
}

fn wrong_with(text: &str, options: &Options) -> Vec<String> {
    let dump = read(text.as_bytes(), options).unwrap();
    assert!(!dump.wrong.is_empty(), "{:?}", dump.shop);
    dump.wrong.sentences()
}

fn wrong(text: &str) -> Vec<String> {
    wrong_with(text, &options())
}

/// A small valid shop with one replacement.
fn spoilt(before: &str, after: &str) -> String {
    let sound = r#"[
        {"model": "auth.user", "pk": 1, "fields": {"username": "ada", "password": "!", "email": ""}},
        {"model": "shop.product", "pk": 7, "fields": {"name": "Tea", "price": "9.90", "stock": 4}},
        {"model": "shop.cartitem", "pk": 2, "fields": {"user": 1, "product": 7, "quantity": 2}},
        {"model": "shop.order", "pk": 5, "fields": {"user": 1, "status": "pending", "total": "19.80"}},
        {"model": "shop.orderitem", "pk": 9, "fields": {"order": 5, "product": 7, "quantity": 2, "price": 9.9}}
    ]"#;
    assert!(sound.contains(before), "{before}");
    sound.replacen(before, after, 1)
}

#[test]
fn a_dump_written_by_django_is_read() {
    let dump = sound(DUMP);
    let shop = &dump.shop;
    let names: Vec<_> = shop
        .users
        .iter()
        .map(|user| {
            (
                user.account.id.get(),
                user.account.username.as_str(),
                user.account.is_staff,
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            (1, "root", true),
            (2, "ada", false),
            (3, "Bob.Märtens", false),
            (4, "gone", false),
            (5, "linked", false),
            (6, "old", false)
        ]
    );
    assert!(!shop.users[3].account.is_active);
    assert_eq!(shop.users[2].account.email, None);
    let products: Vec<_> = shop
        .products
        .iter()
        .map(|product| {
            let price = product.price.money().to_string();
            (
                product.id.get(),
                price,
                product.stock.units(),
                product.archived,
            )
        })
        .collect();
    let row = |id, price: &str, stock, archived| (id, price.to_owned(), stock, archived);
    assert_eq!(
        products,
        [
            row(1, "9.90", 117, false),
            row(2, "14.00", 0, false),
            row(3, "59.90", 12, true),
            row(4, "1.00", 3, false),
            row(6, "79.00", 9, false)
        ]
    );
    assert_eq!(shop.products[1].name.as_str(), "Stoneware mug “grey”");
    let orders: Vec<_> = shop
        .orders
        .iter()
        .map(|order| {
            (
                order.id.get(),
                order.status.as_str(),
                order.total.minor(),
                order.lines.len(),
            )
        })
        .collect();
    assert_eq!(
        orders,
        [
            (1, "delivered", 9_550, 2),
            (2, "cancelled", 2_800, 1),
            (3, "pending", 8_890, 2),
            (4, "shipped", 11_000, 1),
            (5, "processing", 9_900, 1)
        ]
    );
    assert_eq!(shop.carts.len(), 3);
    let skipped: Vec<_> = dump
        .skipped
        .iter()
        .map(|(model, rows)| (&**model, *rows))
        .collect();
    assert_eq!(
        skipped,
        [
            ("auth.group", 1),
            ("auth.permission", 44),
            ("contenttypes.contenttype", 11),
            ("products.category", 1),
            ("sessions.session", 1)
        ]
    );
    assert!(decide_import(shop, &ExistingData::default(), options().currency).is_ok());
}

#[test]
fn natural_keys_lead_to_the_same_shop() {
    assert_eq!(sound(NATURAL).shop, sound(DUMP).shop);
    let later = Options {
        last_user: 40,
        ..options()
    };
    let shop = read(NATURAL.as_bytes(), &later).unwrap().shop;
    let ids: Vec<_> = shop
        .users
        .iter()
        .map(|user| user.account.id.get())
        .collect();
    assert_eq!(ids, [41, 42, 43, 44, 45, 46], "beyond those who are there");
    assert_eq!(shop.orders[0].user.get(), 42);
}

#[test]
fn shops_differ_in_names() {
    let options = with(&["--field", "sales.purchase.user=customer_id:accounts.member"]);
    let dump = sound_with(
        r#"[
        {"model": "orders.line", "pk": "4", "fields": {"order_id": "1", "item": ["T-1"], "qty": "3", "unit_price": "2.5000", "title": "Old tea"}},
        {"model": "orders.line", "pk": 3, "fields": {"order": 1, "product": 10, "quantity": 1}},
        {"model": "sales.purchase", "pk": 1, "fields": {"customer_id": 3, "state": "Canceled", "total": 11.0, "date_ordered": "2024-03-05 10:00:00"}},
        {"model": "store.basket", "pk": "c0ffee", "fields": {"owner": ["ada@example.org"]}},
        {"model": "store.basket", "pk": "decaf", "fields": {"owner": null}},
        {"model": "store.basket_item", "pk": 1, "fields": {"basket": "c0ffee", "product": 10}},
        {"model": "store.basket_item", "pk": 2, "fields": {"basket": "c0ffee", "product": 10, "quantity": 4}},
        {"model": "store.basket_item", "pk": 5, "fields": {"basket": "decaf", "product": 10, "quantity": 4}},
        {"model": "store.article", "pk": 10, "fields": {"title": "Tea", "price": 3.5, "count_in_stock": "6", "sku": "T-1", "is_deleted": true, "created": "2024-03-05", "modified": "2024-03-06T00:00:00+02:00"}},
        {"model": "accounts.member", "pk": 3, "fields": {"username": null, "email": "ada@example.org", "password": "!", "date_joined": "2024-01-01T00:00:00Z"}},
        {"model": "admin.logentry", "pk": 1, "fields": {"user": 3, "status": 1, "total": 2}}
    ]"#,
        &options,
    );
    let shop = &dump.shop;
    assert_eq!(shop.users[0].account.username.as_str(), "ada@example.org");
    let product = &shop.products[0];
    assert!(product.archived);
    assert_eq!(
        (product.stock.units(), product.price.money().minor()),
        (6, 350)
    );
    assert_eq!(product.created_at.to_rfc3339(), "2024-03-05T00:00:00+00:00");
    assert_eq!(product.updated_at.to_rfc3339(), "2024-03-05T22:00:00+00:00");
    let order = &shop.orders[0];
    assert_eq!((order.user.get(), order.status.as_str()), (3, "cancelled"));
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| {
            (
                line.name.as_str(),
                line.unit_price.minor(),
                line.quantity.units(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [("Tea", 350, 1), ("Old tea", 250, 3)],
        "by their keys"
    );
    assert_eq!(order.total.minor(), 1_100);
    assert_eq!((shop.carts.len(), shop.carts[0].quantity.units()), (1, 5));
    assert_eq!((dump.anonymous, dump.merged, dump.undated), (1, 1, 3));
    assert_eq!(dump.skipped.keys().collect::<Vec<_>>(), ["admin.logentry"]);
}

#[test]
fn amounts_go_through_no_float() {
    for (price, minor) in [
        ("9007199254740993e-8", None),
        ("90071992.01", Some(9_007_199_201)),
        ("\"0.10\"", Some(10)),
        ("0.1", Some(10)),
        ("\"10.10000\"", Some(1_010)),
        ("\"100\"", Some(10_000)),
        ("1e2", Some(10_000)),
    ] {
        let text = spoilt("\"9.90\"", price).replace("\"19.80\"", "null");
        match minor {
            Some(minor) => {
                let shop = sound(&text).shop;
                assert_eq!(shop.products[0].price.money().minor(), minor, "{price}");
            }
            None => assert_eq!(
                wrong(&text)[0],
                "shop.product 7, price: At most 2 decimals are allowed. It is 9007199254740993e-8. --round-amounts rounds it."
            ),
        }
    }
    let yen = Options {
        currency: Currency::from_code("JPY").unwrap(),
        ..options()
    };
    let text = spoilt("\"9.90\"", "\"500.00\"").replace("9.9}", "\"500.00\"}");
    let text = text.replace("19.80", "1000.00");
    let shop = read(text.as_bytes(), &yen).unwrap().shop;
    assert_eq!(shop.orders[0].total, Money::from_minor(1_000, yen.currency));
}

#[test]
fn faults_are_named_with_model_key_and_field() {
    for (before, after, sentence) in [
        (
            "\"ada\"",
            "\"a da\"",
            "auth.user 1, username: Only letters, digits and @ . + - _ are allowed. It is \"a da\".",
        ),
        (
            "\"email\": \"\"",
            "\"email\": \"root@localhost\"",
            "auth.user 1, email: Enter an e-mail address. It is \"root@localhost\".",
        ),
        (
            "\"password\": \"!\"",
            "\"password\": \"\\u0000\"",
            "auth.user 1, password: Control characters are not allowed.",
        ),
        (
            "\"email\": \"\"",
            "\"is_staff\": 3",
            "auth.user 1, is_staff: Expected true or false. It is 3.",
        ),
        (
            "\"name\": \"Tea\", ",
            "",
            "shop.product 7, name: This field is required. Its columns are price (1 row), stock (1 row). Say which it is: --field shop.product.name=COLUMN.",
        ),
        (
            "\"9.90\"",
            "\"9.905\"",
            "shop.product 7, price: At most 2 decimals are allowed. It is \"9.905\". --round-amounts rounds it.",
        ),
        (
            "\"9.90\"",
            "\"0.00\"",
            "shop.product 7, price: Must be greater than 0. It is \"0.00\".",
        ),
        (
            "\"9.90\"",
            "[9]",
            "shop.product 7, price: A decimal number is required. It is [9].",
        ),
        (
            "\"stock\": 4",
            "\"stock\": -4",
            "shop.product 7, stock: Must be from 0 to 2147483647. It is -4.",
        ),
        (
            "\"stock\": 4",
            "\"stock\": 4.5",
            "shop.product 7, stock: A whole number is required. It is 4.5.",
        ),
        (
            "\"stock\": 4",
            "\"created_at\": \"soon\"",
            "shop.product 7, created_at: A time is needed, as in 2024-03-05T12:34:56Z. It is \"soon\".",
        ),
        (
            "\"pk\": 7",
            "\"pk\": \"3f2504e0-4f89\"",
            "shop.product 3f2504e0-4f89, pk: Keys have to be whole numbers from 1: they are kept as ids. --new-ids FILE gives new ones, and writes them to a file.",
        ),
        (
            "\"pk\": 7, ",
            "",
            "shop.product without a pk, pk: A key is needed here: dump without --natural-primary.",
        ),
        (
            "\"product\": 7, \"quantity\": 2}",
            "\"product\": 8, \"quantity\": 2}",
            "shop.cartitem 2, product: There is no product 8 in it.",
        ),
        (
            "\"quantity\": 2}",
            "\"quantity\": 10000}",
            "shop.cartitem 2, quantity: Must be from 1 to 9999. It is 10000.",
        ),
        (
            "{\"user\": 1, \"status\"",
            "{\"user\": [\"eve\"], \"status\"",
            "shop.order 5, user: There is no user \"eve\" in it, or more than one.",
        ),
        (
            "\"pending\"",
            "\"refunded\"",
            "shop.order 5, status: It is \"refunded\". Say what that is: --status \"refunded\"=pending, or another.",
        ),
        (
            "\"product\": 7, \"quantity\": 2, \"price\"",
            "\"product\": null, \"quantity\": 2, \"price\"",
            "shop.orderitem 9, product: Its product is gone. --missing-products archive makes an archived product in its place, --missing-products skip leaves the line out.",
        ),
    ] {
        let said = wrong(&spoilt(before, after));
        assert!(said[0].starts_with(sentence), "{said:?}");
        // Without its key, a row cannot be distinguished from a missing one.
        let follows = said.len() > 1 && !sentence.contains(", pk: ");
        assert!(!follows, "what only follows is not said: {said:?}");
    }
}

#[test]
fn lines_of_a_missing_order_are_reported() {
    let said = wrong(&spoilt("\"order\": 5", "\"order\": 6"));
    assert_eq!(
        said,
        [
            "shop.order 5, lines: An order needs at least one line. --skip-empty-orders leaves such orders out.",
            "shop.orderitem 9, order: There is no order 6 in it.",
        ]
    );
}

#[test]
fn a_status_can_be_mapped() {
    let mut options = options();
    options.statuses.push((
        "paid up".to_owned(),
        Meaning::Order(OrderStatus::Processing),
    ));
    let text = spoilt("\"pending\"", "\"Paid up \"");
    let shop = read(text.as_bytes(), &options).unwrap().shop;
    assert_eq!(shop.orders[0].status, OrderStatus::Processing);
}

#[test]
fn the_domain_speaks_in_the_names_of_the_dump() {
    let mut dump = sound(&spoilt("19.80", "19.80"));
    dump.shop.orders[0].total = Money::from_minor(1_981, options().currency);
    let refusal =
        decide_import(&dump.shop, &ExistingData::default(), options().currency).unwrap_err();
    let said = dump.explain(&refusal);
    assert_eq!(
        said.to_string(),
        "shop.order 5, total: The total is 19.81, but the lines add up to 19.80.\n"
    );
}

#[test]
fn files_that_are_not_dumps_are_refused() {
    for (text, said) in [
        ("", "it is not what dumpdata writes: EOF"),
        (
            "{}",
            "it is not what dumpdata writes: invalid type: map, expected a list of rows",
        ),
        (
            "[{\"pk\": 1}]",
            "it is not what dumpdata writes: missing field",
        ),
        (
            "[{\"model\": \"a.b\", \"fields\": {}}",
            "it is not what dumpdata writes: EOF",
        ),
        ("[] x", "it has no users, products, carts or orders"),
        (
            "No such table",
            "it is not what dumpdata writes: there is no list of rows in it, and it begins with \"No such table\"",
        ),
        ("[]", "it has no users, products, carts or orders"),
        (
            "[{\"model\": \"a.b\", \"fields\": {}}]",
            "it has no users, products, carts or orders",
        ),
    ] {
        let error = read(text.as_bytes(), &options()).unwrap_err().to_string();
        assert!(error.starts_with(said), "{text}: {error}");
    }
    let deep = format!(
        "[{{\"model\": \"a.product\", \"fields\": {{\"name\": {}",
        "[".repeat(100_000)
    );
    assert!(read(deep.as_bytes(), &options()).is_err());
}

#[test]
fn nothing_that_is_shown_moves_the_cursor() {
    let text = r#"[{"model": "\u001b[2Jshop.product", "pk": "\u001b[2J", "fields": {"name": "\u001b"}},
        {"model": "a.order", "pk": 1, "fields": {"user": ["\u001b"], "status": "\u001b"}},
        {"model": "a.orderitem", "pk": 1, "fields": {"order": 1, "product": ["\u001b"], "quantity": 1}}]"#;
    let said = wrong(text);
    assert_eq!(said.len(), 6, "{said:?}");
    assert!(!said.concat().contains('\u{1b}'), "{said:?}");
}

#[test]
fn many_faults_are_counted_and_not_all_listed() {
    let row = r#"{"model": "a.product", "pk": 1, "fields": {"name": ""}},"#;
    let text = format!("[{}{}]", row.repeat(200), row.trim_end_matches(','));
    let wrong = read(text.as_bytes(), &options()).unwrap().wrong;
    let said = wrong.sentences();
    assert_eq!((said.len(), wrong.count(), wrong.listed()), (2, 402, 402));
    assert_eq!(
        said[1],
        "a.product 1, 1, 1, 1, 1 and 196 more, price: This field is required. \
         Its columns are name (0 rows). Say which it is: --field a.product.price=COLUMN. (201 rows)"
    );
}
