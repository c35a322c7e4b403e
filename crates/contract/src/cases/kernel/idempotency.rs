//! Idempotency keys: a command sent twice with one key is executed once, and both requests get the
//! same response.

use crate::keyed::{key, now, placing, render};
use crate::{Placed, TestShop, at, first_page, level, money, retry_busy};
use chrono::TimeDelta;
use tradepost_domain::Stores;
use tradepost_domain::cart::CartRefusal;
use tradepost_domain::catalog::ProductList;
use tradepost_domain::inventory::InventoryRefusal;
use tradepost_domain::kernel::{
    Actor, Execution, FieldError, IDEMPOTENCY_KEY_TTL, IdempotencyRefusal, Idempotent,
    MAX_STORED_RESPONSE_BYTES, MAX_STORED_RESPONSE_BYTES_OF_STAFF, Refusal, ResponseEncoder,
    UserId,
};
use tradepost_domain::maintenance::ClockReading;
use tradepost_domain::orders::{OrderAction, OrderList, OrderRefusal, OrderStatus, PlaceOrder};

const REUSED: Refusal = Refusal::Idempotency(IdempotencyRefusal::KeyReused);

fn orders(stores: &Stores) -> u64 {
    retry_busy(|| stores.orders.list(&OrderList::default(), first_page())).count
}

fn products(stores: &Stores) -> u64 {
    retry_busy(|| stores.products.list(&ProductList::default(), first_page())).count
}

fn before<T>(answer: &str) -> Result<Execution<T>, Refusal> {
    Ok(Execution::Replayed(answer.to_owned()))
}

/// The stored response of an order is replayed unchanged after later changes of the order, of its
/// products and of the cart. No second order is placed.
pub fn one_key_is_one_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), Actor::Staff(shop.staff("grace")));
    let product = shop.product(100, 9);
    shop.add(ada, product, 2).unwrap();
    let request = |name: &str| placing(ada, key("/api/orders/", name, "{}"));
    let order = now(shop.submit(&request("a")));
    assert_eq!(shop.found_order(order.id), order);
    let answer = render(&order);
    // Each attempt has an id of its own; a retried attempt keeps its id.
    let first = request("a");
    for again in [&first, &first, &request("a")] {
        assert_eq!(shop.submit(again), before(&answer), "with an empty cart");
    }
    let status = OrderAction::SetStatus(OrderStatus::Processing);
    shop.change_order(order.id, status, staff).unwrap();
    shop.set_price(product, 999);
    assert_eq!(shop.submit(&request("a")), before(&answer), "when changed");

    shop.add(ada, product, 3).unwrap();
    let other = now(shop.submit(&request("b")));
    shop.change_order(other.id, OrderAction::Delete, staff)
        .unwrap();
    shop.archive(product, true).unwrap();
    let deleted = before(&render(&other));
    assert_eq!(shop.submit(&request("b")), deleted, "when deleted");
    shop.archive(product, false).unwrap();

    shop.add(ada, product, 1).unwrap();
    assert_eq!(shop.submit(&request("a")), before(&answer));
    assert_eq!(shop.submit(&request("b")), deleted);
    assert_eq!(shop.cart(ada), [(product, 1)], "the cart is left alone");
    assert_eq!((orders(stores), shop.stock(product)), (1, 7));
}

/// A key that was used for another command is refused, and nothing is written.
pub fn another_command_under_a_key_is_refused(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 9);
    shop.add(ada, product, 2).unwrap();
    let request = |fingerprint: &str| placing(ada, key("/api/orders/", "a", fingerprint));
    let order = now(shop.submit(&request("one")));
    assert_eq!(shop.submit(&request("two")), Err(REUSED));
    shop.add(ada, product, 1).unwrap();
    for fingerprint in ["two", "", "ONE", "one "] {
        assert_eq!(shop.submit(&request(fingerprint)), Err(REUSED));
    }
    assert_eq!(shop.cart(ada), [(product, 1)]);
    assert_eq!((orders(stores), shop.stock(product)), (1, 7));
    assert_eq!(shop.submit(&request("one")), before(&render(&order)));
}

/// A key is scoped to one user and one path, and compared case-sensitively.
pub fn a_key_is_of_one_user_and_one_path(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.staff("ada"), shop.customer("bob"));
    let product = shop.product(100, 99);
    let long = "k".repeat(255);
    let attempts = [
        (ada, "/api/orders/", "a"),
        (bob, "/api/orders/", "a"),
        (ada, "/api/other/", "a"),
        (ada, "/api/orders/", "A"),
        (ada, "/api/orders/", "'a\\\"%_"),
        (ada, "/api/orders/", &long),
    ];
    let place = |(user, path, name): (UserId, &str, &str)| {
        shop.submit(&placing(user, key(path, name, "{}")))
    };
    let answers = attempts.map(|attempt| {
        shop.add(attempt.0, product, 1).unwrap();
        render(&now(place(attempt)))
    });
    assert_eq!(orders(stores), 6);
    for (attempt, answer) in attempts.into_iter().zip(answers) {
        assert_eq!(place(attempt), before(&answer), "{attempt:?}");
    }
    // The path alone separates the keys of orders from those of products.
    let created = shop.create_under(key("/api/products/", "a", "{}"), Some(ada), "Mug");
    assert_eq!(now(created).stock, level(5));
    assert_eq!((orders(stores), shop.stock(product)), (6, 93));
}

