//! The ledger audit finds each kind of damage: a tool writes to the database with every check
//! switched off.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its shop has failed"
)]

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::time::Duration;
use tempfile::TempDir;
use tradepost_contract::{TestShop, usd};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency, open};
use tradepost_domain::Stores;
use tradepost_domain::inventory::Discrepancy;
use tradepost_domain::kernel::Actor;
use tradepost_domain::orders::{OrderAction, OrderStatus};
use tradepost_test_postgres::Cluster;

/// A statement, and the findings of the audit after it. Products 1 to 3, of which 3 never had
/// stock; order 1 of two of 1 and one of 2, order 2 of one of 1, cancelled; a line in the cart of
/// user 1.
const DAMAGE: &[(&str, &str)] = &[
    (
        "UPDATE stock SET on_hand = on_hand + 1 WHERE product_id = 1",
        "product 1: ",
    ),
    (
        "UPDATE stock SET on_hand = -1 WHERE product_id = 2",
        "product 2: -1 on hand",
    ),
    (
        "DELETE FROM stock WHERE product_id = 3",
        "products: row 3 refers to stock 3",
    ),
    (
        "INSERT INTO stock (product_id, on_hand) VALUES (77, 0)",
        "stock: row 77 refers to products 77",
    ),
    (
        "UPDATE product_texts SET folded = 'x' WHERE product_id = 1",
        "product 1: what is searched of it",
    ),
    (
        "DELETE FROM product_texts WHERE product_id = 3",
        "product 3: what is searched of it",
    ),
    (
        "UPDATE products SET name = 'Another' WHERE id = 2",
        "product 2: what is searched of it",
    ),
    ("DELETE FROM stock_movements WHERE id = 1", "product 1: "),
    (
        "UPDATE stock_movements SET delta = delta - 1 WHERE id = 1",
        "product 1: ",
    ),
    (
        "UPDATE stock_movements SET reason = 'return' WHERE order_id = 1 AND product_id = 2",
        "order 1: it moved product 2",
    ),
    (
        "UPDATE stock_movements SET product_id = 3 WHERE order_id = 1 AND product_id = 1 AND reason = 'sale'",
        "order 1: it moved product 1 by 0",
    ),
    (
        "UPDATE stock_movements SET order_id = 99 WHERE order_id = 2",
        "stock_movements: row ",
    ),
    (
        "UPDATE stock_movements SET actor_id = 99 WHERE order_id = 1",
        "refers to users 99",
    ),
    (
        "UPDATE orders SET total = total + 1 WHERE id = 1",
        "order 1: its total is",
    ),
    (
        "UPDATE orders SET adjustment = adjustment + 1 WHERE id = 1",
        "order 1: its total is",
    ),
    (
        "UPDATE orders SET status = 'cancelled' WHERE id = 1",
        "order 1: it moved product 1",
    ),
    (
        "UPDATE orders SET status = 'pending' WHERE id = 2",
        "order 2: it moved product 1",
    ),
    (
        "UPDATE orders SET archived = (1 = 1) WHERE id = 1",
        "order 1: it is deleted, but not cancelled",
    ),
    (
        "UPDATE orders SET user_id = 2 WHERE id = 1",
        "order 1: its lines belong to another user",
    ),
    (
        "UPDATE orders SET user_id = 99 WHERE id = 1",
        "orders: row 1 refers to users 99",
    ),
    (
        "DELETE FROM orders WHERE id = 2",
        "order_lines: row 2 refers to orders 2",
    ),
    (
        "DELETE FROM orders WHERE id = 2; DELETE FROM order_lines WHERE order_id = 2",
        "refers to orders 2",
    ),
    (
        "DELETE FROM order_lines WHERE order_id = 2",
        "order 2: it has no lines",
    ),
    (
        "UPDATE order_lines SET quantity = quantity + 1 WHERE order_id = 1 AND position = 0",
        "order 1: its total",
    ),
    (
        "UPDATE order_lines SET unit_price = unit_price + 1 WHERE order_id = 1 AND position = 0",
        "order 1: its total",
    ),
    (
        "UPDATE order_lines SET product_id = 99 WHERE order_id = 1 AND position = 0",
        "order_lines: row 1 refers to products 99",
    ),
    (
        "UPDATE order_lines SET user_id = 2 WHERE order_id = 1",
        "order 1: its lines belong to another user",
    ),
    (
        "INSERT INTO order_lines VALUES (99, 0, 1, 1, 'Mug', 100, 1)",
        "order_lines: row 99 refers to orders 99",
    ),
    (
        "DELETE FROM products WHERE id = 3",
        "stock: row 3 refers to products 3",
    ),
    (
        "UPDATE products SET archived = (1 = 1) WHERE id = 3",
        "catalogue: 3 products by its count, but there are 2",
    ),
    (
        "UPDATE shop SET catalogue_size = 7",
        "catalogue: 7 products by its count, but there are 3",
    ),
    (
        "DELETE FROM users WHERE id = 2",
        "orders: row 2 refers to users 2",
    ),
    (
        "DELETE FROM events WHERE seq = 1",
        "event log: 8 events, but the last one has the number 9",
    ),
    (
        "UPDATE events SET seq = seq + 10 WHERE seq = 9",
        "event log: 9 events, but the last one has the number 19",
    ),
    (
        "DELETE FROM events WHERE kind = 'order.placed' AND order_id = 1",
        "order 1: 0 events of its placing or import, and 1 orders",
    ),
    (
        "UPDATE events SET order_id = 99 WHERE kind = 'order.placed' AND order_id = 1",
        "order 99: 1 events of its placing or import, and 0 orders",
    ),
    (
        "INSERT INTO events (seq, kind, order_id, user_id, detail, amount, at)
            VALUES (10, 'order.imported', 1, 1, 'pending', 450, 0)",
        "order 1: 2 events of its placing or import",
    ),
    (
        "UPDATE events SET detail = 'pending>processing' WHERE kind = 'order.status'",
        "order 2: its events do not lead to its status",
    ),
    (
        "UPDATE events SET detail = 'processing>cancelled' WHERE kind = 'order.status'",
        "order 2: its events do not lead to its status",
    ),
    (
        "DELETE FROM events WHERE kind = 'order.status'",
        "order 2: its events do not lead to its status",
    ),
    (
        "UPDATE events SET amount = amount + 1 WHERE kind = 'order.placed' AND order_id = 1",
        "order 1: its events do not lead to its status",
    ),
    (
        "UPDATE events SET user_id = 2 WHERE kind = 'order.placed' AND order_id = 1",
        "order 1: its events do not lead to its status",
    ),
    (
        "UPDATE sales SET revenue = revenue + 1",
        "minor units by the stored sum",
    ),
    (
        "UPDATE sales SET orders = orders + 1",
        "orders by the stored sum, but",
    ),
    (
        "UPDATE order_counts SET orders = 2 WHERE status = 'pending'",
        "orders that are pending: 2 by the stored count, but the events add up to 1",
    ),
    ("UPDATE cart_items SET product_id = 99", "cart_items: row "),
    ("UPDATE cart_items SET user_id = 99", "refers to users 99"),
];

