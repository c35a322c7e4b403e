//! `tradepost import django`, on the real binary.

use crate::place::{Place, QUICK, Serving, answer, token};
use tradepost_test_postgres::Cluster;

/// A dump of a Django shop, whose passwords have Django's own hash strength.
const DUMP: &str = include_str!("../../../import-django/tests/dump.json");

/// Verifying Django's hashes takes long in an unoptimised build.
const PATIENT: [&str; 2] = ["--request-timeout", "60"];

fn dumped(text: &str) -> Place {
    let place = Place::new();
    std::fs::write(place.path("shop.json"), text).unwrap();
    place
}

fn sign_in(server: &Serving, name: &str, password: &str) -> Option<String> {
    let body = format!("{{\"username\": \"{name}\", \"password\": \"{password}\"}}");
    let json = "Content-Type: application/json\r\n";
    token(server.send("POST", "/api-token-auth/", json, &body))
}

const SUMMARY: &str = "shop.json: 6 users (1 of the staff), 5 products (1 archived), 3 cart lines, 5 orders.\n\
    1 row of auth.group skipped.\n\
    44 rows of auth.permission skipped.\n\
    11 rows of contenttypes.contenttype skipped.\n\
    1 row of products.category skipped.\n\
    1 row of sessions.session skipped.\n\
    auth.user: columns that are not read: is_superuser (6 rows), last_login (1 row).\n\
    products.product: columns that are not read: category (5 rows).\n\
    1 user without a password that can be checked here: tradepost changepassword sets one.\n";

#[test]
fn a_shop_of_django_goes_on_selling() {
    let place = dumped(DUMP);
    let said = place.run(&["import", "django", "shop.json"]).well();
    let done = "The shop is imported.\nThe books are right: 5 products, 5 orders, 13 movements.\n";
    assert_eq!(said, format!("{SUMMARY}{done}"));
    let server = place.serve(&[QUICK, PATIENT].concat());
    assert!(
        !server.greeting.contains("createsuperuser"),
        "there is a staff user"
    );
    for (name, password) in [
        ("root", "Uphill-4-tea"),
        ("BOB.MÄRTENS", "пароль-для-чая"),
        ("old", "from the old days"),
    ] {
        assert!(sign_in(&server, name, password).is_some(), "{name}");
    }
    assert!(sign_in(&server, "gone", "switched off pw").is_none());
    assert!(sign_in(&server, "linked", "").is_none());
    assert!(sign_in(&server, "ada", "correct horse").is_none());
    let token = sign_in(&server, "ada", "correct horse battery").unwrap();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let (status, cart) = server.get("/api/cart/", &bearer);
    assert!(
        status == 200 && cart.contains("\"total_price\":\"33.80\""),
        "{cart}"
    );
    let (status, order) = server.get("/api/orders/1/", &bearer);
    assert_eq!(status, 200);
    for part in [
        "\"status\":\"delivered\"",
        "\"price\":\"8.50\"",
        "\"total_price\":\"95.50\"",
    ] {
        assert!(order.contains(part), "{part} in {order}");
    }
    let (status, _) = server.get("/api/products/3/", "");
    assert_eq!(status, 404, "what was not sold any more is archived");
    let json = format!("{bearer}Content-Type: application/json\r\n");
    let (_, line) = server.get("/api/cart/2/", &bearer);
    assert!(line.contains("insufficient_stock"), "{line}");
    let removed = answer(server.send("DELETE", "/api/cart/2/", &bearer, ""));
    assert_eq!(removed.0, 204);
    let (status, order) = answer(server.send("POST", "/api/orders/", &json, "{}"));
    assert!(status == 201 && order.contains("\"id\":6"), "{order}");
    server.stop();
    let right = place.run(&["verify"]).well();
    assert_eq!(
        right,
        "The books are right: 5 products, 6 orders, 14 movements.\n"
    );
}

#[test]
fn a_password_is_renewed_at_the_next_sign_in() {
    let place = dumped(DUMP);
    place.run(&["import", "django", "shop.json"]).well();
    let stored = |name: &str| {
        use diesel::prelude::*;
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            password: String,
        }
        let path = place.path("data/tradepost.db");
        let mut database = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        diesel::sql_query("SELECT password FROM users WHERE username = ?")
            .bind::<diesel::sql_types::Text, _>(name)
            .get_result::<Row>(&mut database)
            .unwrap()
            .password
    };
    assert!(stored("old").starts_with("pbkdf2_sha1$20000$"));
    let server = place.serve(&[QUICK, PATIENT].concat());
    assert!(sign_in(&server, "old", "from the old days").is_some());
    assert!(stored("old").starts_with("$2b$10$"));
    assert!(sign_in(&server, "old", "from the old days").is_some());
    server.stop();
}

