//! Races: three servers on one PostgreSQL, and many customers who want the same at once.

use crate::client::{Answer, Client};
use crate::shop::{IN_TIME, Shop, print_line};
use crate::verify::{all_orders, assert_no_deadlock};
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

pub(crate) const SERVERS: usize = 3;

pub(crate) fn three_servers(options: &[&str]) -> Shop {
    let mut shop = Shop::on_postgres(options);
    while shop.add_server() < SERVERS {}
    shop
}

/// A request of a race.
pub(crate) type Racer<T> = Box<dyn FnOnce() -> T + Send>;

/// A racer of a closure.
pub(crate) fn racer<T>(run: impl FnOnce() -> T + Send + 'static) -> Racer<T> {
    Box::new(run)
}

/// Runs all of these concurrently; returns their results in the same order.
pub(crate) fn race<T: Send + 'static>(racers: Vec<Racer<T>>) -> Vec<T> {
    let start = Arc::new(Barrier::new(racers.len()));
    let threads = racers.into_iter().map(|racer| {
        let start = Arc::clone(&start);
        thread::spawn(move || {
            start.wait();
            racer()
        })
    });
    let threads: Vec<_> = threads.collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

/// Runs a request on each client concurrently.
pub(crate) fn at_once(
    clients: Vec<Client>,
    what: impl Fn(&mut Client) -> Answer + Clone + Send + 'static,
) -> Vec<(Client, Answer)> {
    let racers = clients.into_iter().map(|mut client| {
        let what = what.clone();
        racer(move || {
            let answer = what(&mut client);
            (client, answer)
        })
    });
    race(racers.collect())
}

/// The count of each status, and the duration of the slowest answer.
pub(crate) fn summary(answers: &[(Client, Answer)]) -> (BTreeMap<u16, usize>, Duration) {
    let mut counts = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for (_, answer) in answers {
        *counts.entry(answer.status).or_insert(0) += 1;
        slowest = answer.took.max(slowest);
    }
    assert!(slowest < IN_TIME);
    (counts, slowest)
}

pub(crate) fn add(client: &mut Client, product: i64, quantity: i64) {
    let body = format!("{{\"product_id\": {product}, \"quantity\": {quantity}}}");
    client.post("/api/cart/", &body).unwrap().with(201);
}

pub(crate) fn order(client: &mut Client) -> Answer {
    client.post("/api/orders/", "{}").unwrap()
}

#[test]
fn eighty_buyers_for_twenty_units() {
    let shop = three_servers(&[]);
    let scarce = shop.new_product(100, 20);
    let plenty = shop.products[0];
    let before = shop.stock(plenty);
    let tokens = shop.customers(80);
    let clients = tokens.iter().enumerate().map(|(number, token)| {
        let mut client = shop.client(number % SERVERS, token);
        let mut wants = [scarce, plenty];
        if number / SERVERS % 2 == 1 {
            wants.reverse();
        }
        for product in wants {
            add(&mut client, product, 1);
        }
        client
    });
    let clients = clients.collect();
    let answers = at_once(clients, order);
    let (counts, slowest) = summary(&answers);
    print_line(&format!(
        "eighty buyers, twenty units: {counts:?} within {slowest:.0?}"
    ));
    for (_, answer) in answers.iter().filter(|(_, answer)| answer.status != 201) {
        assert_eq!(
            (answer.status, &*answer.code()),
            (409, "insufficient_stock")
        );
    }
    assert_eq!(counts, BTreeMap::from([(201, 20), (409, 60)]));
    assert_eq!((shop.stock(scarce), shop.stock(plenty)), (0, before - 20));
    assert_eq!(all_orders(&shop).len(), 20);
    assert_no_deadlock(&shop);
    print_line(&shop.verify());
}

#[test]
fn one_key_thirty_times() {
    let shop = three_servers(&[]);
    let token = shop.customers(1).remove(0);
    let mut first = shop.client(0, &token);
    for product in &shop.products {
        add(&mut first, *product, 2);
    }
    let clients = (0..30).map(|number| shop.client(number % SERVERS, &token));
    let key = "Idempotency-Key: once\r\n";
    let ask = move |client: &mut Client| client.ask("POST", "/api/orders/", key, "{}").unwrap();
    let answers = at_once(clients.collect(), ask);
    let (counts, slowest) = summary(&answers);
    print_line(&format!(
        "one key thirty times: {counts:?} within {slowest:.0?}"
    ));
    assert_eq!(counts, BTreeMap::from([(201, 30)]));
    let (_, one) = &answers[0];
    let replayed = answers.iter().filter(|(_, answer)| {
        assert_eq!(
            (&answer.body, answer.header("Location")),
            (&one.body, one.header("Location"))
        );
        answer.header("Idempotent-Replayed") == Some("true")
    });
    assert_eq!(replayed.count(), 29);
    assert_eq!(all_orders(&shop).len(), 1);
    assert_no_deadlock(&shop);
    print_line(&shop.verify());
}

