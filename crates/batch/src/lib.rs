//! The batcher: a bounded queue and a worker that place orders in batches (group commit).
//!
//! Callers submit a request with a callback for its result, and hold no thread meanwhile. One
//! worker takes all waiting requests, up to a limit, places them together and answers. There is no
//! timer: a batch forms while the previous one commits, so a lone order does not wait. There is no
//! second path either: one order is a batch of one.
//!
//! On a lock conflict ([`Refusal::LockConflict`]) the worker does not wait for the other transaction:
//! the request pauses for a moment while others go on, and is retried until its deadline.
//!
//! ```text
//! submit -> waiting (bounded) -> a batch -> OrderRepository::place -> done, for each
//!              |    ^                          |
//!              |    +- a short random pause <--+ contended
//!              +- withdraw: only from here
//! ```
//!
//! Invariants:
//! - `done` is called once for each request that was accepted and not withdrawn, after
//!   [`OrderRepository::place`] returned and never before.
//! - It never gets [`Refusal::LockConflict`].
//! - A panic of the repository or of a `done` is contained: it does not stop the worker.
//!
//! [`Refusal::LockConflict`]: tradepost_domain::kernel::Refusal::LockConflict
//!
//! # Example
//! ```
//! use std::sync::{Arc, mpsc};
//! use std::time::{Duration, Instant};
//! use tradepost_batch::{Batcher, BatcherConfig, QueueFull};
//! use tradepost_domain::orders::{OrderRepository, PlaceOrder};
//!
//! fn place(orders: Arc<dyn OrderRepository>, request: PlaceOrder) -> std::io::Result<()> {
//!     let batcher = Batcher::start(orders, BatcherConfig::default())?;
//!     let (answer, answered) = mpsc::channel();
//!     let deadline = Instant::now() + Duration::from_secs(5);
//!     match batcher.submit(request, deadline, move |placement| drop(answer.send(placement))) {
//!         Ok(_ticket) => println!("{:?}", answered.recv()),
//!         Err(QueueFull) => println!("Come again in a second."),
//!     }
//!     Ok(())
//! }
//! ```

#[cfg(test)]
mod fake;
mod queue;
mod stats;
#[cfg(test)]
mod tests;
mod worker;

pub use stats::BatchStats;

use queue::{Done, Queue};
use stats::Counters;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Instant;
use std::{fmt, io};
use tradepost_domain::kernel::StoreError;
use tradepost_domain::orders::{OrderRepository, PlaceOrder, Placement};

/// Batcher configuration. Zero counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatcherConfig {
    /// Maximum batch size.
    pub batch: usize,
    /// Maximum number of requests that wait for a batch or pause before a retry; those that a batch
    /// has taken do not count.
    pub waiting: usize,
}

impl Default for BatcherConfig {
    /// A batch size of 64, with which up to ten thousand orders a second were measured; at that
    /// rate 1,024 requests wait for a tenth of a second, and further ones are rejected at once.
    fn default() -> Self {
        Self {
            batch: 64,
            waiting: 1024,
        }
    }
}

/// Backpressure: the queue is full, or the batcher is closing. The request was dropped, and its
/// `done` will not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueFull;

impl fmt::Display for QueueFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many orders are waiting to be placed")
    }
}

impl std::error::Error for QueueFull {}

/// A bounded queue of orders with a worker that places them in batches.
pub struct Batcher {
    queue: Arc<Queue>,
    worker: Mutex<Option<JoinHandle<()>>>,
    worker_id: ThreadId,
    counts: Arc<Counters>,
}

impl Batcher {
    /// Starts the worker.
    ///
    /// # Errors
    /// If the operating system cannot create a thread.
    pub fn start(orders: Arc<dyn OrderRepository>, limits: BatcherConfig) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(limits.waiting.max(1)));
        let counts = Arc::new(Counters::new());
        let worker = {
            let (queue, counts) = (Arc::clone(&queue), Arc::clone(&counts));
            let batch = limits.batch.max(1);
            thread::Builder::new()
                .name("orders".to_owned())
                .spawn(move || worker::run(&queue, orders.as_ref(), batch, &counts))?
        };
        Ok(Self {
            queue,
            worker_id: worker.thread().id(),
            worker: Mutex::new(Some(worker)),
            counts,
        })
    }

    /// Submits a request. `done` gets its result on the worker's thread: it should pass it on and
    /// return, as all other requests wait meanwhile. A failure of the store is the same for all
    /// requests of a batch.
    ///
    /// A request with a lock conflict is retried until its deadline; then the result is
    /// [`StoreErrorKind::Busy`](tradepost_domain::kernel::StoreErrorKind::Busy). The deadline has no effect
    /// on a request without lock conflicts.
    ///
    /// # Errors
    /// [`QueueFull`], at once.
    pub fn submit(
        &self,
        request: PlaceOrder,
        deadline: Instant,
        done: impl FnOnce(Result<Placement, StoreError>) + Send + 'static,
    ) -> Result<Ticket, QueueFull> {
        let done: Done = Box::new(done);
        let number = self.queue.push(request, deadline, done)?;
        let queue = Arc::clone(&self.queue);
        Ok(Ticket { queue, number })
    }

    /// Statistics since the batcher was started.
    #[must_use]
    pub fn stats(&self) -> BatchStats {
        self.counts.read(self.queue.len())
    }

    /// Stops accepting requests, places all waiting ones (retrying lock conflicts until their
    /// deadlines), and returns when they are answered. Called from a `done`, it returns at once, as
    /// the worker cannot wait for itself.
    pub fn close(&self) {
        self.queue.close();
        if thread::current().id() == self.worker_id {
            return;
        }
        // A concurrent caller of `close` waits for the lock, and so for the worker too.
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = worker.take() {
            // The worker catches every panic, so `join` cannot fail.
            let _ = handle.join();
        }
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Batcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").finish_non_exhaustive()
    }
}

/// A submitted request. Dropping the ticket changes nothing.
pub struct Ticket {
    queue: Arc<Queue>,
    number: u64,
}

impl Ticket {
    /// Withdraws the request. `true` if no batch has it, also while it pauses between two: then
    /// nothing was placed and `done` is never called. `false` if a batch has taken it: then the
    /// result comes.
    #[must_use = "if a batch has the request, its answer still comes"]
    pub fn withdraw(self) -> bool {
        self.queue.remove(self.number)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.number)
    }
}
