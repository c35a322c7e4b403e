//! Load: customers who fill their carts, order and cancel repeatedly, and record every answer.

use crate::client::{Answer, Client, Lost};
use crate::shop::{IN_TIME, Shop};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Pause between two orders of one customer: the load is to be concurrent, not maximal.
const BREATH: Duration = Duration::from_millis(5);

/// Pause after a rejected request.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a customer with an idempotency key retries to learn the outcome of an order. Faults end
/// before.
const PERSISTENCE: Duration = Duration::from_secs(60);

/// Consecutive successful requests of one customer after which a fault counts as over: several
/// orders.
const RECOVERED: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Adding,
    Ordering,
    Cancelling,
}

/// A request with its answer.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) what: What,
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    /// 0 without an answer.
    pub(crate) status: u16,
    /// The code of an error.
    pub(crate) code: String,
    pub(crate) retry_after: bool,
}

impl Event {
    /// Whether the write was acknowledged.
    pub(crate) fn is_served(&self) -> bool {
        matches!(self.status, 200 | 201)
    }
}

/// Units of a product that were added to a cart since it was last ordered.
#[derive(Default)]
struct Added {
    acknowledged: i64,
    /// Additions with an unknown outcome.
    unknown: i64,
}

/// A customer.
pub(crate) struct Buyer {
    number: usize,
    pub(crate) client: Client,
    /// Product ids, in the order in which they are added to the cart.
    pub(crate) wants: Vec<i64>,
    /// Whether orders have an Idempotency-Key, so that their outcome can always be looked up.
    keyed: bool,
    /// Whether each order is cancelled.
    cancels: bool,
    added: BTreeMap<i64, Added>,
    pub(crate) events: Vec<Event>,
    /// The acknowledged orders.
    pub(crate) orders: Vec<Value>,
    /// The number of orders with an unknown outcome: each exists completely, or not at all.
    pub(crate) unknown: usize,
    empty_carts: usize,
    progress: Arc<Progress>,
}

/// The progress of a customer's thread, so that a test waits for events and not for time.
#[derive(Default)]
struct Progress {
    /// Successful requests since the last failed one.
    streak: AtomicUsize,
    /// Orders that were not placed.
    failed_orders: AtomicUsize,
}

