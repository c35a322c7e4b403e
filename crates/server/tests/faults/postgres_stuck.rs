//! PostgreSQL is up but makes no progress: paused, its connections cut, its rows locked.

use crate::load::{Event, Load, What, between, slowest, summary};
use crate::shop::{IN_TIME, Shop, duration, print_line};
use crate::verify::prove;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// A short deadline, so that a short test sees requests that reach it.
const IMPATIENT: [&str; 2] = ["--request-timeout", "2"];

/// The maximum of connections from one server to PostgreSQL: one for each slot, and as many again
/// whose end PostgreSQL has not noticed.
fn most_connections() -> usize {
    let passwords = thread::available_parallelism().map_or(1, usize::from) / 2;
    2 * (16 + passwords.max(1) + 8)
}

/// The number of connections of all servers.
fn connections(shop: &mut Shop) -> usize {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tradepost'";
    shop.postgres().sql(count).parse().unwrap()
}

#[test]
fn postgres_is_paused() {
    let mut shop = Shop::on_postgres_with_defaults(&IMPATIENT);
    let load = Load::start(shop.buyers(12));
    sleep(Duration::from_millis(700));
    let threads = shop.threads();
    let paused = Instant::now();
    shop.postgres().cluster.pause().unwrap();
    let mut probes = Duration::ZERO;
    let mut most_threads = 0;
    while paused.elapsed() < duration() {
        sleep(Duration::from_millis(500));
        let health = shop.anonymous().get("/healthz").unwrap();
        assert_eq!(health.status, 200);
        probes = health.took.max(probes);
        let readiness = shop.anonymous().get("/readyz").unwrap();
        assert_eq!(readiness.status, 503);
        assert!(readiness.took < IN_TIME);
        most_threads = shop.threads().max(most_threads);
    }
    shop.postgres().cluster.unpause().unwrap();
    let back = Instant::now();
    while shop.anonymous().get("/readyz").unwrap().status != 200 {
        assert!(back.elapsed() < IN_TIME, "it does not recover");
        sleep(Duration::from_millis(10));
    }
    let ready = back.elapsed();
    load.await_recovery();
    let retry_busy = back.elapsed();
    let connections = connections(&mut shop);
    let buyers = load.stop();
    let meanwhile = between(&buyers, paused, back);
    print_line(&format!(
        "PostgreSQL paused: ready {ready:.0?} and everybody served {retry_busy:.0?} after it went on, \
         /healthz within {probes:.0?}, \
         {most_threads} threads at most ({threads} before), {connections} connections after"
    ));
    print_line(&format!("meanwhile: {}", summary(&meanwhile)));
    let after = between(&buyers, back, Instant::now());
    print_line(&format!("afterwards: {}", summary(&after)));
    assert!(probes < IN_TIME);
    // Blocking threads are bounded; a few more belong to the pool and the runtime.
    assert!(most_threads < threads + 64, "{most_threads} threads");
    assert!(
        connections <= most_connections(),
        "{connections} connections"
    );
    prove(&shop, buyers);
}

#[test]
fn connections_are_cut_every_second() {
    let mut shop = Shop::on_postgres(&[]);
    let load = Load::start(shop.buyers(8));
    let began = Instant::now();
    let mut cuts = 0;
    while cuts < 3 || began.elapsed() < duration() {
        sleep(Duration::from_millis(1_000));
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE application_name = 'tradepost'";
        let connections: usize = shop.postgres().sql(cut).parse().unwrap();
        assert!(
            connections <= most_connections(),
            "{connections} connections"
        );
        cuts += 1;
    }
    sleep(Duration::from_millis(500));
    let buyers = load.stop();
    let all = between(&buyers, began, Instant::now());
    print_line(&format!("connections cut {cuts} times: {}", summary(&all)));
    for event in &all {
        // A cancellation whose answer was lost is refused when it is sent again.
        let again = event.what == What::Cancelling && event.status == 409;
        let known = event.is_served() || event.status == 503 || again;
        assert!(known, "{event:?}");
    }
    prove(&shop, buyers);
}

/// Half of the customers want the locked product, the others are unaffected.
#[test]
fn a_product_row_is_locked_by_another_session() {
    let mut shop = Shop::on_postgres(&IMPATIENT);
    let mut buyers = shop.buyers(8);
    let [held, free] = [shop.products[0], shop.products[1]];
    for (number, buyer) in buyers.iter_mut().enumerate() {
        if number >= 4 {
            buyer.wants = vec![free];
        }
    }
    let load = Load::start(buyers);
    sleep(Duration::from_millis(700));
    let threads = shop.threads();
    let mut holder = PgConnection::establish(&shop.postgres().url()).unwrap();
    let hold = format!(
        "BEGIN;
         SELECT 1 FROM products JOIN stock ON product_id = id WHERE id = {held} FOR UPDATE"
    );
    holder.batch_execute(&hold).unwrap();
    let from = Instant::now();
    let failed = load.failed_orders();
    // Of five rejections of four customers, one is a customer's second: its order began and ended
    // while the rows were locked.
    while from.elapsed() < duration() || load.failed_orders() < failed + 5 {
        assert!(from.elapsed() < 6 * IN_TIME, "nobody is refused");
        sleep(Duration::from_millis(50));
    }
    let until = Instant::now();
    holder.batch_execute("COMMIT").unwrap();
    let to = Instant::now();
    let most_threads = shop.threads();
    load.await_recovery();
    let buyers = load.stop();
    let whole = |event: &&Event| from < event.began && event.began + event.took < until;
    let (those, others) = buyers.split_at(4);
    let of = |buyers| -> Vec<_> {
        let events = between(buyers, from, until);
        events.into_iter().filter(whole).collect()
    };
    let (those, others) = (of(those), of(others));
    print_line(&format!(
        "held for {:.0?}, those who want it: {}",
        until - from,
        summary(&those)
    ));
    print_line(&format!("the others: {}", summary(&others)));
    print_line(&format!("{most_threads} threads ({threads} before)"));
    assert!(!others.is_empty() && others.iter().all(|event| event.is_served()));
    assert!(slowest(&others) < IN_TIME);
    let mut orders = those
        .iter()
        .filter(|event| event.what == What::Ordering)
        .peekable();
    assert!(orders.peek().is_some());
    for event in orders {
        assert_eq!((event.status, &*event.code), (503, "busy"), "{event:?}");
        assert!(event.retry_after, "{event:?}");
    }
    let after = between(&buyers, to, Instant::now());
    assert!(
        after.iter().all(|event| event.is_served()),
        "{}",
        summary(&after)
    );
    assert!(most_threads < threads + 64, "{most_threads} threads");
    prove(&shop, buyers);
}