/// Session caches: each server caches verified tokens for a short time; a role that is revoked at
/// one server is revoked at all of them, for every write that depends on it.
#[test]
fn a_role_that_ends_at_one_server_has_ended_at_all() {
    let shop = three_servers(&[]);
    let mut tokens = shop.customers(3).into_iter();
    let (clerk, buyer) = (tokens.next().unwrap(), tokens.next().unwrap());
    let mut boss = shop.staff(0);
    let account = shop.client(0, &clerk).get("/api/users/me/").unwrap();
    let path = format!("/api/users/{}/", account.with(200)["id"]);
    let product = shop.products[0];
    let mut customer = shop.client(0, &buyer);
    add(&mut customer, product, 2);
    let id = order(&mut customer).with(201)["id"].clone();
    let of_order = format!("/api/orders/{id}/");
    let of_product = format!("/api/products/{product}/");
    let of_stock = format!("{of_product}stock/");
    let (stock, cancelled) = (shop.stock(product), "{\"status\": \"cancelled\"}");
    let thing = "{\"name\": \"Thing\", \"price\": \"1.00\", \"stock\": 1}";
    for (method, path_of_write, body, status) in [
        ("PATCH", &*of_order, cancelled, 404),
        ("DELETE", &*of_order, "", 404),
        ("POST", "/api/products/", thing, 403),
        ("PATCH", &*of_product, "{\"price\": \"9.00\"}", 403),
        ("DELETE", &*of_product, "", 403),
        ("POST", &*of_stock, "{\"delta\": 5}", 403),
        ("PATCH", &*path, "{\"is_staff\": true}", 403),
    ] {
        let promote = boss.ask("PATCH", &path, "", "{\"is_staff\": true}");
        promote.unwrap().with(200);
        let mut clerks = [shop.client(1, &clerk), shop.client(2, &clerk)];
        for client in &mut clerks {
            // The staff role is cached after its first use there.
            let began = std::time::Instant::now();
            while client.get("/api/users/").unwrap().status != 200 {
                assert!(began.elapsed() < IN_TIME);
            }
        }
        let demote = boss.ask("PATCH", &path, "", "{\"is_staff\": false}");
        demote.unwrap().with(200);
        for client in &mut clerks {
            let refused = client.ask(method, path_of_write, "", body).unwrap();
            assert_eq!(
                refused.status, status,
                "{method} {path_of_write}: {refused:?}"
            );
        }
    }
    let after = customer.get(&of_order).unwrap().with(200);
    assert_eq!(after["status"], "pending");
    assert_eq!(shop.stock(product), stock);
    // A deactivated account cannot order, at any server.
    let token = tokens.next().unwrap();
    let mut clients = [shop.client(1, &token), shop.client(2, &token)];
    let account = clients[0].get("/api/users/me/").unwrap().with(200);
    add(&mut clients[1], product, 1);
    let path = format!("/api/users/{}/", account["id"]);
    let off = boss.ask("PATCH", &path, "", "{\"is_active\": false}");
    off.unwrap().with(200);
    for client in &mut clients {
        let refused = order(client);
        assert_eq!((refused.status, &*refused.code()), (401, "invalid_token"));
    }
    assert_eq!(all_orders(&shop).len(), 1);
    print_line(&shop.verify());
}

#[test]
fn sixteen_cancels_at_once() {
    let shop = three_servers(&[]);
    let token = shop.customers(1).remove(0);
    for method in ["PATCH", "DELETE"] {
        let mut buyer = shop.client(0, &token);
        let before: Vec<_> = shop
            .products
            .iter()
            .map(|product| shop.stock(*product))
            .collect();
        for product in &shop.products {
            add(&mut buyer, *product, 3);
        }
        let id = order(&mut buyer).with(201)["id"].clone();
        let body = if method == "PATCH" {
            "{\"status\": \"cancelled\"}"
        } else {
            ""
        };
        let clients = (0..16).map(|number| shop.client(number % SERVERS, &token));
        let path = format!("/api/orders/{id}/");
        let cancel = move |client: &mut Client| client.ask(method, &path, "", body).unwrap();
        let (counts, slowest) = summary(&at_once(clients.collect(), cancel));
        print_line(&format!(
            "sixteen {method} at once: {counts:?} within {slowest:.0?}"
        ));
        let expected = match method {
            // Repeating a status is accepted; a deleted row is 404.
            "PATCH" => BTreeMap::from([(200, 16)]),
            _ => BTreeMap::from([(204, 1), (404, 15)]),
        };
        assert_eq!(counts, expected);
        let after: Vec<_> = shop
            .products
            .iter()
            .map(|product| shop.stock(*product))
            .collect();
        assert_eq!(after, before, "the stock came back once");
    }
    assert_no_deadlock(&shop);
    print_line(&shop.verify());
}

/// While others buy the delivered units.
#[test]
fn twenty_deliveries_at_once() {
    let shop = three_servers(&[]);
    let [delivered, other] = [shop.products[0], shop.products[1]];
    let before = shop.stock(delivered);
    let tokens = shop.customers(12);
    let mut clients: Vec<_> = (0..20).map(|number| shop.staff(number % SERVERS)).collect();
    for (number, token) in tokens.iter().enumerate() {
        let mut buyer = shop.client(number % SERVERS, token);
        add(&mut buyer, other, 1);
        add(&mut buyer, delivered, 1);
        clients.push(buyer);
    }
    let staff = clients[0].token.clone();
    let path = format!("/api/products/{delivered}/stock/");
    let act = move |client: &mut Client| {
        if client.token == staff {
            client
                .post(&path, "{\"delta\": 5, \"reason\": \"delivery\"}")
                .unwrap()
        } else {
            order(client)
        }
    };
    let (counts, slowest) = summary(&at_once(clients, act));
    print_line(&format!(
        "twenty deliveries and twelve orders at once: {counts:?} within {slowest:.0?}"
    ));
    assert_eq!(counts, BTreeMap::from([(201, 32)]));
    assert_eq!(shop.stock(delivered), before + 20 * 5 - 12);
    assert_no_deadlock(&shop);
    print_line(&shop.verify());
}
