//! Migration to product search: existing products are folded when the schema is brought up to date.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its shop has failed"
)]

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::time::Duration;
use tempfile::TempDir;
use tradepost_contract::{TestShop, draft, first_page, usd};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency, open};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{ProductChange, ProductFilter, ProductList};
use tradepost_domain::kernel::{ProductId, ProductName, Search};
use tradepost_test_postgres::Cluster;

/// More than one batch.
const MANY: usize = 1001;

/// A concurrent server of an older version, which writes no search texts.
const FORGET: &str = "DELETE FROM product_texts WHERE product_id > 1";

fn stores(url: &DatabaseUrl) -> Stores {
    let options = OpenOptions {
        currency: ShopCurrency::Is(usd()),
        readers: 2,
        wait: Duration::from_secs(5),
    };
    open(url, &options).unwrap()
}

fn migrate(url: &DatabaseUrl) {
    let mut migrator = Migrator::connect(url, Missing::Create).unwrap();
    migrator.run(|_| ()).unwrap();
}

fn found(url: &DatabaseUrl, text: &str) -> u64 {
    let search = Search::new(text).unwrap();
    let list = ProductList::new(ProductFilter {
        search,
        ..ProductFilter::default()
    });
    stores(url)
        .products
        .list(&list, first_page())
        .unwrap()
        .count
}

fn fill(url: &DatabaseUrl) {
    let stores = stores(url);
    let shop = TestShop::new(&stores);
    for at in 0..MANY {
        shop.create(draft(&format!("STRAẞE {at}"), 100, 1)).unwrap();
    }
}

/// The search text of a product is written when its name or description changes, and not with its
/// price or stock.
fn folds_renamed_products(url: &DatabaseUrl) {
    let stores = stores(url);
    let shop = TestShop::new(&stores);
    let forgotten = ProductId::new(2).unwrap();
    shop.set_price(forgotten, 700);
    shop.set_stock(forgotten, 7);
    assert_eq!(found(url, "strasse"), 1);
    let change = ProductChange {
        name: ProductName::new("Andere STRAẞE").ok(),
        ..ProductChange::default()
    };
    shop.change(forgotten, change).unwrap();
    assert_eq!((found(url, "strasse"), found(url, "andere")), (2, 1));
}

#[test]
fn existing_products_are_folded_in_sqlite() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.db");
    let url = DatabaseUrl::sqlite(&path);
    migrate(&url);
    fill(&url);
    assert_eq!(found(&url, "strasse"), 1001);
    // From a schema without search.
    let mut migrator = Migrator::connect(&url, Missing::Refuse).unwrap();
    while !(migrator.revert().unwrap().unwrap().name).ends_with("find_products") {}
    drop(migrator);
    migrate(&url);
    for text in ["strasse", "ss"] {
        assert_eq!(found(&url, text), 1001, "{text}");
    }
    assert_eq!(found(&url, "straße 1000"), 1);
    let mut tool = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    tool.batch_execute(FORGET).unwrap();
    drop(tool);
    assert_eq!((found(&url, "strasse"), found(&url, "ss")), (1, 1));
    folds_renamed_products(&url);
    migrate(&url);
    assert_eq!((found(&url, "strasse"), found(&url, "ss")), (1001, 1001));
}

#[test]
fn existing_products_are_folded_in_postgres() {
    let cluster = Cluster::start().unwrap();
    let name = cluster.database().unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
    migrate(&url);
    fill(&url);
    let down =
        include_str!("../../../migrations/postgres/2026-11-22-000003_find_products/down.sql");
    cluster.sql(&name, down).unwrap();
    let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '20261122000003'";
    cluster.sql(&name, forget).unwrap();
    migrate(&url);
    assert_eq!(found(&url, "straße 1000"), 1);
    cluster.sql(&name, FORGET).unwrap();
    assert_eq!(found(&url, "strasse"), 1);
    folds_renamed_products(&url);
    migrate(&url);
    assert_eq!((found(&url, "strasse"), found(&url, "ss")), (1001, 1001));
}

/// Where the extension is not available, the migration still succeeds, and searches find the same.
#[test]
fn postgres_searches_without_trigrams() {
    let cluster = Cluster::start().unwrap();
    let name = cluster.database().unwrap();
    let admin = cluster.url(&name);
    let secret = admin.split([':', '@']).nth(2).unwrap();
    let role = format!(
        "CREATE ROLE plain LOGIN PASSWORD '{secret}'; GRANT CREATE ON SCHEMA public TO plain"
    );
    cluster.sql(&name, &role).unwrap();
    let plain = admin.replacen("postgres://postgres", "postgres://plain", 1);
    assert_ne!(plain, admin);
    let url = DatabaseUrl::parse(&plain).unwrap();
    migrate(&url);
    let indexes = "SELECT count(*) FROM pg_indexes WHERE indexname = 'product_trigrams'";
    assert_eq!(cluster.sql(&name, indexes).unwrap().trim(), "0");
    fill(&url);
    assert_eq!((found(&url, "strasse"), found(&url, "ss")), (1001, 1001));
    assert_eq!(found(&url, "straße 1000"), 1);
}