fn trade(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob, staff) = (
        shop.customer("ada"),
        shop.customer("bob"),
        shop.staff("grace"),
    );
    let (mug, tea, _nothing) = (
        shop.product(100, 9),
        shop.product(250, 9),
        shop.product(300, 0),
    );
    shop.order(ada, &[(mug, 2), (tea, 1)]);
    let cancelled = shop.order(bob, &[(mug, 1)]);
    let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
    shop.change_order(cancelled.id, cancel, Actor::Staff(staff))
        .unwrap();
    shop.add(ada, tea, 1).unwrap();
    assert_eq!(found(stores), Vec::<String>::new());
}

fn found(stores: &Stores) -> Vec<String> {
    let audit = stores.ledger.audit().unwrap();
    audit
        .discrepancies
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn assert_found(stores: &Stores, statement: &str, words: &str) {
    let found = found(stores);
    assert!(
        found.iter().any(|line| line.contains(words)),
        "{statement}: {found:#?}"
    );
    let audit = stores.ledger.audit().unwrap();
    let is_stock = |found: &Discrepancy| matches!(found, Discrepancy::Stock { .. });
    let stock: Vec<_> = audit.discrepancies.into_iter().filter(is_stock).collect();
    assert_eq!(found_in_parts(stores), stock, "{statement}");
}

/// The findings of the stock check, product by product.
fn found_in_parts(stores: &Stores) -> Vec<Discrepancy> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = stores.ledger.audit_stock(after, 1).unwrap();
        if part.last.is_none() {
            return found;
        }
        found.extend(part.audit.discrepancies);
        after = part.last;
    }
}

fn options() -> OpenOptions {
    let currency = ShopCurrency::Is(usd());
    OpenOptions {
        currency,
        readers: 2,
        wait: Duration::from_secs(5),
    }
}

#[test]
fn every_damage_is_found_in_sqlite() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.db");
    let url = DatabaseUrl::sqlite(&path);
    Migrator::connect(&url, Missing::Create)
        .unwrap()
        .run(|_| ())
        .unwrap();
    let stores = open(&url, &options()).unwrap();
    trade(&stores);
    drop(stores);
    // A read connection that the pool was still opening may have been the last to close the file,
    // and cannot checkpoint the log.
    let mut tool = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    tool.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(tool);
    let more = [
        (
            "UPDATE orders SET status = 'lost' WHERE id = 2",
            "CHECK constraint failed in orders",
        ),
        (
            "UPDATE products SET price = 0 WHERE id = 3",
            "CHECK constraint failed in products",
        ),
        (
            "UPDATE cart_items SET quantity = -3",
            "CHECK constraint failed in cart_items",
        ),
    ];
    for (number, (statement, words)) in DAMAGE.iter().chain(&more).enumerate() {
        // A file of its own: connections of the previous copy may still be closing, and their log
        // would be taken for that of a file of the same name.
        let copy = folder.path().join(format!("copy-{number}.db"));
        std::fs::copy(&path, &copy).unwrap();
        let mut tool = SqliteConnection::establish(copy.to_str().unwrap()).unwrap();
        let off = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
        tool.batch_execute(&format!("{off} {statement}")).unwrap();
        drop(tool);
        let stores = open(&DatabaseUrl::sqlite(&copy), &options()).unwrap();
        assert_found(&stores, statement, words);
    }
}

#[test]
fn every_damage_is_found_in_postgres() {
    let cluster = Cluster::start().unwrap();
    let template = cluster.database().unwrap();
    let url = |name: &str| DatabaseUrl::parse(&cluster.url(name)).unwrap();
    Migrator::connect(&url(&template), Missing::Refuse)
        .unwrap()
        .run(|_| ())
        .unwrap();
    let stores = open(&url(&template), &options()).unwrap();
    trade(&stores);
    drop(stores);
    let constraints = "SELECT string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname), ';')
                       FROM pg_constraint WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace";
    let drop_them = cluster.sql(&template, constraints).unwrap();
    cluster.sql(&template, &drop_them).unwrap();
    for (statement, words) in DAMAGE {
        let copy = cluster.copy(&template).unwrap();
        cluster.sql(&copy, statement).unwrap();
        let stores = open(&url(&copy), &options()).unwrap();
        assert_found(&stores, statement, words);
    }
}