/// A refused command stores no response: its key can be used again, also for another command.
pub fn a_refused_attempt_may_be_retried(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 9);
    let request = |fingerprint: &str| placing(ada, key("/api/orders/", "a", fingerprint));
    assert_eq!(
        shop.submit(&request("{}")),
        Err(Refusal::Cart(CartRefusal::Empty))
    );
    shop.add(ada, product, 2).unwrap();
    shop.set_stock(product, 1);
    let short = shop.submit(&request("{}"));
    assert!(
        matches!(
            short,
            Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(_)))
        ),
        "{short:?}"
    );
    shop.set_stock(product, 5);
    let wrong = PlaceOrder {
        expected_total: Some(money(1)),
        ..request("{1}")
    };
    let current = money(200);
    assert_eq!(
        shop.submit(&wrong),
        Err(Refusal::Orders(OrderRefusal::TotalChanged { current }))
    );
    let order = now(shop.submit(&request("{}")));
    assert_eq!(shop.submit(&request("{}")), before(&render(&order)));
    assert_eq!(shop.submit(&wrong), Err(REUSED));
    assert_eq!((orders(stores), shop.stock(product)), (1, 3));

    let by = shop.staff("grace");
    let adjust = |delta| shop.adjust_under(key("/stock/", "a", "{}"), by, product, delta);
    assert!(matches!(
        adjust(-4),
        Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(_)))
    ));
    assert_eq!(now(adjust(-3)).level, level(0));
    let add = || shop.add_under(key("/cart/", "a", "{}"), ada, product, 1);
    assert!(matches!(
        add(),
        Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(_)))
    ));
    shop.set_stock(product, 1);
    assert_eq!(now(add()).product.stock, level(1));
}

/// A key that occurs twice in a batch places one order and yields two equal responses. Within a
/// batch, too, another command is refused and a refused command stores no response.
pub fn a_key_twice_in_a_batch_is_one_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let product = shop.product(100, 9);
    shop.add(ada, product, 2).unwrap();
    shop.add(bob, product, 3).unwrap();
    let request = |user, name: &str, print: &str| placing(user, key("/api/orders/", name, print));
    let wrong = PlaceOrder {
        expected_total: Some(money(1)),
        ..request(ada, "a", "{1}")
    };
    let placements = shop.submit_all(&[
        wrong,
        request(ada, "a", "{}"),
        request(bob, "a", "{}"),
        request(ada, "a", "{}"),
        request(ada, "a", "{2}"),
        request(ada, "b", "{}"),
        request(bob, "a", "{}"),
    ]);
    let current = money(200);
    assert_eq!(
        placements[0],
        Err(Refusal::Orders(OrderRefusal::TotalChanged { current }))
    );
    let adas = now(placements[1].clone());
    let bobs = now(placements[2].clone());
    assert_eq!((adas.user, bobs.user), (ada, bob));
    assert_eq!(placements[3], before(&render(&adas)));
    assert_eq!(placements[4], Err(REUSED));
    assert_eq!(placements[5], Err(Refusal::Cart(CartRefusal::Empty)));
    assert_eq!(placements[6], before(&render(&bobs)));
    assert_eq!((orders(stores), shop.stock(product)), (2, 4));

    // The next batch replays responses stored by the previous one, beside new commands.
    shop.add(bob, product, 1).unwrap();
    let placements = shop.submit_all(&[
        request(ada, "a", "{}"),
        request(bob, "b", "{}"),
        request(bob, "a", "{}"),
        request(bob, "b", "{}"),
    ]);
    let third = now(placements[1].clone());
    assert_eq!(placements[0], before(&render(&adas)));
    assert_eq!(placements[2], before(&render(&bobs)));
    assert_eq!(placements[3], before(&render(&third)));
    assert_eq!((orders(stores), shop.stock(product)), (3, 3));
}

