//! Requests that wait for an event (long polling). A waiting request holds no thread and no place in
//! a pool.
//!
//! A commit of this server wakes them. Those of other servers are found by polling the last position
//! of the log: every waiting request polls at the same ticks, so that all of them share one read.

use crate::error::ApiError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout_at};

/// Interval of the polls.
const TICK: Duration = Duration::from_millis(100);

/// Minimum interval of the reads of one request, for a shop in which commits follow each other.
const REST: Duration = Duration::from_millis(20);

/// Maximum number of requests that wait. A waiting request keeps its connection.
const MAX_WAITING: usize = 256;

pub(crate) struct EventWaits {
    committed: Notify,
    waiting: AtomicUsize,
    began: Instant,
}

/// A place among the waiting requests; dropping it frees the place, also when the client
/// disconnects.
pub(crate) struct Waiting<'a>(&'a EventWaits);

impl EventWaits {
    pub(crate) fn new() -> Self {
        Self {
            committed: Notify::new(),
            waiting: AtomicUsize::new(0),
            began: Instant::now(),
        }
    }

    /// A request of this server has committed.
    pub(crate) fn notify(&self) {
        self.committed.notify_waiters();
    }

    /// # Errors
    /// [`ApiError::Busy`] if too many requests wait.
    pub(crate) fn enter(&self) -> Result<Waiting<'_>, ApiError> {
        let place = Waiting(self);
        if self.waiting.fetch_add(1, Ordering::Relaxed) < MAX_WAITING {
            Ok(place)
        } else {
            Err(ApiError::Busy)
        }
    }
}

impl Waiting<'_> {
    /// Waits until there may be an event: for a commit, or the next tick.
    pub(crate) async fn until_next(&self) {
        sleep(REST).await;
        let since = self.0.began.elapsed().as_millis();
        let elapsed = since % TICK.as_millis();
        let left = TICK.as_millis().saturating_sub(elapsed);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        // Either way, the log is read next.
        let _ = timeout_at((Instant::now() + left).into(), self.0.committed.notified()).await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_waiting_requests_is_bounded() {
        let waits = EventWaits::new();
        let mut places: Vec<_> = (0..MAX_WAITING).map(|_| waits.enter().unwrap()).collect();
        assert!(matches!(waits.enter(), Err(ApiError::Busy)));
        places.pop();
        assert!(waits.enter().is_ok());
    }
}
