//! A connection that is lost at COMMIT: the customer learns the true outcome, and the order exists
//! once.

use crate::client::{Answer, Client};
use crate::proxy::{Cut, Proxy};
use crate::shop::{IN_TIME, OPENING, Shop, print_line};
use crate::verify::{all_orders, assert_no_deadlock};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const CUTS: [Cut; 2] = [Cut::BeforeCommit, Cut::AfterCommit];

/// With an idempotency key, and without one.
const KEYS: [&str; 2] = ["", "Idempotency-Key: once\r\n"];

pub(crate) fn shop_behind_a_proxy() -> (Shop, Proxy) {
    let mut proxy = None;
    let shop = Shop::on_postgres_through(&[], |url, port| {
        proxy.insert(Proxy::start(port)).url(&url, port)
    });
    (shop, proxy.unwrap())
}

pub(crate) fn fill_cart(client: &mut Client, product: i64) {
    let body = format!("{{\"product_id\": {product}, \"quantity\": 2}}");
    client.post("/api/cart/", &body).unwrap().with(201);
}

pub(crate) fn order(client: &mut Client, key: &str) -> Answer {
    client.ask("POST", "/api/orders/", key, "{}").unwrap()
}

fn orders_of(client: &mut Client) -> u64 {
    let page = client.get("/api/orders/").unwrap().with(200);
    page["count"].as_u64().unwrap()
}

pub(crate) fn await_ready(shop: &Shop) {
    let began = Instant::now();
    while shop.anonymous().get("/readyz").unwrap().status != 200 {
        assert!(began.elapsed() < IN_TIME);
        thread::sleep(Duration::from_millis(20));
    }
}

fn assert_books(shop: &Shop, orders: usize) {
    assert_eq!(all_orders(shop).len(), orders);
    let sold = 2 * i64::try_from(orders).unwrap();
    assert_eq!(shop.stock(shop.products[0]), OPENING - sold);
    assert_no_deadlock(shop);
    print_line(&shop.verify());
}

#[test]
fn an_order_with_a_lost_commit_answer_is_acknowledged_and_exists_once() {
    let (shop, proxy) = shop_behind_a_proxy();
    let product = shop.products[0];
    let mut customers = shop.customers(4).into_iter();
    for cut in CUTS {
        for key in KEYS {
            let token = customers.next().unwrap();
            let mut client = shop.client(0, &token);
            fill_cart(&mut client, product);
            proxy.arm(cut);
            let told = order(&mut client, key);
            assert!(proxy.has_cut(cut), "the connection was cut");
            print_line(&format!(
                "{cut:?} {key:?}: {} after {:.0?}",
                told.status, told.took
            ));
            assert!(told.took < IN_TIME);
            assert_eq!(told.status, 201, "{cut:?} {key:?}: {told:?}");
            assert_eq!(orders_of(&mut client), 1);
            let again = order(&mut client, key);
            if key.is_empty() {
                assert_eq!(again.code(), "empty_cart");
            } else {
                assert_eq!((again.status, &again.body), (201, &told.body));
                assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
            }
            assert_eq!(orders_of(&mut client), 1);
        }
    }
    assert_books(&shop, 4);
}

#[test]
fn a_lost_commit_answer_is_resolved_for_the_whole_batch() {
    let (shop, proxy) = shop_behind_a_proxy();
    let tokens = shop.customers(8);
    for (round, cut) in CUTS.into_iter().enumerate() {
        let mut clients: Vec<_> = tokens.iter().map(|token| shop.client(0, token)).collect();
        for client in &mut clients {
            fill_cart(client, shop.products[0]);
        }
        proxy.arm(cut);
        let ordering = clients.into_iter().map(|mut client| {
            thread::spawn(move || {
                let told = order(&mut client, "");
                (told, orders_of(&mut client))
            })
        });
        let ordering: Vec<_> = ordering.collect();
        for one in ordering {
            let (told, orders) = one.join().unwrap();
            assert_eq!(told.status, 201, "{cut:?}: {told:?}");
            assert_eq!(usize::try_from(orders).unwrap(), round + 1);
        }
        assert!(proxy.has_cut(cut), "the connection was cut");
    }
    assert_books(&shop, 16);
}

/// The database is unreachable before the outcome can be looked up.
#[test]
fn an_unknown_outcome_is_reported_and_the_idempotency_key_resolves_it_later() {
    let (shop, proxy) = shop_behind_a_proxy();
    let mut customers = shop.customers(4).into_iter();
    let mut orders = 0;
    for cut in CUTS {
        for key in KEYS {
            let token = customers.next().unwrap();
            let mut client = shop.client(0, &token);
            fill_cart(&mut client, shop.products[0]);
            proxy.arm_for_good(cut);
            let told = order(&mut client, key);
            assert!(proxy.has_cut(cut), "the connection was cut");
            print_line(&format!(
                "{cut:?} {key:?}: {} after {:.0?}",
                told.code(),
                told.took
            ));
            assert_eq!((told.status, &*told.code()), (503, "outcome_unknown"));
            assert!(told.took < IN_TIME);
            proxy.open();
            await_ready(&shop);
            let placed = cut == Cut::AfterCommit;
            assert_eq!(orders_of(&mut client), u64::from(placed));
            let again = order(&mut client, key);
            match (placed, key) {
                (true, "") => assert_eq!(again.code(), "empty_cart"),
                (true, _) => {
                    assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
                    again.with(201);
                }
                (false, _) => drop(again.with(201)),
            }
            assert_eq!(orders_of(&mut client), 1);
            orders += 1;
        }
    }
    assert_books(&shop, orders);
}

/// Kills PostgreSQL while a COMMIT is on its way to it, and restarts it; other transactions get the
/// ids of the lost ones.
pub(crate) fn crash(shop: &mut Shop, proxy: &Proxy) {
    while !proxy.has_cut(Cut::Unheard) {
        thread::sleep(Duration::from_millis(5));
    }
    shop.postgres().cluster.kill().unwrap();
    shop.postgres().cluster.resume_or_start().unwrap();
    for _ in 0..40 {
        shop.postgres().sql("SELECT pg_current_xact_id()");
    }
    proxy.open();
}

/// After a crash, PostgreSQL reuses the id of a lost transaction for another one, whose outcome is
/// not that of the order.
#[test]
fn an_order_that_a_crash_has_swallowed_is_not_acknowledged() {
    let (mut shop, proxy) = shop_behind_a_proxy();
    for (key, token) in KEYS.into_iter().zip(shop.customers(2)) {
        let mut client = shop.client(0, &token);
        fill_cart(&mut client, shop.products[0]);
        proxy.arm(Cut::Unheard);
        let ordering = thread::spawn(move || (order(&mut client, key), client));
        crash(&mut shop, &proxy);
        let (told, mut client) = ordering.join().unwrap();
        let code = (told.status != 201).then(|| told.code());
        print_line(&format!(
            "swallowed, {key:?}: {} {code:?} after {:.0?}",
            told.status, told.took
        ));
        assert!(told.took < IN_TIME);
        await_ready(&shop);
        let orders = orders_of(&mut client);
        match told.status {
            201 => assert_eq!(orders, 1, "an order was acknowledged that is not there"),
            _ => assert_eq!(
                (told.status, code.as_deref()),
                (503, Some("outcome_unknown"))
            ),
        }
        if orders == 0 {
            order(&mut client, key).with(201);
        }
        assert_eq!(orders_of(&mut client), 1);
    }
    assert_books(&shop, 2);
}
