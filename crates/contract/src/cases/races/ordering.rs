//! Races between customers, and within one cart.

use crate::{Placed, TestShop, first_page, race, retry_busy};
use std::thread;
use std::time::Duration;
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartAction, CartRefusal};
use tradepost_domain::inventory::{InventoryRefusal, Reason, Shortage, StockLevel};
use tradepost_domain::kernel::{Actor, ProductId, Refusal, UserId};
use tradepost_domain::orders::{OrderAction, OrderList, OrderStatus};

const RACERS: usize = 8;

fn number_of_orders(stores: &Stores) -> u64 {
    retry_busy(|| stores.orders.list(&OrderList::default(), first_page())).count
}

/// Number of orders placed. Asserts that all others were refused for exactly this shortage.
fn sold(placements: &[Placed], missing: &[Shortage]) -> usize {
    let refused = Refusal::Inventory(InventoryRefusal::InsufficientStock(missing.to_vec()));
    for placement in placements {
        assert!(
            placement
                .as_ref()
                .err()
                .is_none_or(|refusal| *refusal == refused),
            "{placement:?}"
        );
    }
    placements.iter().flatten().count()
}

fn shortage(product: ProductId, available: i64, requested: i64) -> Shortage {
    Shortage {
        product,
        available: StockLevel::new(available).unwrap(),
        requested,
    }
}

/// Customers with these cart lines each.
fn customers_with(shop: TestShop<'_>, number: usize, lines: &[(ProductId, i64)]) -> Vec<UserId> {
    let users = shop.customers(number);
    for user in &users {
        for (product, units) in lines {
            shop.add(*user, *product, *units).unwrap();
        }
    }
    users
}

/// The last unit is sold once, and every other request is refused for the shortage.
pub fn the_last_unit(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 1);
    let users = customers_with(shop, 12, &[(product, 1)]);
    let results = race(users.len(), |at| shop.place(users[at]));
    assert_eq!(sold(&results, &[shortage(product, 0, 1)]), 1);
    assert_eq!((shop.stock(product), number_of_orders(stores)), (0, 1));
    for (user, result) in users.iter().zip(results) {
        let left = if result.is_ok() { 0 } else { 1 };
        assert_eq!(shop.items(*user).len(), left);
    }
}

/// A scarce product is sold to as many whole orders as the stock allows.
pub fn a_flash_sale_sells_exactly_the_stock(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 13);
    let users = customers_with(shop, 16, &[(product, 2)]);
    let results = race(users.len(), |at| shop.place(users[at]));
    assert_eq!(sold(&results, &[shortage(product, 1, 2)]), 6);
    assert_eq!((shop.stock(product), number_of_orders(stores)), (1, 6));
}

/// Carts with the same products in opposite order do not deadlock.
pub fn carts_in_opposite_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = shop.customers(RACERS);
    for round in 1..=3 {
        let (a, b) = (shop.product(100, 5), shop.product(100, 5));
        for (at, user) in users.iter().enumerate() {
            shop.act(*user, CartAction::Empty).unwrap();
            let (first, second) = if at % 2 == 0 { (a, b) } else { (b, a) };
            shop.add(*user, first, 1).unwrap();
            shop.add(*user, second, 1).unwrap();
        }
        let results = race(RACERS, |at| shop.place(users[at]));
        assert_eq!(sold(&results, &[shortage(a, 0, 1), shortage(b, 0, 1)]), 5);
        assert_eq!((shop.stock(a), shop.stock(b)), (0, 0));
        assert_eq!(number_of_orders(stores), 5 * round);
    }
}

/// Concurrent submissions of one cart place one order.
pub fn double_submit_is_one_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let product = shop.product(100, 100);
    for round in 1..=4 {
        shop.add(user, product, 2).unwrap();
        let results = race(RACERS, |_| shop.place(user));
        assert_eq!(results.iter().flatten().count(), 1);
        for refusal in results.into_iter().filter_map(Result::err) {
            assert_eq!(refusal, Refusal::Cart(CartRefusal::Empty));
        }
        assert_eq!(shop.items(user), []);
        assert_eq!(shop.stock(product), 100 - 2 * round);
    }
    assert_eq!(number_of_orders(stores), 4);
}

