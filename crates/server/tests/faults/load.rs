//! Load: customers who fill and edit their carts, order and cancel repeatedly, with staff who process
//! orders; every answer is recorded.

pub(crate) use crate::buyer::{Buyer, Event, What};

use crate::buyer::Progress;
use crate::shop::{IN_TIME, Shop};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Consecutive successful requests of one customer after which a fault counts as over: several
/// orders.
const RECOVERED: usize = 12;

impl Shop {
    /// Customers who each want one unit of each product, one half in reverse order. They are spread
    /// over the servers.
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
                Buyer::new(number, client, wants, &self.staff(0).token)
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
