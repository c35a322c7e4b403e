//! Requests that wait for a shared read: the common part of [`BatchLoader`] and [`SingleFlight`].
//!
//! A request that arrives during a read joins the next one, together with all others that arrived
//! meanwhile. A lone request is read at once, and no request gets a value that was read before it
//! arrived.
//!
//! [`BatchLoader`]: super::batch_loader::BatchLoader
//! [`SingleFlight`]: super::single_flight::SingleFlight

use crate::error::ApiError;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout_at;

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
    result: oneshot::Sender<Loaded<V>>,
}

impl<V> Waiter<V> {
    pub(super) fn new(deadline: Instant) -> (Self, oneshot::Receiver<Loaded<V>>) {
        let (result, receiver) = oneshot::channel();
        (Self { deadline, result }, receiver)
    }

    /// Whether the request was dropped, so that it needs no value.
    pub(super) fn is_gone(&self) -> bool {
        self.result.is_closed()
    }

    pub(super) fn finish(self, result: Loaded<V>) {
        // The request may have been dropped meanwhile.
        let _ = self.result.send(result);
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
    match timeout_at(deadline.into(), receiver).await {
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
}

impl<W> ReadQueue<W> {
    pub(super) fn new() -> Self {
        Self {
            waiting: Vec::new(),
            in_flight: 0,
            began: Instant::now(),
        }
    }

    /// The number of waiting requests.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no read loop runs.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// Enqueues a request; returns whether the caller must start a read loop.
    pub(super) fn join(&mut self, waiter: W) -> bool {
        self.waiting.push(waiter);
        let needs_another = self.is_idle()
            || (self.in_flight < MAX_IN_FLIGHT && self.began.elapsed() > HEDGE_AFTER);
        if needs_another {
            self.in_flight += 1;
            self.began = Instant::now();
        }
        needs_another
    }

    /// Takes the next batch of at most `max` requests. If it is empty, the calling loop is over.
    pub(super) fn next_batch(&mut self, max: usize, is_gone: impl Fn(&W) -> bool) -> Vec<W> {
        self.waiting.retain(|waiter| !is_gone(waiter));
        let count = self.waiting.len().min(max);
        let batch: Vec<W> = self.waiting.drain(..count).collect();
        if batch.is_empty() {
            self.in_flight = self.in_flight.saturating_sub(1);
        } else {
            self.began = Instant::now();
        }
        batch
    }
}
