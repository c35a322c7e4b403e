//! Races of duplicate requests: a duplicate that arrives while the first is in progress gets the
//! response of the first.

use crate::keyed::{answer, key, now, placing};
use crate::{TestShop, first_page, level, race, retry_busy};
use std::collections::BTreeSet;
use tradepost_domain::Stores;
use tradepost_domain::catalog::ProductList;
use tradepost_domain::kernel::{Execution, Refusal};
use tradepost_domain::orders::OrderList;

const RACERS: usize = 8;

/// The one response that all requests got; exactly one of them executed the command.
fn the_answer<T: std::fmt::Debug>(answers: Vec<Result<Execution<T>, Refusal>>) -> String {
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let now = |written: &&Execution<T>| matches!(written, Execution::Executed(_));
    assert_eq!(answers.iter().filter(now).count(), 1, "{answers:?}");
    let mut answers: BTreeSet<String> = answers.into_iter().map(answer).collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.pop_first().unwrap()
}

/// Thirty requests for one order with one key place one order, and all get the same response.
pub fn orders_under_one_key_are_one(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 9);
    for round in 1..=2 {
        shop.add(ada, product, 2).unwrap();
        let name = format!("round{round}");
        let request = || placing(ada, key("/api/orders/", &name, "{}"));
        let placements = race(30, |_| shop.submit(&request()));
        let answer = the_answer(placements);
        assert_eq!(shop.submit(&request()), Ok(Execution::Replayed(answer)));
        let orders = retry_busy(|| stores.orders.list(&OrderList::default(), first_page()));
        assert_eq!(orders.count, round);
    }
    assert_eq!((shop.cart(ada), shop.stock(product)), (Vec::new(), 5));
}

/// Concurrent requests with one key create one product.
pub fn products_under_one_key_are_one(stores: &Stores) {
    let shop = TestShop::new(stores);
    let grace = Some(shop.staff("grace"));
    the_answer(race(RACERS, |_| {
        shop.create_under(key("/products/", "a", "{}"), grace, "Mug")
    }));
    let products = retry_busy(|| stores.products.list(&ProductList::default(), first_page()));
    assert_eq!(products.count, 1);
}

/// Concurrent additions with one key are made once.
pub fn additions_under_one_key_are_one(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 99);
    the_answer(race(RACERS, |_| {
        shop.add_under(key("/cart/", "a", "{}"), ada, product, 2)
    }));
    assert_eq!(shop.cart(ada), [(product, 2)]);
}

/// Concurrent deliveries with one key are counted once.
pub fn deliveries_under_one_key_are_one(stores: &Stores) {
    let shop = TestShop::new(stores);
    let grace = shop.staff("grace");
    let product = shop.product(100, 5);
    the_answer(race(RACERS, |_| {
        shop.adjust_under(key("/stock/", "a", "{}"), grace, product, 3)
    }));
    assert_eq!((shop.movements(product).len(), shop.stock(product)), (2, 8));
}

/// Twenty concurrent deliveries with twenty keys are all counted, each with its own response.
pub fn deliveries_under_many_keys_all_count(stores: &Stores) {
    let shop = TestShop::new(stores);
    let grace = shop.staff("grace");
    let product = shop.product(100, 5);
    let adjusted = race(20, |at| {
        let key = key("/stock/", &format!("delivery{at}"), "{}");
        now(shop.adjust_under(key, grace, product, 3))
    });
    let levels: BTreeSet<_> = adjusted.iter().map(|adjusted| adjusted.level).collect();
    let expected: BTreeSet<_> = (1..=20).map(|times| level(5 + 3 * times)).collect();
    assert_eq!(
        levels, expected,
        "each level is that after its own movement"
    );
    assert_eq!(
        (shop.movements(product).len(), shop.stock(product)),
        (21, 65)
    );
}