/// Concurrent additions to one cart add up in one line.
pub fn parallel_adds_lose_nothing(stores: &Stores) {
    const TIMES: usize = 5;
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let (a, b) = (shop.product(100, 1_000), shop.product(100, 1_000));
    race(RACERS, |at| {
        for _ in 0..TIMES {
            shop.add(user, if at % 2 == 0 { a } else { b }, 1).unwrap();
        }
    });
    let mut cart = shop.cart(user);
    cart.sort_unstable();
    let expected = i64::try_from(RACERS * TIMES / 2).unwrap();
    assert_eq!(cart, [(a, expected), (b, expected)]);
    assert_eq!(
        (shop.stock(a), shop.stock(b)),
        (1_000, 1_000),
        "nothing is reserved"
    );
}

/// While a customer orders a cart repeatedly, concurrent requests add lines and remove lines. Every
/// unit ends in an order, in the cart, or was removed: none is lost or ordered twice.
pub fn a_cart_that_changes_while_it_is_ordered(stores: &Stores) {
    const TIMES: usize = 8;
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let (kept, dropped) = (shop.product(100, 1_000), shop.product(100, 1_000));
    let step = |at| {
        // Otherwise a fast store would finish one racer's steps before the next begins.
        thread::sleep(Duration::from_micros(200));
        match at % 3 {
            0 => drop(shop.add(user, kept, 1).unwrap()),
            1 => {
                let line = shop.add(user, dropped, 1).unwrap().line.id;
                let removed = shop.act(user, CartAction::Remove { line });
                // The line may have been ordered, or removed by another request.
                let gone = matches!(removed, Ok(None) | Err(Refusal::NotFound));
                assert!(gone, "{removed:?}");
            }
            _ => match shop.place(user) {
                Ok(order) => return Some(order),
                Err(refusal) => assert_eq!(refusal, Refusal::Cart(CartRefusal::Empty)),
            },
        }
        None
    };
    let orders = race(9, |at| {
        (0..TIMES).filter_map(|_| step(at)).collect::<Vec<_>>()
    });
    let orders = orders.concat();
    for order in &orders {
        assert_eq!(shop.found_order(order.id), *order);
    }
    let ordered = |product| {
        let lines = orders.iter().flat_map(|order| &order.lines);
        let lines = lines.filter(|line| line.product == product);
        lines.map(|line| line.quantity.units()).sum::<i64>()
    };
    let cart = shop.cart(user);
    let left = |product| {
        let lines = cart.iter().filter(|(held, _)| *held == product);
        lines.map(|(_, units)| units).sum::<i64>()
    };
    let added = i64::try_from(3 * TIMES).unwrap();
    assert_eq!(
        ordered(kept) + left(kept),
        added,
        "every unit is ordered or in the cart"
    );
    assert!(ordered(dropped) + left(dropped) <= added);
    assert_eq!(shop.stock(kept), 1_000 - ordered(kept));
    assert_eq!(shop.stock(dropped), 1_000 - ordered(dropped));
}

/// Units returned by cancelled orders are sold again, and never twice.
pub fn cancel_races_orders(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 4);
    let holders = shop.customers(4);
    let orders: Vec<_> = holders
        .iter()
        .map(|user| shop.order(*user, &[(product, 1)]))
        .collect();
    shop.set_stock(product, 4);
    let buyers: Vec<_> = (0..8)
        .map(|at| shop.customer(&format!("buyer{at}")))
        .collect();
    for buyer in &buyers {
        shop.add(*buyer, product, 1).unwrap();
    }
    shop.set_stock(product, 0);
    let placements = race(12, |at| match orders.get(at) {
        Some(order) => {
            let by = Actor::Customer(order.user);
            let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
            shop.change_order(order.id, cancel, by).unwrap();
            None
        }
        None => Some(shop.place(buyers[at - orders.len()])),
    });
    let placements: Vec<_> = placements.into_iter().flatten().collect();
    let sold = sold(&placements, &[shortage(product, 0, 1)]);
    let sold = i64::try_from(sold).unwrap();
    assert_eq!(shop.stock(product), 4 - sold);
    let returned = shop.movements(product);
    let returned = returned
        .iter()
        .filter(|row| row.entry.reason == Reason::Return);
    assert_eq!(returned.count(), 4);
}