impl Progress {
    fn note(&self, what: What, status: u16) {
        if status < 400 && status != 0 {
            self.streak.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.streak.store(0, Ordering::Relaxed);
        if what == What::Ordering {
            self.failed_orders.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Buyer {
    pub(crate) fn new(number: usize, client: Client, wants: Vec<i64>, keyed: bool) -> Self {
        Self {
            number,
            client,
            wants,
            keyed,
            cancels: number % 4 == 3,
            added: BTreeMap::new(),
            events: Vec::new(),
            orders: Vec::new(),
            unknown: 0,
            empty_carts: 0,
            progress: Arc::default(),
        }
    }

    /// Fills the cart and orders, once.
    fn shop_once(&mut self) {
        for product in self.wants.clone() {
            let body = format!("{{\"product_id\": {product}, \"quantity\": 1}}");
            let added = self.post(What::Adding, "/api/cart/", "", &body);
            let units = self.added.entry(product).or_default();
            if added.is_some_and(|answer| answer.status == 201) {
                units.acknowledged += 1;
                continue;
            }
            let last = self.events.last().unwrap();
            if matches!(&*last.code, "unanswered" | "outcome_unknown") {
                units.unknown += 1;
            }
            // The cart keeps its content for the next round.
            return thread::sleep(PAUSE);
        }
        if self.keyed {
            self.order_with_key();
        } else {
            self.order();
        }
        thread::sleep(BREATH);
    }

    fn order(&mut self) {
        let began = Instant::now();
        let answer = self.post(What::Ordering, "/api/orders/", "", "{}");
        match answer.map(|answer| (answer.status, answer)) {
            Some((201, answer)) => self.acknowledged(&answer),
            // The request did not arrive, or changed nothing. The cart is unchanged.
            Some((503, answer)) if answer.code() != "outcome_unknown" => thread::sleep(PAUSE),
            None if self.events.last().unwrap().code == "unasked" => thread::sleep(PAUSE),
            None | Some((503, _)) => self.unknown += 1,
            // An order with an unknown outcome has taken the cart's content.
            Some((400, answer)) if answer.code() == "empty_cart" => self.empty_carts += 1,
            Some((_, answer)) => panic!("after {:?}: {answer:?}", began.elapsed()),
        }
        assert!(self.empty_carts <= self.unknown, "somebody emptied a cart");
    }

    /// Retries under one key until the answer is the order.
    fn order_with_key(&mut self) {
        let key = format!("Idempotency-Key: {}-{}\r\n", self.number, self.orders.len());
        let began = Instant::now();
        while began.elapsed() < PERSISTENCE {
            match self.post(What::Ordering, "/api/orders/", &key, "{}") {
                Some(answer) if answer.status == 201 => return self.acknowledged(&answer),
                Some(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                None => {}
            }
            thread::sleep(PAUSE);
        }
        panic!("a key tells nothing for {PERSISTENCE:?}");
    }

    fn acknowledged(&mut self, answer: &Answer) {
        let mut order = answer.json();
        // An order with an unknown outcome may have taken a part of the cart; otherwise the order
        // has all of it: every acknowledged addition once.
        if self.unknown == 0 {
            for (product, added) in &self.added {
                let is_it = |line: &&Value| line["product_id"] == *product;
                let line = order["items"].as_array().unwrap().iter().find(is_it);
                let units = line.map_or(0, |line| line["quantity"].as_i64().unwrap());
                let most = added.acknowledged + added.unknown;
                assert!(
                    (added.acknowledged..=most).contains(&units),
                    "{product} was added {} times and perhaps {} more: {order}",
                    added.acknowledged,
                    added.unknown
                );
            }
        }
        self.added.clear();
        if self.cancels {
            self.cancel(&mut order);
        }
        self.orders.push(order);
    }

    /// Cancels an order; retries until its status is known. Cancelling twice is once.
    fn cancel(&mut self, order: &mut Value) {
        let path = format!("/api/orders/{}/", order["id"]);
        let body = "{\"status\": \"cancelled\"}";
        let began = Instant::now();
        while began.elapsed() < PERSISTENCE {
            let told = self.ask(What::Cancelling, "PATCH", &path, "", body);
            match told.map(|answer| (answer.status, answer)) {
                Some((200, answer)) => {
                    *order = answer.json();
                    return assert_eq!(order["status"], "cancelled");
                }
                // An earlier attempt has cancelled it: its answer was lost.
                Some((409, answer)) => {
                    assert_eq!(answer.code(), "invalid_transition");
                    let now = self.client.get(&path);
                    if let Ok(now) = now
                        && now.status == 200
                    {
                        *order = now.json();
                        return assert_eq!(order["status"], "cancelled");
                    }
                }
                Some((status, answer)) => assert_eq!(status, 503, "{answer:?}"),
                None => {}
            }
            thread::sleep(PAUSE);
        }
        panic!("an order cannot be cancelled for {PERSISTENCE:?}");
    }

    fn post(&mut self, what: What, path: &str, headers: &str, body: &str) -> Option<Answer> {
        self.ask(what, "POST", path, headers, body)
    }

    /// `None` if no answer arrived.
    fn ask(
        &mut self,
        what: What,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Option<Answer> {
        let began = Instant::now();
        let answer = self.client.ask(method, path, headers, body);
        let (status, code, retry_after) = match &answer {
            Ok(answer) if answer.status < 400 => (answer.status, String::new(), false),
            Ok(answer) => {
                let retry_after = answer.header("Retry-After").is_some();
                (answer.status, answer.code(), retry_after)
            }
            Err(Lost::Unasked) => (0, "unasked".to_owned(), false),
            Err(Lost::Unanswered) => (0, "unanswered".to_owned(), false),
        };
        self.progress.note(what, status);
        self.events.push(Event {
            what,
            began,
            took: began.elapsed(),
            status,
            code,
            retry_after,
        });
        answer.ok()
    }
}

impl Shop {
    /// Customers who each want one unit of each product, one half in reverse order; every other one
    /// gives each order an idempotency key, and every fourth cancels each order. They are spread over the servers.
    pub(crate) fn buyers(&self, count: usize) -> Vec<Buyer> {
        self.buyers_of(&self.customers(count))
    }

    /// Like `buyers`, with these tokens.
    pub(crate) fn buyers_of(&self, tokens: &[String]) -> Vec<Buyer> {
        let servers = self.servers.len();
        tokens
            .iter()
            .enumerate()
            .map(|(number, token)| {
                let mut wants = self.products.clone();
                if number / 2 % 2 == 1 {
                    wants.reverse();
                }
                let client = self.client(number % servers, token);
                Buyer::new(number, client, wants, number % 2 == 1)
            })
            .collect()
    }
}

/// Customers on running threads.
pub(crate) struct Load {
    enough: Arc<AtomicBool>,
    buyers: Vec<JoinHandle<Buyer>>,
    progress: Vec<Arc<Progress>>,
}

impl Load {
    pub(crate) fn start(buyers: Vec<Buyer>) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let progress = buyers.iter().map(|buyer| Arc::clone(&buyer.progress));
        let progress = progress.collect();
        let at_work = |mut buyer: Buyer| {
            let enough = Arc::clone(&enough);
            thread::spawn(move || {
                while !enough.load(Ordering::Relaxed) {
                    buyer.shop_once();
                }
                buyer
            })
        };
        let buyers = buyers.into_iter().map(at_work).collect();
        Self {
            enough,
            buyers,
            progress,
        }
    }

    /// Waits until every customer is served repeatedly: the fault has no lasting effect.
    #[track_caller]
    pub(crate) fn await_recovery(&self) {
        let began = Instant::now();
        let streak = |progress: &Arc<Progress>| progress.streak.load(Ordering::Relaxed);
        // Requests from before the end of the fault do not count.
        for progress in &self.progress {
            progress.streak.store(0, Ordering::Relaxed);
        }
        while self.progress.iter().map(streak).min() < Some(RECOVERED) {
            let streaks: Vec<_> = self.progress.iter().map(streak).collect();
            assert!(began.elapsed() < 6 * IN_TIME, "no recovery: {streaks:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The number of orders that were not placed so far, of all customers.
    pub(crate) fn failed_orders(&self) -> usize {
        let failed = |progress: &Arc<Progress>| progress.failed_orders.load(Ordering::Relaxed);
        self.progress.iter().map(failed).sum()
    }

    /// Lets all customers finish their current round.
    pub(crate) fn stop(self) -> Vec<Buyer> {
        self.enough.store(true, Ordering::Relaxed);
        let buyers = self.buyers.into_iter();
        buyers.map(|buyer| buyer.join().unwrap()).collect()
    }
}

/// The requests that began between two instants.
pub(crate) fn between(buyers: &[Buyer], from: Instant, to: Instant) -> Vec<&Event> {
    let events = buyers.iter().flat_map(|buyer| &buyer.events);
    events
        .filter(|event| from <= event.began && event.began < to)
        .collect()
}

pub(crate) fn slowest(events: &[&Event]) -> Duration {
    let slowest = events.iter().map(|event| event.took).max();
    slowest.unwrap_or_default()
}

/// The number of each kind of answer.
pub(crate) fn summary(events: &[&Event]) -> String {
    let mut counts = BTreeMap::new();
    for event in events {
        let key = (event.what, event.status, event.code.as_str());
        let (count, slowest) = counts.entry(key).or_insert((0, Duration::ZERO));
        *count += 1;
        *slowest = event.took.max(*slowest);
    }
    let told = counts
        .iter()
        .map(|((what, status, code), (count, slowest))| {
            format!("{what:?} {status} {code} x{count} (up to {slowest:.0?})")
        });
    told.collect::<Vec<_>>().join(", ")
}
