//! Changes of several products that are made together or not at all.

use crate::{TestShop, at, money, race, retry_busy};
use std::thread;
use std::time::Duration;
use tradepost_domain::Stores;
use tradepost_domain::catalog::{ChangeProduct, Price, Product, ProductChange, StockChange};
use tradepost_domain::inventory::{Reason, StockDelta};
use tradepost_domain::kernel::{Precondition, ProductId, Refusal, ResponseEncoder};

/// Changes products together; lock conflicts are retried.
fn change_together(
    stores: &Stores,
    commands: &[ChangeProduct],
) -> Result<Vec<Product>, Vec<Option<Refusal>>> {
    let later = |refusals: &[Option<Refusal>]| refusals.contains(&Some(Refusal::LockConflict));
    let patience = 1_000;
    for _ in 0..patience {
        match retry_busy(|| stores.products.change_together(commands)) {
            Err(refusals) if later(&refusals) => thread::sleep(Duration::from_millis(5)),
            settled => return settled,
        }
    }
    panic!("others were in the way {patience} times in a row");
}

fn adjusted(product: ProductId, delta: i64) -> ChangeProduct {
    let delta = StockDelta::new(delta).unwrap();
    ChangeProduct {
        product,
        change: ProductChange {
            adjustment: Some(StockChange { delta, note: None }),
            ..ProductChange::default()
        },
        seen: None,
        by: None,
        at: at(90),
    }
}

/// Prices and stock of several products change together. If one change is refused, none is made,
/// and each refusal is that of its command.
pub fn products_are_changed_together_or_not_at_all(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (mug, tea) = (shop.product(100, 5), shop.product(100, 2));
    let before = [shop.found(mug), shop.found(tea)];
    let priced = |product, price: i64, delta: i64| {
        let mut command = adjusted(product, delta);
        command.change.price = Some(Price::new(money(price)).unwrap());
        command
    };
    let stale = Precondition {
        tags: vec!["another version".to_owned()],
        tag: ResponseEncoder(|product: &Product| product.name.to_string()),
    };
    let stale = ChangeProduct {
        seen: Some(stale),
        ..priced(tea, 300, 1)
    };
    let nowhere = ProductId::new(i64::MAX).unwrap();
    let refused = change_together(
        stores,
        &[
            priced(mug, 200, 4),
            stale,
            adjusted(nowhere, 1),
            adjusted(tea, -3),
        ],
    );
    let refused = refused.unwrap_err();
    assert_eq!(
        refused[..3],
        [
            None,
            Some(Refusal::PreconditionFailed),
            Some(Refusal::NotFound)
        ]
    );
    assert!(
        matches!(refused[3], Some(Refusal::Inventory(_))),
        "{refused:?}"
    );
    assert_eq!([shop.found(mug), shop.found(tea)], before);
    assert_eq!(shop.movements(mug).len() + shop.movements(tea).len(), 2);
    // Each change sees the earlier ones, and an adjustment is no edit.
    let commands = [priced(mug, 200, 4), adjusted(tea, -1), adjusted(mug, -9)];
    let changed = change_together(stores, &commands).unwrap();
    let stock: Vec<_> = changed
        .iter()
        .map(|product| product.stock.units())
        .collect();
    assert_eq!(stock, [9, 1, 0]);
    assert_eq!((shop.stock(mug), shop.stock(tea)), (0, 1));
    let (cheaper, same) = (shop.found(mug), shop.found(tea));
    assert_eq!(cheaper.price.money(), money(200));
    assert_eq!(
        (cheaper.updated_at, same.updated_at),
        (at(90), before[1].updated_at)
    );
    let last = shop.movements(mug).pop().unwrap().entry;
    assert_eq!((last.delta.units(), last.reason), (-9, Reason::Adjustment));
}

/// Units that are moved from one product to another while both are ordered: no unit is lost, and
/// none is moved halfway.
pub fn changes_together_race_orders(stores: &Stores) {
    const RACERS: usize = 4;
    let shop = TestShop::new(stores);
    let (mug, tea) = (shop.product(100, 100), shop.product(100, 100));
    let users = shop.customers(RACERS);
    for user in &users {
        shop.add(*user, mug, 1).unwrap();
        shop.add(*user, tea, 1).unwrap();
    }
    let moved = race(RACERS + 2, |at| match users.get(at) {
        Some(user) => {
            shop.place(*user).unwrap();
            0
        }
        None => {
            let commands = [adjusted(tea, 30), adjusted(mug, -30)];
            let moves = (0..2).map(|_| change_together(stores, &commands));
            moves.filter(Result::is_ok).count()
        }
    });
    let moved = i64::try_from(moved.into_iter().sum::<usize>()).unwrap();
    let sold = i64::try_from(RACERS).unwrap();
    assert_eq!(moved, 3, "there are units for three of four moves");
    let left = (100 - sold - 30 * moved, 100 - sold + 30 * moved);
    assert_eq!((shop.stock(mug), shop.stock(tea)), left);
}
