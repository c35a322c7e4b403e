//! Fairness: one client with many connections signs in all the time, and other clients are still
//! served.

use crate::client::Client;
use crate::shop::{IN_TIME, Shop, print_line};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 32;
const NEIGHBOURS: usize = 9;

/// The proxy header has the client addresses. The request timeout covers all connections one after
/// the other, as only the order is tested. Count limits are out of reach.
const OPTIONS: [&str; 6] = [
    "--trusted-proxies",
    "127.0.0.1",
    "--request-timeout",
    "300",
    "--throttle-repeats",
    "1000000",
];

/// Signs in from this address; returns the status.
fn sign_in(client: &mut Client, from: &str, name: &str) -> u16 {
    let body = format!("{{\"username\": \"{name}\", \"password\": \"correct horse\"}}");
    let headers = format!("X-Forwarded-For: {from}\r\n");
    let answer = client.ask("POST", "/api-token-auth/", &headers, &body);
    answer.unwrap().status
}

/// For each neighbour, the number of flood sign-ins that were answered before its own.
fn overtaken(shop: &Shop) -> Vec<usize> {
    let (answered, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    scope(|threads| {
        for _ in 0..CONNECTIONS {
            threads.spawn(|| {
                let mut client = shop.anonymous();
                while !enough.load(Ordering::Relaxed) {
                    assert_eq!(sign_in(&mut client, "198.51.100.1", "buyer0"), 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let began = Instant::now();
        while answered.load(Ordering::Relaxed) < 3 {
            assert!(began.elapsed() < 6 * IN_TIME, "the flood does not begin");
            sleep(Duration::from_millis(5));
        }
        let neighbours = (1..=NEIGHBOURS).map(|neighbour| {
            let mut client = shop.anonymous();
            let before = answered.load(Ordering::Relaxed);
            let from = format!("192.0.2.{neighbour}");
            assert_eq!(sign_in(&mut client, &from, "buyer1"), 200);
            answered.load(Ordering::Relaxed) - before
        });
        let overtaken = neighbours.collect();
        enough.store(true, Ordering::Relaxed);
        overtaken
    })
}

fn the_others_have_their_turns(shop: &Shop) {
    shop.customers(2);
    let mut overtaken = overtaken(shop);
    overtaken.sort_unstable();
    print_line(&format!(
        "sign-ins of the flood before each other one: {overtaken:?}"
    ));
    // First in, first out would be the whole queue of the flood. Fair queuing is one or two for
    // each slot; the median, as answers may be read late.
    let slots = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .div_ceil(2);
    let typical = overtaken[NEIGHBOURS / 2];
    assert!(
        typical <= 8 * slots && typical < CONNECTIONS - slots,
        "{overtaken:?}"
    );
}

#[test]
fn a_flood_of_sign_ins_from_one_client_starves_no_other() {
    the_others_have_their_turns(&Shop::on_sqlite(&OPTIONS));
}

#[test]
fn a_flood_of_sign_ins_on_postgres_starves_no_other() {
    the_others_have_their_turns(&Shop::on_postgres(&OPTIONS));
}