#[test]
fn a_dry_run_makes_nothing() {
    let place = dumped(DUMP);
    let said = place
        .run(&["import", "django", "--dry-run", "shop.json"])
        .well();
    assert_eq!(
        said,
        format!("{SUMMARY}Nothing was written, as --dry-run says.\n")
    );
    assert_eq!(place.files(), ["shop.json"]);
    place.make_staff(&QUICK).well();
    let taken = place.run(&["import", "django", "--dry-run", "shop.json"]);
    assert_eq!(
        taken.out,
        "auth.user 1, id: A staff user of this shop already has it: ada, with id 1.\n\
         auth.user 2, username: A staff user of this shop already has it: ada, with id 1.\n"
    );
    assert_eq!(
        taken.sentence(1),
        "Nothing was imported from shop.json: 2 problems."
    );
}

#[test]
fn import_errors_are_reported_at_once_and_nothing_is_created() {
    let text = DUMP
        .replace("\"price\": \"79.00\"", "\"price\": \"0.00\"")
        .replace("\"shipped\"", "\"paid up\"")
        .replace("\"root@shop.example\"", "\"root@localhost\"");
    let place = dumped(&text);
    let wrong = place.run(&["import", "django", "shop.json"]);
    assert_eq!(
        wrong.out,
        "products.product 6, price: Must be greater than 0. It is \"0.00\". --skip-rows products.product leaves such rows out.\n\
         orders.order 4, status: It is \"paid up\". Say what that is: --status \"paid up\"=pending, or another.\n\
         orders.orderitem 4, price: Must be greater than 0. It is \"0.00\". --skip-rows orders.orderitem leaves such rows out.\n\
         auth.user 1, email: Enter an e-mail address. It is \"root@localhost\". --skip-values auth.user.email leaves such values out.\n"
    );
    assert_eq!(
        wrong.sentence(1),
        "Nothing was imported from shop.json: 4 problems."
    );
    assert_eq!(place.files(), ["shop.json"]);
    // A number below zero is no option.
    let text = DUMP.replace("\"shipped\"", "-1");
    std::fs::write(place.path("shop.json"), text).unwrap();
    let told = ["--status", "-1=shipped", "shop.json"];
    place
        .run(&[&["import", "django", "--dry-run"], &told[..]].concat())
        .well();
    let text = DUMP.replace("\"shipped\"", "\"paid up\"");
    std::fs::write(place.path("shop.json"), text).unwrap();
    let words = [
        "import",
        "django",
        "shop.json",
        "--status",
        "Paid up=shipped",
    ];
    assert!(place.run(&words).well().contains("The shop is imported."));
    let again = place.run(&words);
    let full = "This shop already has 5 products, 5 orders and 5 customers: only a shop without any can take over another one.\n";
    assert!(again.out.starts_with(full), "{again:?}");
    assert_eq!(again.code, Some(1));
}

#[test]
fn wrong_usage_is_a_sentence() {
    let place = dumped("{\"orders\": []}");
    let missing = place.run(&["import", "django", "there.json"]).sentence(1);
    assert!(
        missing.starts_with("The file there.json cannot be read: "),
        "{missing}"
    );
    let other = place.run(&["import", "django", "shop.json"]).sentence(1);
    let said =
        "The file shop.json cannot be imported: it is not what dumpdata writes: invalid type: map";
    assert!(other.starts_with(said), "{other}");
    let status = ["import", "django", "shop.json", "--status", "paid=done"];
    let status = place.run(&status).sentence(2);
    assert_eq!(
        status,
        "--status is \"paid=done\", but has to be a name, = and one of pending, processing, shipped, delivered, cancelled, cart."
    );
    for (option, value, allowed) in [
        (
            "--model",
            "shop.tea=drink",
            "a model, = and one of user, product, cart, ",
        ),
        (
            "--field",
            "price=cost",
            "a model, a dot, a field, = and a column of the dump.",
        ),
        (
            "--only",
            "orders",
            "with carts or orders, users and products too.",
        ),
        ("--guest", "a b", "which is no username: "),
        ("--stock", "-1", ""),
        ("--missing-products", "drop", ""),
    ] {
        let value = format!("{option}={value}");
        let ended = place.run(&["import", "django", "shop.json", &value]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(allowed), "{ended:?}");
    }
    let currency = ["import", "django", "shop.json", "--currency", "XXX"];
    assert_eq!(place.run(&currency).code, Some(2));
    assert_eq!(place.files(), ["shop.json"]);
}

#[test]
fn a_shop_is_imported_into_postgresql() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.url(&cluster.database().unwrap());
    let place = Place::new();
    let words = ["--database", &*database, "import", "django", "-"];
    let said = place.run_with(&words, &[], DUMP).well();
    assert!(
        said.ends_with("The books are right: 5 products, 5 orders, 13 movements.\n"),
        "{said}"
    );
    let server = place.serve(&[&QUICK[..], &PATIENT, &["--database", &database]].concat());
    let token = sign_in(&server, "root", "Uphill-4-tea").unwrap();
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let body = "{\"name\": \"New\", \"price\": \"1.00\", \"stock\": 1}";
    let (status, product) = answer(server.send("POST", "/api/products/", &headers, body));
    assert!(status == 201 && product.contains("\"id\":7"), "{product}");
    server.stop();
    let backup = ["--database", &*database, "backup", "it's here.dump"];
    let sentence = place.run(&backup).sentence(2);
    assert!(
        sentence
            .contains("pg_dump --format=custom --file='it'\\''s here.dump' --dbname='postgres:"),
        "{sentence}"
    );
    let mut with_password = url_with_password(&database);
    with_password.push_str("&sslmode=disable&password=secret");
    let backup = ["--database", &*with_password, "backup", "x.dump"];
    let sentence = place.run(&backup).sentence(2);
    assert!(!sentence.contains("secret"), "{sentence}");
}

