//! Statements of the writer.

use super::*;
use diesel::connection::InstrumentationEvent;
use std::collections::BTreeSet;
use std::sync::Mutex;
use tradepost_contract::{TestShop, place};
use tradepost_domain::Stores;

#[derive(Default)]
struct Statements {
    cached: BTreeSet<String>,
    run: BTreeSet<String>,
}

/// SQLite would parse and plan an uncached statement for each row.
#[test]
fn the_statements_of_carts_and_orders_stay_prepared() {
    let folder = Folder::new();
    let database = folder.shop();
    let statements = Arc::new(Mutex::new(Statements::default()));
    let record = Arc::clone(&statements);
    let instrument = move |conn: &mut Conn| {
        let record = Arc::clone(&record);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
            InstrumentationEvent::CacheQuery { sql, .. } => {
                record.lock().unwrap().cached.insert(sql.to_owned());
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let query = query.to_string();
                let sql = query.split(" -- binds").next().unwrap();
                record.lock().unwrap().run.insert(sql.to_owned());
            }
            _ => {}
        });
        Ok(())
    };
    database.write(instrument).unwrap();
    let stores = Stores::new(Arc::new(database));
    let shop = TestShop::new(&stores);
    let mug = shop.product(100, 50);
    let buyers = shop.customers(2);
    statements.lock().unwrap().run.clear();
    for buyer in &buyers {
        // A new item, and a larger quantity of it.
        shop.add(*buyer, mug, 1).unwrap();
        shop.add(*buyer, mug, 1).unwrap();
    }
    let requests: Vec<_> = buyers.iter().map(|buyer| place(*buyer)).collect();
    let placements = stores.orders.place(&requests).unwrap();
    assert!(placements.iter().all(Result::is_ok));
    let statements = statements.lock().unwrap();
    let of_transaction = ["BEGIN", "COMMIT", "PRAGMA"];
    let run = statements.run.iter();
    let run = run.filter(|sql| !of_transaction.iter().any(|word| sql.starts_with(word)));
    let run: Vec<_> = run.collect();
    for word in ["INSERT INTO `orders`", "UPDATE stock", "UPDATE cart_items"] {
        assert!(run.iter().any(|sql| sql.starts_with(word)), "{run:#?}");
    }
    let mut uncached = run.iter().filter(|sql| !statements.cached.contains(**sql));
    assert_eq!(uncached.next(), None);
}
