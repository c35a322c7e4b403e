//! Searches among more products than the stores' limit of few.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its shop has failed"
)]

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::time::Duration;
use tempfile::TempDir;
use tradepost_contract::{page, usd};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency, open};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{Product, ProductField, ProductFilter, ProductList};
use tradepost_domain::kernel::{CursorRequest, Keyset, Search, Sorting};
use tradepost_test_postgres::Cluster;

/// One word in every product, one in exactly as many as are few, one in one more, and one in a
/// fifth.
const PRODUCTS: &str = "
    WITH RECURSIVE numbers(n) AS (
        SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
    INSERT INTO products (name, description, price, archived, created_at, updated_at)
    SELECT 'Thing ' || n || CASE WHEN n % 500 = 77 THEN ' rare' ELSE '' END,
           'Common' || CASE WHEN n <= 1000 THEN ' thousand' ELSE '' END
                    || CASE WHEN n > 1499 THEN ' plenty' ELSE '' END,
           100 + n % 7, FALSE, 1700000000000000 + n, 1700000000000000 + n
    FROM numbers ORDER BY n;
    INSERT INTO stock (product_id, on_hand) SELECT id, 0 FROM products;
    UPDATE shop SET catalogue_size = 2500;";

const SEARCHES: &[&str] = &[
    "common",
    "thousand",
    "plenty",
    "rare",
    "1234",
    "co",
    "9",
    "common thing",
    "common thousand",
    "plenty common",
    "plenty thousand",
    "rare common",
    "thousand rare",
    "plenty rare thing common",
    "co 1234",
    "thing 99",
    "com 57 rare",
    "nowhere",
    "nowhere common",
    "common hing thin",
    "mmomm thing",
    "5 hi",
];

fn migrate(url: &DatabaseUrl) {
    let mut migrator = Migrator::connect(url, Missing::Create).unwrap();
    migrator.run(|_| ()).unwrap();
}

fn stores(url: &DatabaseUrl) -> Stores {
    let options = OpenOptions {
        currency: ShopCurrency::Is(usd()),
        readers: 2,
        wait: Duration::from_secs(5),
    };
    open(url, &options).unwrap()
}

fn ids<'a>(products: impl IntoIterator<Item = &'a Product>) -> Vec<i64> {
    let ids = products.into_iter().map(|product| product.id.get());
    ids.collect()
}

/// Finds the same as the domain does, in numbered pages and in cursor pages, in any sort order.
fn finds_the_matching_products(stores: &Stores) {
    let catalogue: Vec<Product> = (1..=25)
        .flat_map(|number| {
            let list = ProductList::default();
            stores
                .products
                .list(&list, page(number, 100))
                .unwrap()
                .items
        })
        .collect();
    assert_eq!(catalogue.len(), 2500);
    for text in SEARCHES {
        let filter = ProductFilter {
            search: Search::new(text).unwrap(),
            ..ProductFilter::default()
        };
        for field in [ProductField::Id, ProductField::Price] {
            let sorting = Sorting::by(field, true);
            let mut matching: Vec<_> = catalogue.iter().filter(|one| filter.matches(one)).collect();
            matching.sort_by(|one, other| sorting.compare(one, other));
            let list = ProductList {
                filter: filter.clone(),
                sorting: sorting.clone(),
            };
            for number in [1, 2, 30] {
                let found = stores.products.list(&list, page(number, 100)).unwrap();
                assert_eq!(
                    found.count,
                    u64::try_from(matching.len()).unwrap(),
                    "{text}"
                );
                let skipped = usize::try_from(page(number, 100).offset()).unwrap();
                let expected = matching.iter().skip(skipped).take(100).copied();
                assert_eq!(ids(&found.items), ids(expected), "{text}, page {number}");
            }
            let keyset = Keyset::new(&sorting).unwrap();
            let part = stores
                .products
                .cursor_page(&filter, keyset, &CursorRequest::first(20));
            let expected = matching.iter().take(20).copied();
            assert_eq!(ids(&part.unwrap().items), ids(expected), "{text}");
        }
    }
}

#[test]
fn sqlite_finds_the_matching_products() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.db");
    let url = DatabaseUrl::sqlite(&path);
    migrate(&url);
    let mut tool = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    tool.batch_execute(PRODUCTS).unwrap();
    drop(tool);
    migrate(&url);
    finds_the_matching_products(&stores(&url));
}

/// With any statistics of the texts: none at first, and the frequency of words after that.
#[test]
fn postgres_finds_the_matching_products() {
    let cluster = Cluster::start().unwrap();
    let name = cluster.database().unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
    migrate(&url);
    cluster.sql(&name, PRODUCTS).unwrap();
    migrate(&url);
    let stores = stores(&url);
    finds_the_matching_products(&stores);
    cluster.sql(&name, "VACUUM ANALYZE").unwrap();
    finds_the_matching_products(&stores);
}