/// A product is created once per key, and its response does not change. Anonymous callers have no
/// keys.
pub fn one_key_is_one_product(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (grace, joan) = (shop.staff("grace"), shop.staff("joan"));
    let create = |by, print: &str| shop.create_under(key("/products/", "a", print), by, "Mug");
    let mug = now(create(Some(grace), "{}"));
    let answer = before(&render(&mug));
    assert_eq!(create(Some(grace), "{}"), answer);
    shop.set_price(mug.id, 999);
    assert_eq!(create(Some(grace), "{}"), answer);
    shop.archive(mug.id, true).unwrap();
    assert_eq!(create(Some(grace), "{}"), answer);
    assert_eq!(create(Some(grace), "{1}"), Err(REUSED));
    assert_eq!(products(stores), 0);
    assert_eq!(shop.movements(mug.id).len(), 1);
    assert_ne!(now(create(Some(joan), "{}")).id, mug.id);
    for number in 2..=3 {
        assert_ne!(now(create(None, "{}")).id, mug.id);
        assert_eq!(products(stores), number);
    }
}

/// A delivery is counted once per key.
pub fn one_key_is_one_delivery(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (grace, joan) = (shop.staff("grace"), shop.staff("joan"));
    let product = shop.product(100, 5);
    let deliver = |by, print: &str| {
        let key = key("/stock/", "a", print);
        shop.adjust_under(key, by, product, 3)
    };
    let first = now(deliver(grace, "{}"));
    assert_eq!(first.level, level(8));
    shop.adjust(product, 1).unwrap();
    let answer = before(&render(&first));
    assert_eq!(deliver(grace, "{}"), answer);
    assert_eq!(deliver(grace, "{1}"), Err(REUSED));
    assert_eq!(shop.stock(product), 9);
    assert_eq!(now(deliver(joan, "{}")).level, level(12));
    shop.archive(product, true).unwrap();
    assert_eq!(deliver(grace, "{}"), answer, "when archived");
    assert_eq!(
        (shop.movements(product).len(), shop.stock(product)),
        (4, 12)
    );
}

/// An addition to a cart is made once per key.
pub fn one_key_is_one_addition(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let product = shop.product(100, 5);
    let add = |user, print: &str| {
        let key = key("/api/cart/", "a", print);
        shop.add_under(key, user, product, 2)
    };
    let first = now(add(ada, "{}"));
    let answer = before(&render(&first));
    assert_eq!(add(ada, "{}"), answer);
    assert_eq!(add(ada, "{1}"), Err(REUSED));
    assert_eq!(shop.cart(ada), [(product, 2)]);
    assert_eq!(now(add(bob, "{}")).line.user, bob);
    let placed: Placed = shop.place(ada);
    assert!(placed.is_ok());
    shop.set_stock(product, 0);
    assert_eq!(add(ada, "{}"), answer, "when ordered and sold out");
    assert_eq!(shop.cart(ada), []);
    assert_eq!(shop.cart(bob), [(product, 2)]);
    shop.archive(product, true).unwrap();
    let unknown = Refusal::field("product_id", FieldError::UnknownProduct);
    let other = shop.add_under(key("/api/cart/", "b", "{}"), ada, product, 2);
    assert_eq!(other, Err(unknown));
    assert_eq!(add(ada, "{}"), answer);
}

/// Idempotency keys older than the retention limit are purged, later ones are kept.
pub fn old_keys_are_purged(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 99);
    let given = at(1_000);
    let micro = TimeDelta::microseconds(1);
    let request = |name: &str, at| PlaceOrder {
        at,
        ..placing(ada, key("/api/orders/", name, "{}"))
    };
    let place = |name, at| {
        shop.add(ada, product, 1).unwrap();
        now(shop.submit(&request(name, at)))
    };
    let old = place("old", given - micro);
    let kept = [("just", given), ("new", given + IDEMPOTENCY_KEY_TTL)].map(|(name, at)| {
        let order = place(name, at);
        (name, before(&render(&order)))
    });
    let forget = |before| retry_busy(|| stores.retention.purge_idempotency_keys(before));
    assert_eq!(forget(given - micro), 0);
    assert_eq!(shop.submit(&request("old", given)), before(&render(&old)));
    assert_eq!(forget(given), 1);
    assert_eq!(forget(given), 0);
    for (name, answer) in kept {
        assert_eq!(shop.submit(&request(name, given)), answer, "{name}");
    }
    assert_eq!(shop.found_order(old.id), old, "what they named stays");
    let again = place("old", given);
    assert_ne!(again.id, old.id);
    assert_eq!((orders(stores), shop.stock(product)), (4, 95));
    assert_eq!(forget(given + IDEMPOTENCY_KEY_TTL + micro), 3);
}

