//! Overload: many times more clients than can be served, which retry at once.

use crate::client::Client;
use crate::load::{Load, between, summary};
use crate::shop::{IN_TIME, Shop, duration, print_line};
use crate::verify::prove;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

/// A number of clients that keeps the server busy.
const BUSY: usize = 32;

/// More clients than the running and queued jobs of every kind together.
const TOO_MANY: usize = 1_500;

/// A client waits for Retry-After after a rejection; these retry sooner.
const IMPATIENCE: Duration = Duration::from_millis(50);

/// The request that a client of the crowd repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    Catalogue,
    Cart,
    /// An order with an empty cart.
    Order,
    /// A sign-in with a wrong password.
    SignIn,
}

impl Wish {
    /// Of ten clients, seven list products, one orders, one reads the cart, one signs in.
    fn of(number: usize) -> Self {
        match number % 10 {
            0 => Self::Order,
            1 => Self::Cart,
            2 => Self::SignIn,
            _ => Self::Catalogue,
        }
    }

    fn ask(self, client: &mut Client) -> (u16, bool) {
        let body = "{\"username\": \"buyer0\", \"password\": \"not this one\"}";
        let asked = match self {
            Self::Catalogue => client.get("/api/products/"),
            Self::Cart => client.get("/api/cart/"),
            Self::Order => client.post("/api/orders/", "{}"),
            Self::SignIn => client.post("/api-token-auth/", body),
        };
        let answer = asked.unwrap();
        let says_when = answer.header("Retry-After").is_some();
        (answer.status, answer.status != 503 || says_when)
    }
}

/// The number of answers per status, their total duration, and the slowest.
type Tally = BTreeMap<(Wish, u16), Answers>;

#[derive(Default, Clone, Copy)]
struct Answers {
    count: u32,
    together: Duration,
    slowest: Duration,
}

impl Answers {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.together += other.together;
        self.slowest = other.slowest.max(self.slowest);
    }
}

struct Crowd {
    enough: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

impl Crowd {
    fn gather(shop: &Shop, tokens: &[String], count: usize) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let clients = (0..count).map(|number| {
            let client = shop.client(0, &tokens[number % tokens.len()]);
            let (wish, enough) = (Wish::of(number), Arc::clone(&enough));
            let small = thread::Builder::new().stack_size(256 * 1024);
            small.spawn(move || ask_on(wish, client, &enough)).unwrap()
        });
        let clients = clients.collect();
        Self { enough, clients }
    }

    fn leave(self) -> Tally {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = Tally::new();
        for client in self.clients {
            for (key, answers) in client.join().unwrap() {
                all.entry(key).or_default().add(answers);
            }
        }
        all
    }
}

fn ask_on(wish: Wish, mut client: Client, enough: &AtomicBool) -> Tally {
    let mut tally = Tally::new();
    while !enough.load(Ordering::Relaxed) {
        let began = Instant::now();
        let (status, well_formed) = wish.ask(&mut client);
        assert!(well_formed, "a 503 without Retry-After");
        let took = began.elapsed();
        tally.entry((wish, status)).or_default().add(Answers {
            count: 1,
            together: took,
            slowest: took,
        });
        if status == 503 {
            sleep(IMPATIENCE);
        }
    }
    tally
}

/// Answers that required work: lists and carts read, and rejections by a rule.
fn served(tally: &Tally) -> u32 {
    let good = tally.iter().filter(|((_, status), _)| *status != 503);
    good.map(|(_, answers)| answers.count).sum()
}

fn told(tally: &Tally) -> String {
    let line = |((wish, status), answers): (&(Wish, u16), &Answers)| {
        let mean = answers.together / answers.count;
        let slowest = answers.slowest;
        let count = answers.count;
        format!("{wish:?} {status} x{count} (in {mean:.0?}, up to {slowest:.0?})")
    };
    tally.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn goes_on_under_overload(shop: &Shop) {
    let idle: Vec<String> = shop.customers(12);
    let (shoppers, lookers) = idle.split_at(4);
    let buyers = shop.buyers_of(shoppers);
    let load = Load::start(buyers);
    let calm = Crowd::gather(shop, lookers, BUSY);
    sleep(duration());
    let calm = calm.leave();
    let threads = shop.threads();

    let began = Instant::now();
    let crowd = Crowd::gather(shop, lookers, TOO_MANY);
    let (mut probes, mut most_threads) = (Duration::ZERO, 0);
    while began.elapsed() < duration() {
        sleep(Duration::from_millis(300));
        let health = shop.anonymous().get("/healthz").unwrap();
        assert_eq!(health.status, 200);
        probes = health.took.max(probes);
        most_threads = shop.threads().max(most_threads);
    }
    let ended = Instant::now();
    let crowd = crowd.leave();

    let left = Instant::now();
    load.await_recovery();
    let retry_busy = left.elapsed();
    let buyers = load.stop();
    let meanwhile = between(&buyers, began, ended);
    let after = between(&buyers, left, Instant::now());
    print_line(&format!(
        "{} served while {BUSY} ask: {}",
        served(&calm),
        told(&calm)
    ));
    print_line(&format!(
        "{} served while {TOO_MANY} ask: {}",
        served(&crowd),
        told(&crowd)
    ));
    print_line(&format!(
        "/healthz within {probes:.0?}, {most_threads} threads at most ({threads} before)"
    ));
    print_line(&format!("orders meanwhile: {}", summary(&meanwhile)));
    print_line(&format!(
        "orders afterwards, everybody served within {retry_busy:.0?}: {}",
        summary(&after)
    ));
    let refused = |(_, status): &(Wish, u16)| *status == 503;
    assert!(crowd.keys().any(refused), "it was not too much");
    for ((wish, status), answers) in calm.iter().chain(&crowd) {
        assert!([200, 201, 400, 503].contains(status), "{wish:?}: {status}");
        let slowest = answers.slowest;
        assert!(slowest < IN_TIME, "{wish:?}: {status} after {slowest:?}");
    }
    // The crowd needs the same cores, to read its rejections.
    assert!(served(&crowd) > served(&calm) / 4);
    // The answer to an order with an empty cart, after its batch.
    assert!(
        crowd.contains_key(&(Wish::Order, 400)),
        "no order was looked at"
    );
    assert!(probes < IN_TIME);
    assert!(most_threads < threads + 64, "{most_threads} threads");
    prove(shop, buyers);
}

#[test]
fn too_many_clients_on_sqlite() {
    goes_on_under_overload(&Shop::on_sqlite(&[]));
}

#[test]
fn too_many_clients_on_postgres() {
    goes_on_under_overload(&Shop::on_postgres(&[]));
}
