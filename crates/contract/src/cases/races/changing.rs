//! Races between staff commands and orders.

use crate::cases::preconditions;
use crate::{Placed, TestShop, first_page, level, race, retry_busy};
use OrderStatus::{Cancelled, Processing, Shipped};
use std::sync::atomic::{AtomicUsize, Ordering};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{CatalogRefusal, ProductList};
use tradepost_domain::inventory::{InventoryRefusal, Movement, Reason};
use tradepost_domain::kernel::{Actor, ProductId, Refusal, UserId};
use tradepost_domain::orders::{OrderAction, OrderList, OrderRefusal, OrderStatus};

const RACERS: usize = 8;

fn movements(shop: TestShop<'_>, product: ProductId, reason: Reason) -> usize {
    let movements = shop.movements(product);
    movements
        .iter()
        .filter(|movement| movement.entry.reason == reason)
        .count()
}

/// Stock of a product after each of its movements; asserts that none is negative.
fn levels(movements: &[Movement]) -> Vec<i64> {
    let mut level = 0;
    let mut after = |movement: &Movement| {
        level += movement.entry.delta.units();
        assert!(level >= 0, "the ledger goes below zero: {movements:?}");
        level
    };
    movements.iter().map(&mut after).collect()
}

fn buyers(shop: TestShop<'_>, product: ProductId) -> Vec<UserId> {
    let users = shop.customers(RACERS);
    for user in &users {
        shop.add(*user, product, 1).unwrap();
    }
    users
}

fn sold(placements: &[Placed]) -> i64 {
    i64::try_from(placements.iter().flatten().count()).unwrap()
}

/// Of several edits with the same precondition, one succeeds and the others are refused.
pub fn edits_do_not_overwrite_each_other(stores: &Stores) {
    let shop = TestShop::new(stores);
    let seen = shop.found(shop.product(100, 5));
    let answers = race(RACERS, |at| {
        preconditions::name(stores, &seen, &format!("Name {at}"))
    });
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(done, [Ok(shop.found(seen.id))]);
    assert!(
        refused
            .iter()
            .all(|answer| *answer == Err(Refusal::PreconditionFailed)),
        "{refused:?}"
    );
}

/// Concurrent cancellations by several actors return the stock once.
pub fn cancel_races_cancel(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), shop.staff("grace"));
    let product = shop.product(100, 5);
    let order = shop.order(ada, &[(product, 3)]);
    let answers = race(RACERS, |at| {
        let by = if at % 2 == 0 {
            Actor::Customer(ada)
        } else {
            Actor::Staff(staff)
        };
        shop.change_order(order.id, OrderAction::SetStatus(Cancelled), by)
    });
    for answer in answers {
        assert_eq!(answer.map(|order| order.status), Ok(Cancelled));
    }
    assert_eq!(shop.stock(product), 5);
    assert_eq!(movements(shop, product, Reason::Return), 1);
}

/// A deletion concurrent with cancellations returns the stock once.
pub fn delete_races_cancel(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), shop.staff("grace"));
    let product = shop.product(100, 5);
    let order = shop.order(ada, &[(product, 3)]);
    race(RACERS, |at| {
        if at % 2 == 0 {
            let deleted = shop.change_order(order.id, OrderAction::Delete, Actor::Customer(ada));
            let status = Cancelled;
            let late = [
                Refusal::NotFound,
                Refusal::Orders(OrderRefusal::NotPending { status }),
            ];
            assert!(deleted.is_ok() || late.contains(&deleted.unwrap_err()));
        } else {
            let action = OrderAction::SetStatus(Cancelled);
            let cancelled = shop.change_order(order.id, action, Actor::Staff(staff));
            assert!(cancelled.is_ok() || cancelled == Err(Refusal::NotFound));
        }
    });
    assert_eq!(shop.found_order(order.id).status, Cancelled);
    assert_eq!(shop.stock(product), 5);
    assert_eq!(movements(shop, product, Reason::Return), 1);
}

/// An order is either shipped or cancelled, and its stock agrees with its status.
pub fn cancel_races_shipping(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), Actor::Staff(shop.staff("grace")));
    for _ in 0..3 {
        let product = shop.product(100, 5);
        let order = shop.order(ada, &[(product, 3)]);
        let set = |status| shop.change_order(order.id, OrderAction::SetStatus(status), staff);
        set(Processing).unwrap();
        let wish = |at| if at % 2 == 0 { Cancelled } else { Shipped };
        let answers = race(RACERS, |at| set(wish(at)));
        let end = shop.found_order(order.id).status;
        for (at, answer) in answers.into_iter().enumerate() {
            if wish(at) == end {
                assert_eq!(answer.map(|order| order.status), Ok(end));
            } else {
                assert!(
                    matches!(
                        answer,
                        Err(Refusal::Orders(OrderRefusal::InvalidTransition { .. }))
                    ),
                    "{answer:?}"
                );
            }
        }
        let stock = if end == Cancelled { 5 } else { 2 };
        assert_eq!(shop.stock(product), stock);
    }
}

