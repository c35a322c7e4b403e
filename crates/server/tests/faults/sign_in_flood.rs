//! One client with many connections signs in all the time: the others have their turns.

use crate::client::Client;
use crate::shop::{IN_TIME, Shop, tell};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 32;
const NEIGHBOURS: usize = 9;

/// The proxy says where clients are. Requests may take as long as it needs for all connections to be
/// served one after the other, as only the order is looked at. Bounds on counts are out of the way.
const OPTIONS: [&str; 6] = [
    "--trusted-proxies",
    "127.0.0.1",
    "--request-timeout",
    "300",
    "--throttle-repeats",
    "1000000",
];

/// Signs in from this address; the status.
fn sign_in(client: &mut Client, from: &str, name: &str) -> u16 {
    let body = format!("{{\"username\": \"{name}\", \"password\": \"correct horse\"}}");
    let headers = format!("X-Forwarded-For: {from}\r\n");
    let answer = client.ask("POST", "/api-token-auth/", &headers, &body);
    answer.unwrap().status
}

/// How many sign-ins of the flood were answered before each neighbour's.
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
    tell(&format!(
        "sign-ins of the flood before each other one: {overtaken:?}"
    ));
    // In the order of arrival it is the whole queue of the flood. In turns it is one or two for each
    // slot; the middle one, as answers may be read late.
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