fn url_with_password(url: &str) -> String {
    match url.split_once('@') {
        Some((before, host)) => format!("{}:secret@{host}", before.trim_end_matches(':')),
        None => url.replacen("://", "://somebody:secret@", 1),
    }
}

/// Tax and shipping in the total of one order.
const TAXED: &str = r#"[
    {"model": "auth.user", "pk": 1, "fields": {"username": "root", "password": "!", "is_staff": true, "email": ""}},
    {"model": "shop.product", "pk": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "fields": {"name": "Tea", "price": "10.00"}},
    {"model": "shop.order", "pk": 5, "fields": {"user": 1, "status": "shipped", "taxPrice": "1.50", "shippingPrice": "3.00", "totalPrice": "24.50"}},
    {"model": "shop.order", "pk": 6, "fields": {"user": 1, "status": "shipped", "taxPrice": "0.00", "shippingPrice": "0.00", "totalPrice": "10.00"}},
    {"model": "shop.orderitem", "pk": 9, "fields": {"order": 5, "product": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "qty": 2, "price": "10.00"}},
    {"model": "shop.orderitem", "pk": 10, "fields": {"order": 6, "product": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "qty": 1, "price": "10.00"}}
]"#;

/// The orders 5 and 6 as their user reads them, after an import into this database.
fn taxed_orders(database: &[&str]) -> [String; 2] {
    let place = dumped(TAXED);
    let import = ["import", "django", "shop.json", "--new-ids", "ids.csv"];
    let said = place.run(&[&import, database].concat()).well();
    for line in [
        "shop.order 5: the total is kept; its difference to the lines, as tax, shipping or a discount, is the adjustment.\n",
        "1 new id written to ids.csv.\n",
        "The books are right: 1 product, 2 orders, 3 movements.\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let ids = std::fs::read_to_string(place.path("ids.csv")).unwrap();
    let product = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    assert_eq!(
        ids,
        format!("model,key,id\n\"shop.product\",\"{product}\",1\n")
    );
    let change = [&["changepassword", "root"], database].concat();
    place.run_with(&change, &[], "Uphill-4-tea\n").well();
    let server = place.serve(&[&QUICK[..], &PATIENT, database].concat());
    let token = sign_in(&server, "root", "Uphill-4-tea").unwrap();
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let orders = ["/api/orders/5/", "/api/orders/6/"].map(|path| server.get(path, &bearer).1);
    server.stop();
    let right = place.run(&[&["verify"], database].concat()).well();
    assert!(right.starts_with("The books are right"), "{right}");
    orders
}

#[test]
fn tax_and_shipping_stay_in_the_total_and_are_shown_as_an_adjustment() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.url(&cluster.database().unwrap());
    for database in [&[][..], &["--database", &*database]] {
        let [taxed, plain] = taxed_orders(database);
        let shown = "\"total_price\":\"24.50\",\"adjustment_total\":\"4.50\",\"currency\"";
        assert!(taxed.contains(shown), "{taxed}");
        assert!(
            plain.contains("\"total_price\":\"10.00\",\"currency\""),
            "{plain}"
        );
    }
}

#[test]
fn a_file_of_new_ids_is_neither_replaced_nor_written_in_a_dry_run() {
    let place = dumped(TAXED);
    let words = ["import", "django", "shop.json", "--new-ids", "ids.csv"];
    let refused = place.run(&words[..3]);
    assert!(refused.out.contains("--new-ids FILE"), "{refused:?}");
    let said = place.run(&[&words[..], &["--dry-run"]].concat()).well();
    assert!(
        said.contains("1 new id to be written to ids.csv.\n"),
        "{said}"
    );
    assert_eq!(place.files(), ["shop.json"]);
    std::fs::write(place.path("ids.csv"), "mine").unwrap();
    let sentence = place.run(&words).sentence(1);
    let start = "Nothing was imported: the file ids.csv cannot be written: ";
    assert!(sentence.starts_with(start), "{sentence}");
    assert_eq!(std::fs::read(place.path("ids.csv")).unwrap(), b"mine");
    std::fs::remove_file(place.path("ids.csv")).unwrap();
    place.run(&words).well();
    // A database with data accepts no second import, and no file of ids is written.
    std::fs::remove_file(place.path("ids.csv")).unwrap();
    assert_eq!(place.run(&words).code, Some(1));
    assert!(!place.path("ids.csv").exists());
}
