//! The trigram index of SQLite after an import of products, whose texts are indexed later.
#![cfg(feature = "sqlite")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its shop has failed"
)]

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tradepost_contract::{TestShop, at, draft, first_page, money, usd};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency, open};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{Price, ProductChange, ProductDraft, ProductFilter, ProductList};
use tradepost_domain::import::products::{ApplyProducts, ProductRow};
use tradepost_domain::kernel::{NoProgress, ProductName, Search, Sku};

fn shop(folder: &TempDir) -> (Stores, DatabaseUrl) {
    let url = DatabaseUrl::sqlite(&folder.path().join("shop.db"));
    let mut migrator = Migrator::connect(&url, Missing::Create).unwrap();
    migrator.run(|_| ()).unwrap();
    let options = OpenOptions {
        currency: ShopCurrency::Is(usd()),
        readers: 2,
        wait: Duration::from_secs(5),
    };
    (open(&url, &options).unwrap(), url)
}

fn row(line: u64, sku: &str, name: &str) -> ProductRow {
    ProductRow {
        name: Some(ProductName::new(name).unwrap()),
        price: Some(Price::new(money(100)).unwrap()),
        ..ProductRow::new(line, Sku::new(sku).unwrap())
    }
}

/// Imports rows without indexing their texts.
fn import(stores: &Stores, rows: Vec<ProductRow>) {
    let import = stores.product_imports.begin(at(0)).unwrap();
    let count = u64::try_from(rows.len()).unwrap();
    let staged = stores.product_imports.stage(import, rows.into()).unwrap();
    staged.unwrap();
    let command = ApplyProducts {
        import,
        rows: count,
        by: None,
        at: at(1),
    };
    let applied = stores.product_imports.apply(command, Arc::new(NoProgress));
    applied.unwrap().unwrap();
}

/// How many products a search finds.
fn found(stores: &Stores, words: &str) -> usize {
    let list = ProductList::new(ProductFilter {
        search: Search::new(words).unwrap(),
        ..ProductFilter::default()
    });
    let page = stores.products.list(&list, first_page()).unwrap();
    page.items.len()
}

fn drafted(sku: &str, name: &str) -> ProductDraft {
    ProductDraft {
        sku: Some(Sku::new(sku).unwrap()),
        ..draft(name, 100, 0)
    }
}

/// Asserts that the index has the texts of every product, and no other texts.
fn assert_index_is_whole(folder: &TempDir) {
    let path = folder.path().join("shop.db");
    let mut tool = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    tool.batch_execute(
        "INSERT INTO product_trigrams (product_trigrams, rank) VALUES ('integrity-check', 1)",
    )
    .unwrap();
}

/// A shop with an imported product, one that an import renamed, and one that was renamed again.
fn imported(stores: &Stores) {
    let shop = TestShop::new(stores);
    shop.create(drafted("A", "alpha vessel")).unwrap();
    let twice = shop.create(drafted("B", "beta vessel")).unwrap();
    import(
        stores,
        vec![
            row(2, "A", "gamma vessel"),
            row(3, "B", "delta vessel"),
            row(4, "C", "epsilon vessel"),
        ],
    );
    let renamed = ProductChange {
        name: Some(ProductName::new("zeta vessel").unwrap()),
        ..ProductChange::default()
    };
    shop.change(twice.id, renamed).unwrap();
    shop.create(drafted("D", "theta vessel")).unwrap();
}

#[test]
fn imported_texts_are_found_before_and_after_they_are_indexed() {
    let folder = TempDir::new().unwrap();
    let (stores, _) = shop(&folder);
    imported(&stores);
    let finds = || {
        for (words, count) in [
            ("vessel", 4),
            ("gamma", 1),
            ("zeta vessel", 1),
            ("epsilon", 1),
            ("theta", 1),
            ("alpha", 0),
            ("beta", 0),
            ("delta", 0),
            ("ze", 1),
        ] {
            assert_eq!(found(&stores, words), count, "{words}");
        }
    };
    finds();
    let mut steps = 0;
    while stores.product_imports.tidy().unwrap() {
        steps += 1;
        finds();
    }
    assert!(steps > 0, "indexing was deferred");
    finds();
    assert_index_is_whole(&folder);
    assert_eq!(stores.ledger.audit().unwrap().discrepancies, []);
}

#[test]
fn reverting_the_migration_completes_the_index() {
    let folder = TempDir::new().unwrap();
    let (stores, url) = shop(&folder);
    imported(&stores);
    drop(stores);
    let mut migrator = Migrator::connect(&url, Missing::Refuse).unwrap();
    loop {
        let reverted = migrator.revert().unwrap().unwrap();
        if reverted.name.ends_with("stage_product_imports") {
            break;
        }
    }
    assert_index_is_whole(&folder);
    migrator.run(|_| ()).unwrap();
    assert_index_is_whole(&folder);
}
