//! The audit finds planted errors: otherwise an audit without findings would prove little.

use super::*;
use std::sync::Arc;
use tradepost_contract::{TestShop, level, units, usd};
use tradepost_domain::Stores;
use tradepost_domain::decision::EventKind;
use tradepost_domain::inventory::StockDelta;
use tradepost_domain::kernel::{Money, UserId};

/// The audit of a shop with one order of two units and three units left, after some damage.
fn found_after(damage: impl Fn(&mut State)) -> Vec<Discrepancy> {
    let store = Arc::new(MemoryStore::new(usd()));
    let stores = Stores::new(store.clone());
    let shop = TestShop::new(&stores);
    let product = shop.product(100, 5);
    shop.order(shop.customer("ada"), &[(product, 2)]);
    damage(&mut store.lock());
    stores.ledger.audit().unwrap().discrepancies
}

fn the_order(state: &mut State) -> &mut Order {
    state.orders.values_mut().next().unwrap()
}

fn sale(state: &mut State) -> &mut tradepost_domain::inventory::NewMovement {
    &mut state.movements.values_mut().next_back().unwrap().entry
}

#[test]
fn the_audit_finds_every_planted_error() {
    let product = ProductId::new(1).unwrap();
    let order = OrderId::new(1).unwrap();
    let moved = |moved, expected| Discrepancy::Movements {
        order,
        product,
        moved,
        expected,
    };
    let level_of = |on_hand, ledger| Discrepancy::Stock {
        product,
        on_hand,
        ledger,
    };
    let total_of = |total, parts| Discrepancy::Total {
        order,
        total,
        parts,
    };
    assert_eq!(found_after(|_| ()), []);

    let on_hand = found_after(|state| {
        state.products.values_mut().next().unwrap().stock = level(4);
    });
    assert_eq!(on_hand, [level_of(4, 3)]);

    let no_ledger = found_after(|state| state.movements.clear());
    assert_eq!(no_ledger, [level_of(3, 0), moved(0, -2)]);

    let wrong_sale = found_after(|state| sale(state).delta = StockDelta::new(-1).unwrap());
    assert_eq!(wrong_sale, [level_of(3, 4), moved(-1, -2)]);

    let of_nobody = found_after(|state| sale(state).order = None);
    assert_eq!(of_nobody, [moved(0, -2)]);

    let not_returned = found_after(|state| the_order(state).status = OrderStatus::Cancelled);
    let chain = || Discrepancy::EventChain { order };
    assert_eq!(not_returned, [moved(-2, 0), chain()]);

    let deleted = found_after(|state| the_order(state).archived = true);
    assert_eq!(deleted, [Discrepancy::DeletedNotCancelled { order }]);

    let total = found_after(|state| the_order(state).total = Money::from_minor(199, usd()));
    assert_eq!(total, [total_of(199, 200), chain()]);

    let adjustment = found_after(|state| {
        the_order(state).adjustment = Money::from_minor(-1, usd());
    });
    assert_eq!(adjustment, [total_of(200, 199)]);

    let quantity = found_after(|state| the_order(state).lines[0].quantity = units(3));
    assert_eq!(quantity, [total_of(200, 300), moved(-2, -3)]);

    let empty = found_after(|state| the_order(state).lines.clear());
    let no_lines = Discrepancy::NoLines { order };
    assert_eq!(empty, [total_of(200, 0), no_lines, moved(-2, 0)]);

    let first = |events, orders| Discrepancy::FirstEvents {
        order,
        events,
        orders,
    };
    let gone = found_after(|state| state.orders.clear());
    assert_eq!(
        gone,
        [moved(-2, 0), first(1, 0)],
        "stock that an order took that is not there"
    );
}

/// The log of the shop has the registration, the product and the order.
#[test]
fn the_audit_finds_errors_of_the_event_log() {
    let order = OrderId::new(1).unwrap();
    let lost = found_after(|state| drop(state.events.remove(0)));
    let numbers = Discrepancy::EventNumbers { events: 2, last: 3 };
    assert_eq!(lost, [numbers]);

    let sums = |found: Vec<Discrepancy>| {
        let lines = found.iter().map(ToString::to_string);
        let sums = lines.filter(|line| line.contains("by the stored"));
        sums.collect::<Vec<_>>().len()
    };
    let unplaced = found_after(|state| drop(state.events.pop()));
    let first = Discrepancy::FirstEvents {
        order,
        events: 0,
        orders: 1,
    };
    assert_eq!(unplaced[0], first);
    // The orders and the revenue of a bucket, and the number of pending orders.
    assert_eq!(sums(unplaced), 3);

    let counted = found_after(|state| {
        state.sums.statuses.insert(OrderStatus::Shipped, 1);
    });
    let count = Discrepancy::OrderCount {
        status: OrderStatus::Shipped,
        kept: 1,
        counted: 0,
    };
    assert_eq!(counted, [count]);

    let stranger = found_after(|state| {
        let placed = state.events.last_mut().unwrap();
        if let EventKind::OrderPlaced { user, .. } = &mut placed.event.kind {
            *user = UserId::new(9).unwrap();
        }
    });
    assert_eq!(stranger, [Discrepancy::EventChain { order }]);
}

#[test]
fn a_store_outlives_a_thread_that_panicked() {
    let store = Arc::new(MemoryStore::new(usd()));
    let poisoner = store.clone();
    let panicked = std::thread::spawn(move || {
        let _state = poisoner.lock();
        panic!("with the lock in its hands");
    });
    assert!(panicked.join().is_err());
    assert_eq!(store.audit().unwrap(), Audit::default());
}
