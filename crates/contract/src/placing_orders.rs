//! Placing orders, with retries like the batcher's.

use crate::shop::happened_now;
use crate::{TestShop, at, retry_busy};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use tradepost_domain::kernel::{Outcomes, Refusal, UserId};
use tradepost_domain::orders::{Order, PlaceOrder, Placement, PlacementId};

/// The command that orders a user's cart, with a placement id that is unique in this process.
#[must_use]
pub fn place(user: UserId) -> PlaceOrder {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    PlaceOrder {
        user,
        expected_total: None,
        key: None,
        placement: PlacementId::new(u128::from(NEXT.fetch_add(1, Ordering::Relaxed))),
        quota: None,
        at: at(100),
    }
}

/// Result of ordering a cart.
pub type Placed = Result<Order, Refusal>;

/// A random pause, so that waiting threads do not retry in step.
fn jitter() -> Duration {
    Duration::from_micros(fastrand::u64(1_000..10_000))
}

/// Executes a slice; commands refused by a lock conflict are retried, as by the batcher.
///
/// # Panics
/// If the conflicts persist for some seconds.
pub(crate) fn execute<C: Clone, T>(
    commands: &[C],
    port: impl Fn(&[C]) -> Outcomes<T>,
) -> Vec<Result<T, Refusal>> {
    let once = |commands: &[C]| {
        let results = retry_busy(|| port(commands));
        assert_eq!(results.len(), commands.len(), "one result for each command");
        results
    };
    let mut results = once(commands);
    let patience = 1_000;
    for _ in 0..patience {
        let contended: Vec<usize> = (0..commands.len())
            .filter(|at| matches!(results[*at], Err(Refusal::LockConflict)))
            .collect();
        if contended.is_empty() {
            return results;
        }
        thread::sleep(jitter());
        let again: Vec<_> = contended.iter().map(|at| commands[*at].clone()).collect();
        for (at, result) in contended.into_iter().zip(once(&again)) {
            results[at] = result;
        }
    }
    panic!("others were in the way {patience} times in a row");
}

impl TestShop<'_> {
    /// Places a batch without keys.
    pub fn place_all(&self, requests: &[PlaceOrder]) -> Vec<Placed> {
        let placements = self.submit_all(requests);
        placements
            .into_iter()
            .map(|one| one.map(happened_now))
            .collect()
    }

    /// Places a batch; requests refused by a lock conflict are retried, as by the batcher.
    ///
    /// # Panics
    /// If the conflicts persist for some seconds.
    pub fn submit_all(&self, requests: &[PlaceOrder]) -> Vec<Placement> {
        execute(requests, |requests| self.stores.orders.place(requests))
    }

    /// Places one order.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn submit(&self, request: &PlaceOrder) -> Placement {
        self.submit_all(std::slice::from_ref(request)).remove(0)
    }

    /// Orders a cart.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn place(&self, user: UserId) -> Placed {
        self.place_all(&[place(user)]).remove(0)
    }
}
