use crate::cases::imports::{a_shop_of_many, import};
use crate::cases::product_imports::{full, import as import_products, listed};
use crate::{TestShop, race, retry_busy};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tradepost_domain::Stores;

/// A registration concurrent with an import either commits before it, and the import is refused, or
/// after it, with an id above the imported ones.
pub fn an_import_races_a_registration(stores: &Stores) {
    // Far from the ids of a new shop, so that no id collides.
    const IDS: RangeInclusive<i64> = 10_001..=13_000;
    let shop = TestShop::new(stores);
    let other = Arc::new(a_shop_of_many(IDS));
    let answers = race(8, |at| match at {
        0 | 1 => (import(stores, Arc::clone(&other)).is_ok(), None),
        at => {
            // Long enough for the import to have begun, too short for it to have ended.
            let moments = u64::try_from(at).unwrap();
            thread::sleep(Duration::from_millis(moments * 3));
            (false, Some(shop.customer(&format!("late{at}"))))
        }
    });
    let taken_over = answers.iter().filter(|(done, _)| *done).count();
    assert!(taken_over <= 1);
    for customer in answers.iter().filter_map(|(_, customer)| *customer) {
        assert_eq!(customer.get() > *IDS.end(), taken_over == 1, "{answers:?}");
    }
    let first = retry_busy(|| stores.accounts.credentials("user10001"));
    assert_eq!(first.is_some(), taken_over == 1);
}

/// An import that sets the stock of products, concurrent with their sale: the stock of each is the
/// imported level less the units that were sold afterwards, and none is sold twice.
pub fn a_product_import_races_orders(stores: &Stores) {
    let shop = TestShop::new(stores);
    let rows = |price, stock| -> Vec<_> {
        (1..=40)
            .map(|line| full(line, &format!("SKU{line}"), price, stock))
            .collect()
    };
    import_products(stores, rows(100, 5)).unwrap();
    let products: Vec<_> = listed(stores, "", false)
        .into_iter()
        .map(|product| product.id)
        .collect();
    let buyers = shop.customers(7);
    let sold: i64 = race(8, |at| {
        let Some(buyer) = at.checked_sub(1).and_then(|at| buyers.get(at)) else {
            let imported = import_products(stores, rows(200, 3));
            return imported.map_or(-1_000, |_| 0);
        };
        let mut sold = 0;
        for product in products.iter().skip(at * 5).take(5) {
            for _ in 0..3 {
                if shop.add(*buyer, *product, 1).is_ok() && shop.place(*buyer).is_ok() {
                    sold += 1;
                }
            }
        }
        sold
    })
    .into_iter()
    .sum();
    assert!(sold > 0, "the import is applied, and units are sold");
    let mut taken = 0;
    for product in products {
        let mut level = 0;
        for movement in shop.movements(product) {
            level += movement.entry.delta.units();
            assert!(level >= 0);
            taken += i64::from(movement.entry.order.is_some());
        }
        assert_eq!(shop.stock(product), level);
        assert_eq!(shop.found(product).price.money().minor(), 200);
    }
    assert_eq!(taken, sold);
}

/// An import concurrent with edits of the same products: each product has the values of the import,
/// or those of an edit that followed it, and no value of before.
pub fn a_product_import_races_an_edit(stores: &Stores) {
    let shop = TestShop::new(stores);
    let rows = |price| -> Vec<_> {
        (1..=40)
            .map(|line| full(line, &format!("SKU{line}"), price, 5))
            .collect()
    };
    import_products(stores, rows(100)).unwrap();
    let products = listed(stores, "", false);
    assert_eq!(products.len(), 40);
    race(4, |at| match at {
        0 => drop(import_products(stores, rows(200)).unwrap()),
        at => {
            for product in products.iter().skip(at * 10).take(10) {
                shop.set_price(product.id, 300);
                shop.set_stock(product.id, 9);
            }
        }
    });
    for product in listed(stores, "", false) {
        let price = product.price.money().minor();
        let stock = product.stock.units();
        assert!([200, 300].contains(&price), "{product:?}");
        assert!([5, 9].contains(&stock), "{product:?}");
        let ledger = shop.movements(product.id).into_iter();
        let moved: i64 = ledger.map(|movement| movement.entry.delta.units()).sum();
        assert_eq!(moved, stock);
    }
}
