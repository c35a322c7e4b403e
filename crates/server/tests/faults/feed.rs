//! A reader of the event feed, while servers and PostgreSQL are killed under load: it misses no
//! event and sees none twice.

use crate::client::{Answer, Client, Lost};
use crate::load::Load;
use crate::shop::{Shop, duration, print_line};
use crate::verify::{all_orders, prove};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// Pause after an answer that the fault spoiled.
const PAUSE: Duration = Duration::from_millis(20);

/// Follows the feed from its start, after the last event that it has, on one server.
struct Reader {
    thread: JoinHandle<Vec<Value>>,
    done: Arc<AtomicBool>,
}

impl Reader {
    fn start(mut client: Client) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&done);
        let thread = thread::spawn(move || {
            let mut events = Vec::new();
            loop {
                // Before the request: an empty answer to it then has the end of the log.
                let is_last = until.load(Ordering::SeqCst);
                let new = read(&mut client, events.len(), 1);
                match new {
                    Some(new) if new.is_empty() && is_last => return events,
                    Some(new) => events.extend(new),
                    None => sleep(PAUSE),
                }
            }
        });
        Self { thread, done }
    }

    /// The events, once the writers are done.
    fn stop(self) -> Vec<Value> {
        self.done.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

/// The events after a position; `None` if the fault spoiled the answer.
fn read(client: &mut Client, after: usize, wait: u32) -> Option<Vec<Value>> {
    let path = format!("/api/events/?after={after}&limit=1000&wait={wait}");
    let answer: Result<Answer, Lost> = client.get(&path);
    let answer = answer.ok()?;
    if answer.status == 503 {
        return None;
    }
    let page = answer.with(200);
    let events = page["results"].as_array().unwrap().clone();
    for (number, event) in (after + 1..).zip(&events) {
        assert_eq!(event["seq"], number, "{event}");
    }
    Some(events)
}

/// Asserts that the reader has the whole log, with one `order.placed` for each order.
fn is_complete(shop: &Shop, events: &[Value]) {
    let mut client = shop.staff(0);
    let mut again = Vec::new();
    loop {
        match read(&mut client, again.len(), 0).unwrap() {
            new if new.is_empty() => break,
            new => again.extend(new),
        }
    }
    assert_eq!(events, again, "no event has changed");
    let placed: Vec<i64> = events
        .iter()
        .filter(|event| event["type"] == "order.placed")
        .map(|event| event["order_id"].as_i64().unwrap())
        .collect();
    let distinct: BTreeSet<i64> = placed.iter().copied().collect();
    assert_eq!(placed.len(), distinct.len(), "an order was placed twice");
    assert_eq!(distinct, all_orders(shop).into_keys().collect());
    print_line(&format!(
        "the reader has all {} events, {} of them orders",
        events.len(),
        placed.len()
    ));
}

/// The reader is on a server that lives; the customers are on all of them.
fn servers_are_killed(mut shop: Shop) {
    let killed = shop.servers.len() - 1;
    let reader = Reader::start(shop.staff(0));
    let load = Load::start(shop.buyers(8));
    let began = Instant::now();
    let mut kills = 0;
    while began.elapsed() < duration() || kills < 3 {
        sleep(Duration::from_millis(400));
        shop.kill(killed);
        shop.restart(killed);
        kills += 1;
    }
    sleep(Duration::from_millis(300));
    let buyers = load.stop();
    let events = reader.stop();
    is_complete(&shop, &events);
    prove(&shop, buyers);
}

#[test]
fn a_reader_follows_a_server_on_sqlite_that_is_killed() {
    servers_are_killed(Shop::on_sqlite(&[]));
}

#[test]
fn a_reader_follows_three_servers_one_of_which_is_killed() {
    let mut shop = Shop::on_postgres(&[]);
    shop.add_server();
    shop.add_server();
    servers_are_killed(shop);
}

#[test]
fn a_reader_follows_a_database_that_is_killed() {
    let mut shop = Shop::on_postgres(&[]);
    shop.add_server();
    let reader = Reader::start(shop.staff(0));
    let load = Load::start(shop.buyers(8));
    let began = Instant::now();
    let mut kills = 0;
    while began.elapsed() < duration() || kills < 2 {
        sleep(Duration::from_millis(600));
        shop.postgres().cluster.kill().unwrap();
        shop.postgres().cluster.resume_or_start().unwrap();
        load.await_recovery();
        kills += 1;
    }
    let buyers = load.stop();
    let events = reader.stop();
    is_complete(&shop, &events);
    prove(&shop, buyers);
}