/// Deliveries concurrent with orders are all counted.
pub fn restocking_races_orders(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 4);
    let users = buyers(shop, product);
    let placements = race(2 * RACERS, |at| match users.get(at) {
        Some(user) => Some(shop.place(*user)),
        None => {
            shop.adjust(product, 2).unwrap();
            None
        }
    });
    let placements: Vec<_> = placements.into_iter().flatten().collect();
    for refusal in placements
        .iter()
        .filter_map(|placement| placement.as_ref().err())
    {
        assert!(
            matches!(
                refusal,
                Refusal::Inventory(InventoryRefusal::InsufficientStock(_))
            ),
            "{refusal:?}"
        );
    }
    assert!(sold(&placements) >= 4);
    assert_eq!(shop.stock(product), 4 + 16 - sold(&placements));
    levels(&shop.movements(product));
    assert_eq!(movements(shop, product, Reason::Adjustment), RACERS);
}

/// Of concurrent write-offs of the same units, one succeeds.
pub fn writing_off_races_writing_off(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 3);
    let answers = race(RACERS, |_| shop.adjust(product, -1));
    assert_eq!(answers.iter().flatten().count(), 3);
    for refusal in answers.into_iter().filter_map(Result::err) {
        assert!(
            matches!(
                refusal,
                Refusal::Inventory(InventoryRefusal::InsufficientStock(_))
            ),
            "{refusal:?}"
        );
    }
    assert_eq!(shop.stock(product), 0);
}

/// Setting stock writes exactly that level, with sales before and after it.
pub fn setting_stock_races_orders(stores: &Stores) {
    const SET_TO: i64 = 50;
    let shop = TestShop::new(stores);
    let product = shop.product(100, 100);
    let users = buyers(shop, product);
    let placements = race(RACERS + 2, |at| match users.get(at) {
        Some(user) => Some(shop.place(*user)),
        None => {
            assert_eq!(shop.set_stock(product, SET_TO).stock, level(SET_TO));
            None
        }
    });
    let placements: Vec<_> = placements.into_iter().flatten().collect();
    assert_eq!(
        placements.iter().flatten().count(),
        RACERS,
        "there was enough for all"
    );
    let movements = shop.movements(product);
    let levels = levels(&movements);
    let mut set = 0;
    for (movement, level) in movements.iter().zip(&levels) {
        if movement.entry.reason == Reason::Set {
            assert_eq!(*level, SET_TO, "{movements:?}");
            set += 1;
        }
    }
    assert!(
        (1..=2).contains(&set),
        "the second finds it set if nothing was sold in between"
    );
    assert_eq!(levels.last(), Some(&shop.stock(product)));
}

/// After a product is archived, no order takes it.
pub fn archiving_races_orders(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 100);
    let users = buyers(shop, product);
    let archived = AtomicUsize::new(0);
    let placements = race(RACERS + 2, |at| match users.get(at) {
        Some(user) => {
            let too_late = archived.load(Ordering::SeqCst) > 0;
            let placement = shop.place(*user);
            assert!(
                !(too_late && placement.is_ok()),
                "sold after it was archived"
            );
            Some(placement)
        }
        None => {
            let answer = shop.archive(product, true);
            assert!(
                answer.is_ok() || answer == Err(Refusal::NotFound),
                "{answer:?}"
            );
            archived.fetch_add(1, Ordering::SeqCst);
            None
        }
    });
    let placements: Vec<_> = placements.into_iter().flatten().collect();
    let unavailable = Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![product]));
    for refusal in placements
        .iter()
        .filter_map(|placement| placement.as_ref().err())
    {
        assert_eq!(*refusal, unavailable);
    }
    let product = shop.found(product);
    assert!(product.archived);
    assert_eq!(product.stock.units(), 100 - sold(&placements));
}

/// A list and its count come from one snapshot, under concurrent inserts.
pub fn lists_are_read_from_one_snapshot(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 1_000);
    let users = shop.customers(2);
    let writing = AtomicUsize::new(4);
    race(RACERS, |at| {
        if at < 4 {
            for _ in 0..6 {
                match users.get(at) {
                    Some(user) => drop(shop.order(*user, &[(product, 1)])),
                    None => drop(shop.product(100, 1)),
                }
            }
            writing.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        while writing.load(Ordering::SeqCst) > 0 {
            let page = retry_busy(|| stores.products.list(&ProductList::default(), first_page()));
            assert_eq!(page.count, u64::try_from(page.items.len()).unwrap());
            let page = retry_busy(|| stores.orders.list(&OrderList::default(), first_page()));
            assert_eq!(page.count, u64::try_from(page.items.len()).unwrap());
            assert!(page.items.iter().all(|order| order.lines.len() == 1));
        }
    });
    let orders = retry_busy(|| stores.orders.list(&OrderList::default(), first_page())).count;
    assert_eq!((orders, shop.stock(product)), (12, 1_000 - 12));
}
