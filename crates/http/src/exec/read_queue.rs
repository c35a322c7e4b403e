//! Requests that wait for a shared read: the common part of [`BatchLoader`] and [`SingleFlight`].
//!
//! A request that arrives during a read joins the next one, together with all others that arrived
//! meanwhile. A lone request is read at once, and no request gets a value that was read before it
//! arrived.
//!
//! [`BatchLoader`]: super::batch_loader::BatchLoader
//! [`SingleFlight`]: super::single_flight::SingleFlight

use crate::error::ApiError;
use crate::exec::deadlines::timeout_at;
use crate::exec::mailbox::Mailbox;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Maximum reads of one queue in flight. One is enough, and makes the largest batches; another one
/// is started if it takes longer than [`HEDGE_AFTER`] (hedging), so that a hung read does not hold
/// up all requests.
const MAX_IN_FLIGHT: usize = 4;
const HEDGE_AFTER: Duration = Duration::from_millis(50);

/// Bucket bounds of the histogram of batch sizes.
pub(super) const BATCH_SIZES: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 256];

/// The result of a load.
pub(super) type Loaded<V> = Result<V, ApiError>;

/// A request that waits for a value.
pub(super) struct Waiter<V> {
    pub(super) deadline: Instant,
    worker: Mailbox,
    result: oneshot::Sender<Loaded<V>>,
}

impl<V> Waiter<V> {
    /// A request of this worker.
    pub(super) fn new(deadline: Instant) -> (Self, oneshot::Receiver<Loaded<V>>) {
        let (result, receiver) = oneshot::channel();
        let waiter = Self {
            deadline,
            worker: Mailbox::of_this_worker(),
            result,
        };
        (waiter, receiver)
    }

    /// Whether the request was dropped, so that it needs no value.
    pub(super) fn is_gone(&self) -> bool {
        self.result.is_closed()
    }
}

/// Gives each request its result, with one wake-up for each worker.
pub(super) fn finish_all<V: Send + 'static>(
    results: impl IntoIterator<Item = (Waiter<V>, Loaded<V>)>,
) {
    let mut workers: Vec<(Mailbox, Vec<_>)> = Vec::new();
    for (waiter, result) in results {
        let finished = (waiter.result, result);
        let own = workers
            .iter_mut()
            .find(|(other, _)| other.is(&waiter.worker));
        match own {
            Some((_, batch)) => batch.push(finished),
            None => workers.push((waiter.worker, vec![finished])),
        }
    }
    for (worker, batch) in workers {
        worker.deliver(move || {
            for (request, result) in batch {
                // The request may have been dropped meanwhile.
                let _ = request.send(result);
            }
        });
    }
}

/// Waits for the value of a [`Waiter`].
///
/// # Errors
/// Those of the read; `overdue` at the deadline; [`ApiError::Busy`] while the server shuts down.
pub(super) async fn wait<V>(
    receiver: oneshot::Receiver<Loaded<V>>,
    deadline: Instant,
    overdue: ApiError,
) -> Loaded<V> {
    match timeout_at(deadline, receiver).await {
        Ok(result) => result.unwrap_or(Err(ApiError::Busy)),
        Err(_) => Err(overdue),
    }
}

/// The latest deadline of a batch: its read may take as long.
pub(super) fn latest(deadlines: impl Iterator<Item = Instant>) -> Instant {
    deadlines.max().unwrap_or_else(Instant::now)
}

/// Waiting requests, and the reads in flight for them. Each read loop takes batch after batch until
/// none is left.
pub(super) struct ReadQueue<W> {
    waiting: Vec<W>,
    in_flight: usize,
    /// When the latest read began.
    began: Instant,
    /// When no request waits any longer for the reads in flight.
    due: Instant,
    /// Counts how often reads in flight were given up.
    given_up: u64,
}

/// A read loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadLoop(u64);

impl<W> ReadQueue<W> {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            waiting: Vec::new(),
            in_flight: 0,
            began: now,
            due: now,
            given_up: 0,
        }
    }

    /// The number of waiting requests.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The waiting requests.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &W> {
        self.waiting.iter()
    }

    /// Whether no read loop runs.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// Enqueues a request; returns the read loop that the caller must start, if any.
    pub(super) fn join(&mut self, waiter: W) -> Option<ReadLoop> {
        self.waiting.push(waiter);
        if !self.is_idle() {
            let now = Instant::now();
            if now.saturating_duration_since(self.began) <= HEDGE_AFTER {
                return None;
            }
            if self.in_flight >= MAX_IN_FLIGHT {
                if now <= self.due {
                    return None;
                }
                // All of them hang, and their requests have timed out: they must not block the
                // reads of the next requests as well.
                self.given_up = self.given_up.wrapping_add(1);
                self.in_flight = 0;
            }
        }
        self.in_flight += 1;
        self.began = Instant::now();
        self.due = self.due.max(self.began);
        Some(ReadLoop(self.given_up))
    }

    /// Takes the next batch of at most `max` requests for a read loop. If it is empty, the loop is
    /// over.
    pub(super) fn next_batch(
        &mut self,
        reads: ReadLoop,
        max: usize,
        is_gone: impl Fn(&W) -> bool,
        deadline: impl Fn(&W) -> Instant,
    ) -> Vec<W> {
        if reads.0 != self.given_up {
            return Vec::new();
        }
        self.waiting.retain(|waiter| !is_gone(waiter));
        let count = self.waiting.len().min(max);
        let batch: Vec<W> = self.waiting.drain(..count).collect();
        if batch.is_empty() {
            self.in_flight = self.in_flight.saturating_sub(1);
        } else {
            self.began = Instant::now();
            self.due = self.due.max(latest(batch.iter().map(deadline)));
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn reads_that_hang_beyond_their_deadlines_are_given_up() {
        let mut queue = ReadQueue::new();
        let never = |_: &Instant| false;
        let deadline = |deadline: &Instant| *deadline;
        let due = Instant::now() + 5 * HEDGE_AFTER;
        let mut hung = Vec::new();
        while hung.len() < MAX_IN_FLIGHT {
            if let Some(reads) = queue.join(due) {
                assert!(
                    !queue
                        .next_batch(reads, usize::MAX, never, deadline)
                        .is_empty()
                );
                hung.push(reads);
            }
            thread::sleep(MILLISECOND);
        }
        while Instant::now() <= due {
            assert_eq!(queue.join(due), None);
            thread::sleep(MILLISECOND);
        }
        thread::sleep(HEDGE_AFTER + MILLISECOND);
        let Some(reads) = queue.join(due) else {
            panic!("no read begins");
        };
        // The loops that were given up take no batch, and count no longer.
        for hung in hung {
            assert!(
                queue
                    .next_batch(hung, usize::MAX, never, deadline)
                    .is_empty()
            );
        }
        assert!(
            !queue
                .next_batch(reads, usize::MAX, never, deadline)
                .is_empty()
        );
        assert!(!queue.is_idle());
        assert!(
            queue
                .next_batch(reads, usize::MAX, never, deadline)
                .is_empty()
        );
        assert!(queue.is_idle());
    }
}
