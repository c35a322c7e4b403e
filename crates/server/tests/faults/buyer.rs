//! A customer of the load: the requests, the answers, and what follows from them for the cart and the
//! orders.

use crate::client::{Answer, Client, Lost};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Pause between two orders of one customer: the load is to be concurrent, not maximal.
const BREATH: Duration = Duration::from_millis(5);

/// Pause after a rejected request.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a request is repeated whose repetition has no further effect. Faults end before.
const PERSISTENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Adding,
    Ordering,
    Cancelling,
    /// Setting the quantity of a line of the cart.
    Setting,
    /// Removing a line of the cart.
    Removing,
    /// A status that a staff user gives an order.
    Processing,
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
    /// Whether the write was acknowledged. A removal whose answer was lost is 404 when it is repeated.
    pub(crate) fn is_served(&self) -> bool {
        let is_gone = self.what == What::Removing && self.status == 404;
        is_gone || matches!(self.status, 200 | 201 | 204)
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
    /// Whether the cart is changed in each other way before it is ordered.
    edits: bool,
    /// The token of the staff user who processes each order, if any.
    clerk: Option<String>,
    /// The number of additions under a key.
    keyed_additions: usize,
    added: BTreeMap<i64, Added>,
    pub(crate) events: Vec<Event>,
    /// The acknowledged orders.
    pub(crate) orders: Vec<Value>,
    /// The number of orders with an unknown outcome: each exists completely, or not at all.
    pub(crate) unknown: usize,
    empty_carts: usize,
    pub(crate) progress: Arc<Progress>,
}

/// The progress of a customer's thread, so that a test waits for events and not for time.
#[derive(Default)]
pub(crate) struct Progress {
    /// Successful requests since the last failed one.
    pub(crate) streak: AtomicUsize,
    /// Orders that were not placed.
    pub(crate) failed_orders: AtomicUsize,
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
    /// Every other customer gives each order an idempotency key. Of four, one has each order
    /// processed by a staff user with the token `clerk`, one edits the cart, and one cancels each
    /// order.
    pub(crate) fn new(number: usize, client: Client, wants: Vec<i64>, clerk: &str) -> Self {
        Self {
            number,
            client,
            wants,
            keyed: number % 2 == 1,
            clerk: (number % 4 == 1).then(|| clerk.to_owned()),
            edits: number % 4 == 2,
            cancels: number % 4 == 3,
            keyed_additions: 0,
            added: BTreeMap::new(),
            events: Vec::new(),
            orders: Vec::new(),
            unknown: 0,
            empty_carts: 0,
            progress: Arc::default(),
        }
    }

    /// Fills the cart and orders, once.
    pub(crate) fn shop_once(&mut self) {
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
        if self.edits {
            self.edit_cart();
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
        let sent = ("POST", "/api/orders/", &*key, "{}");
        let answer = self.until_known(What::Ordering, sent, &[201]);
        self.acknowledged(&answer);
    }

    /// Changes the cart in each other way: sets the quantity of the first product, removes the last
    /// one, and adds it again under a key.
    fn edit_cart(&mut self) {
        let (first, last) = (self.wants[0], self.wants[self.wants.len() - 1]);
        if let Some(path) = self.line(first) {
            let set = ("PATCH", &*path, "", "{\"quantity\": 3}");
            let answer = self.until_known(What::Setting, set, &[200, 404]);
            // An order with an unknown outcome may have taken the line.
            assert!(answer.status == 200 || self.unknown > 0, "{answer:?}");
            let units = if answer.status == 200 { 3 } else { 0 };
            self.added.entry(first).or_default().acknowledged = units;
        }
        if let Some(path) = self.line(last) {
            self.until_known(What::Removing, ("DELETE", &path, "", ""), &[204, 404]);
            self.added.entry(last).or_default().acknowledged = 0;
        }
        self.keyed_additions += 1;
        let key = format!(
            "Idempotency-Key: {}-{}\r\n",
            self.number, self.keyed_additions
        );
        let body = format!("{{\"product_id\": {last}, \"quantity\": 1}}");
        let add = ("POST", "/api/cart/", &*key, &*body);
        self.until_known(What::Adding, add, &[201]);
        self.added.entry(last).or_default().acknowledged += 1;
    }

    /// The path of the line with a product. It exists unless an order with an unknown outcome has
    /// taken it.
    fn line(&mut self, product: i64) -> Option<String> {
        let began = Instant::now();
        while began.elapsed() < PERSISTENCE {
            let cart = self.client.get("/api/cart/");
            if let Some(cart) = cart.ok().filter(|cart| cart.status == 200) {
                let cart = cart.json();
                let mut lines = cart["results"].as_array().unwrap().iter();
                let line = lines.find(|line| line["product"]["id"] == product);
                assert!(line.is_some() || self.unknown > 0, "{product}: {cart}");
                return Some(format!("/api/cart/{}/", line?["id"]));
            }
            thread::sleep(PAUSE);
        }
        panic!("a cart cannot be read for {PERSISTENCE:?}");
    }

    /// Has a staff user process an order.
    fn process(&mut self, order: &mut Value, clerk: String) {
        let path = format!("/api/orders/{}/", order["id"]);
        let own = std::mem::replace(&mut self.client.token, clerk);
        for status in ["processing", "shipped"] {
            let body = format!("{{\"status\": \"{status}\"}}");
            let answer = self.until_known(What::Processing, ("PATCH", &path, "", &body), &[200]);
            *order = answer.json();
            assert_eq!(order["status"], status);
        }
        self.client.token = own;
    }

    /// Repeats a request, whose repetition has no further effect, until it has an answer other than
    /// 503. The tuple: method, path, headers and body.
    fn until_known(
        &mut self,
        what: What,
        (method, path, headers, body): (&str, &str, &str, &str),
        expected: &[u16],
    ) -> Answer {
        let began = Instant::now();
        while began.elapsed() < PERSISTENCE {
            match self.ask(what, method, path, headers, body) {
                Some(answer) if expected.contains(&answer.status) => return answer,
                Some(answer) => assert_eq!(answer.status, 503, "{method} {path}: {answer:?}"),
                None => {}
            }
            thread::sleep(PAUSE);
        }
        panic!("the outcome of {method} {path} is not known for {PERSISTENCE:?}");
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
        if let Some(clerk) = self.clerk.clone() {
            self.process(&mut order, clerk);
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