/// Clock readings are stored unchanged, equal ones included, until they are purged.
pub fn clock_readings_are_kept(stores: &Stores) {
    let reading = |uptime, earliest| ClockReading {
        uptime: TimeDelta::microseconds(uptime),
        earliest: at(earliest) + TimeDelta::microseconds(uptime),
    };
    let record = |reading: ClockReading, keep_from| {
        let keep_from = TimeDelta::microseconds(keep_from);
        retry_busy(|| stores.retention.record_clock(reading, keep_from));
        let mut kept = retry_busy(|| stores.retention.clock_readings());
        kept.sort_by_key(|reading| (reading.uptime, reading.earliest));
        kept
    };
    assert_eq!(retry_busy(|| stores.retention.clock_readings()), []);
    let (one, two, three) = (reading(0, 0), reading(5, 100), reading(5, -900));
    assert_eq!(record(one, 0), [one]);
    assert_eq!(record(two, 0), [one, two]);
    assert_eq!(record(three, 0), [one, three, two], "of another clock");
    assert_eq!(record(two, 0), [one, three, two, two]);
    let four = reading(6, 0);
    assert_eq!(record(four, 5), [three, two, two, four]);
    let last = reading(9, 0);
    assert_eq!(record(last, 9), [last]);
}

const ANSWER: usize = 4 << 20;

/// A response of [`ANSWER`] bytes.
fn large<T>(_: &T) -> String {
    "x".repeat(ANSWER)
}

fn large_key<T: std::fmt::Debug>(path: &str, name: &str) -> Idempotent<T> {
    Idempotent {
        render: ResponseEncoder(large),
        ..key(path, name, "{}")
    }
}

/// Number of keyed commands that succeed until the user's quota of stored responses is used up.
fn until_refused<T>(mut command: impl FnMut(&str) -> Result<Execution<T>, Refusal>) -> usize {
    for number in 0..100 {
        match command(&format!("k{number}")) {
            Ok(Execution::Executed(_)) => {}
            Ok(Execution::Replayed(_)) => panic!("k{number} is new"),
            Err(refusal) => {
                assert_eq!(
                    refusal,
                    Refusal::Idempotency(IdempotencyRefusal::TooManyKeys)
                );
                return number;
            }
        }
    }
    panic!("answers are kept without a bound");
}

/// The stored responses of one user are bounded in bytes, per path and in total. Replays, commands
/// without a key and other users are not affected. Purged responses free quota.
pub fn stored_responses_are_bounded_in_bytes(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob, grace) = (
        shop.customer("ada"),
        shop.customer("bob"),
        shop.staff("grace"),
    );
    let product = shop.product(100, 999);
    let most = |quota: u64| usize::try_from(quota).unwrap() / ANSWER;
    let add = |user, name: &str| shop.add_under(large_key("/api/cart/", name), user, product, 1);
    // The last response may exceed the quota, and not every store counts the first.
    let customers = most(MAX_STORED_RESPONSE_BYTES)..=most(MAX_STORED_RESPONSE_BYTES) + 1;
    assert!(customers.contains(&until_refused(|name| add(ada, name))));
    assert_eq!(add(ada, "k1").map(replayed), Ok("x".repeat(ANSWER)));
    let order = |user| shop.submit(&placing(user, large_key("/api/orders/", "o")));
    assert_eq!(
        order(ada),
        Err(Refusal::Idempotency(IdempotencyRefusal::TooManyKeys))
    );
    let cart = shop.cart(ada);
    assert!(cart.iter().all(|(of, _)| *of == product) && cart.len() == 1);
    assert!(shop.place(ada).is_ok(), "without a key");
    assert!(add(bob, "k1").is_ok());
    now(order(bob));

    // Paths that only staff write have a larger quota, over all of them.
    until_refused(|name| add(grace, name));
    let create = |name: &str| {
        let key = large_key("/api/products/", name);
        shop.create_under(key, Some(grace), "Mug")
    };
    let beyond = most(MAX_STORED_RESPONSE_BYTES_OF_STAFF) - most(MAX_STORED_RESPONSE_BYTES);
    let created = until_refused(create);
    assert!((beyond - 1..=beyond + 1).contains(&created), "{created}");
    let adjusted = shop.adjust_under(large_key("/stock/", "s"), grace, product, 1);
    assert_eq!(
        adjusted,
        Err(Refusal::Idempotency(IdempotencyRefusal::TooManyKeys))
    );

    let purged = retry_busy(|| stores.retention.purge_idempotency_keys(at(1_000)));
    assert!(purged > 0);
    now(add(ada, "again"));
    now(create("again"));
}

/// The replayed response.
fn replayed<T>(written: Execution<T>) -> String {
    match written {
        Execution::Executed(_) => String::new(),
        Execution::Replayed(answer) => answer,
    }
}

/// A healthy store passes the health check.
pub fn a_healthy_store_passes_its_health_check(stores: &Stores) {
    retry_busy(|| stores.health.check());
    TestShop::new(stores).product(100, 5);
    retry_busy(|| stores.health.check());
}
