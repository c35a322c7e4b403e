//! Searches without end, more than the pool has slots: all other requests continue.

use crate::client::Client;
use crate::load::{Load, summary};
use crate::shop::{IN_TIME, Shop, duration, print_line};
use crate::verify::prove;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// More than the worker slots of every kind.
const SEARCHERS: usize = 60;

/// On SQLite, the table of search texts is replaced by an endless one; on PostgreSQL, each search
/// takes minutes.
const ENDLESS: [&str; 2] = [
    "ALTER TABLE product_texts RENAME TO real_texts;
     CREATE VIEW product_texts AS
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n)
        SELECT n AS product_id, 'tea' AS folded FROM n",
    "ALTER TABLE product_texts RENAME TO real_texts;
     CREATE VIEW product_texts AS
        SELECT product_id, folded || CAST(pg_sleep(600) AS TEXT) AS folded FROM real_texts",
];

const RESTORED: &str = "DROP VIEW product_texts; ALTER TABLE real_texts RENAME TO product_texts";

/// The number of answers per status and code.
type Answers = BTreeMap<(u16, String), u32>;

struct Flood {
    enough: Arc<AtomicBool>,
    searchers: Vec<JoinHandle<Answers>>,
}

impl Flood {
    fn start(shop: &Shop) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let searchers = (0..SEARCHERS).map(|number| {
            let (client, enough) = (shop.anonymous(), Arc::clone(&enough));
            thread::spawn(move || search_on(number, client, &enough))
        });
        let searchers = searchers.collect();
        Self { enough, searchers }
    }

    fn stop(self) -> Answers {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = Answers::new();
        for searcher in self.searchers {
            for (answer, count) in searcher.join().unwrap() {
                *all.entry(answer).or_default() += count;
            }
        }
        all
    }
}

fn search_on(mut number: usize, mut client: Client, enough: &AtomicBool) -> Answers {
    let mut answers = Answers::new();
    while !enough.load(Ordering::Relaxed) {
        // All different, so that no two are coalesced.
        let list = match number % 2 {
            0 => "ordering=stock,name",
            _ => "cursor=&ordering=price",
        };
        let price = format!("{}.{:02}", number / 100, number % 100);
        let path = format!("/api/products/?search=e&{list}&page_size=100&min_price={price}");
        let answer = client.get(&path).unwrap();
        assert!(answer.header("Retry-After").is_some(), "{answer:?}");
        *answers.entry((answer.status, answer.code())).or_default() += 1;
        number += SEARCHERS;
        sleep(Duration::from_millis(20));
    }
    answers
}

/// Signs in, and reads a product and a cart.
fn look_around(shop: &Shop, token: &str) -> Duration {
    let began = Instant::now();
    shop.sign_in("ada");
    shop.stock(shop.products[0]);
    let cart = shop.client(0, token).get("/api/cart/").unwrap();
    cart.with(200);
    began.elapsed()
}

fn goes_on_beside_searches(shop: &Shop) {
    let customers = shop.customers(5);
    let (idle, buyers) = customers.split_first().unwrap();
    shop.change_schema(ENDLESS);
    let flood = Flood::start(shop);
    let load = Load::start(shop.buyers_of(buyers));
    let (began, mut slowest, mut looks) = (Instant::now(), Duration::ZERO, 0);
    // After the first two seconds, in which no search has ended.
    while began.elapsed() < duration().max(Duration::from_secs(5)) {
        slowest = slowest.max(look_around(shop, idle));
        looks += 1;
    }
    let buyers = load.stop();
    let answers = flood.stop();
    print_line(&format!("searches: {answers:?}"));
    print_line(&format!(
        "{looks} signed in and looked around, in {slowest:.0?}"
    ));
    let events: Vec<_> = buyers.iter().flat_map(|buyer| &buyer.events).collect();
    print_line(&format!("orders meanwhile: {}", summary(&events)));
    assert!(slowest < IN_TIME);
    assert!(!events.is_empty());
    assert!(
        events.iter().all(|event| event.is_served()),
        "{}",
        summary(&events)
    );
    let interrupted = (503, "list_timeout".to_owned());
    assert!(answers.contains_key(&interrupted), "{answers:?}");
    for (status, code) in answers.keys() {
        assert_eq!(*status, 503);
        assert!(["list_timeout", "busy"].contains(&&**code), "{answers:?}");
    }

    // Slots and connections are all free again.
    shop.change_schema([RESTORED; 2]);
    let began = Instant::now();
    let found = loop {
        let answer = shop.anonymous().get("/api/products/?search=thing").unwrap();
        if answer.status == 200 {
            break answer.with(200);
        }
        assert!(began.elapsed() < 3 * IN_TIME, "{answer:?}");
        sleep(Duration::from_millis(100));
    };
    assert_eq!(found["count"], 2);
    prove(shop, buyers);
}

/// A long request timeout, so that a busy machine fails no test; searches have a shorter one.
const PATIENT: [&str; 2] = ["--request-timeout", "20"];

#[test]
fn searches_without_end_on_sqlite() {
    goes_on_beside_searches(&Shop::on_sqlite(&PATIENT));
}

#[test]
fn searches_without_end_on_postgres() {
    goes_on_beside_searches(&Shop::on_postgres(&PATIENT));
}
