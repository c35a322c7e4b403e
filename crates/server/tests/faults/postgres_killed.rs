//! kill -9 of PostgreSQL, and its restart.

use crate::client::Client;
use crate::load::{Load, between, slowest, summary};
use crate::shop::{IN_TIME, Shop, duration, print_line};
use crate::verify::prove;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Asserts the answers while the database is down: liveness succeeds, readiness and catalogue are 503
/// with Retry-After.
fn is_told_as_away(client: &mut Client) {
    let health = client.get("/healthz").unwrap();
    assert_eq!(health.status, 200);
    assert!(health.took < IN_TIME);
    // A missing database must be distinguished from an overloaded server, each time.
    for _ in 0..5 {
        let readiness = client.get("/readyz").unwrap();
        assert_eq!((readiness.status, &*readiness.code()), (503, "unavailable"));
        assert!(readiness.header("Retry-After").is_some() && readiness.took < IN_TIME);
    }
    let catalogue = client.get("/api/products/").unwrap();
    assert_eq!(catalogue.status, 503);
    assert!(catalogue.header("Retry-After").is_some() && catalogue.took < IN_TIME);
}

/// Retries a request until it succeeds; returns how long that takes.
fn until_well(client: &mut Client, path: &str) -> Duration {
    let began = Instant::now();
    while client.get(path).unwrap().status != 200 {
        assert!(began.elapsed() < IN_TIME, "{path} does not recover");
        sleep(Duration::from_millis(10));
    }
    began.elapsed()
}

#[test]
fn postgres_is_killed() {
    let mut shop = Shop::on_postgres(&[]);
    let mut client = shop.anonymous();
    let load = Load::start(shop.buyers(8));
    let began = Instant::now();
    let mut outages = Vec::new();
    while outages.is_empty() || began.elapsed() < duration() {
        sleep(Duration::from_millis(700));
        let killed = Instant::now();
        shop.postgres().cluster.kill().unwrap();
        let gone = Instant::now();
        is_told_as_away(&mut client);
        sleep(Duration::from_millis(1_500));
        is_told_as_away(&mut client);
        let returning = Instant::now();
        shop.postgres().cluster.resume_or_start().unwrap();
        let back = Instant::now();
        let ready = until_well(&mut client, "/readyz");
        let catalogue = until_well(&mut client, "/api/products/");
        outages.push([killed, gone, returning, back]);
        print_line(&format!(
            "kill -9 of PostgreSQL: ready {ready:.0?} after its return, the catalogue {catalogue:.0?} later"
        ));
        sleep(Duration::from_millis(700));
    }
    // Effects of the restart itself are over.
    let retry_busy = Instant::now();
    sleep(Duration::from_millis(700));
    let buyers = load.stop();
    for [killed, gone, returning, back] in outages {
        // Requests that were unanswered before the restart may succeed.
        let mut meanwhile = between(&buyers, gone, returning);
        meanwhile.retain(|event| event.began + event.took < returning);
        print_line(&format!("meanwhile: {}", summary(&meanwhile)));
        assert!(!meanwhile.is_empty());
        for event in &meanwhile {
            assert_eq!(event.status, 503, "{event:?}");
            // Only an order in flight at the kill may have an unknown outcome; a request that began
            // later certainly had no effect.
            assert!(event.retry_after, "{event:?}");
            assert!(event.took < IN_TIME, "{event:?}");
        }
        let caught = between(&buyers, killed - Duration::from_secs(1), gone);
        print_line(&format!("caught by it: {:.0?} at most", slowest(&caught)));
        let events = buyers.iter().flat_map(|buyer| &buyer.events);
        let first = events
            .filter(|event| event.began >= returning && event.is_served())
            .map(|event| (event.began + event.took).saturating_duration_since(back))
            .min();
        print_line(&format!(
            "the first good answer to a customer: {first:.0?} after its return"
        ));
        assert!(first.is_some_and(|first| first < IN_TIME));
    }
    let after = between(&buyers, retry_busy, Instant::now());
    let bad = after.iter().find(|event| !event.is_served());
    assert!(bad.is_none(), "{bad:?}");
    prove(&shop, buyers);
}
