//! The batcher: orders that arrive together are placed together.
//!
//! Callers hand in a request and what is to be done with its answer, and hold no thread while they
//! wait. One worker takes everything that waits, up to a bound, places it in one go and answers.
//! There is no timer: a batch forms while the one before it commits, so that a lone order waits for
//! nobody. There is no second path either: one order is a batch of one.
//!
//! Where somebody else is at work on what a request needs ([`Refusal::Contended`]), nobody waits for
//! them: the request pauses for a moment while others go on, and is tried again until its deadline.
//!
//! ```text
//! submit -> waiting (bounded) -> a batch -> OrderRepository::place -> done, for each
//!              |    ^                          |
//!              |    +- a short random pause <--+ contended
//!              +- withdraw: only from here
//! ```
//!
//! What holds:
//! - `done` is called once for each request that was accepted and not withdrawn, after
//!   [`OrderRepository::place`] returned and never before.
//! - It never gets [`Refusal::Contended`].
//! - A panic, in placing or in a `done`, ends nothing but itself.
//!
//! [`Refusal::Contended`]: tradepost_domain::Refusal::Contended
//!
//! # Example
//! ```
//! use std::sync::{Arc, mpsc};
//! use std::time::{Duration, Instant};
//! use tradepost_batch::{Batcher, Limits, QueueFull};
//! use tradepost_domain::{OrderRepository, PlaceOrder};
//!
//! fn place(orders: Arc<dyn OrderRepository>, request: PlaceOrder) -> std::io::Result<()> {
//!     let batcher = Batcher::start(orders, Limits::default())?;
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
mod figures;
mod histogram;
mod pause;
mod queue;
#[cfg(test)]
mod tests;
mod worker;

pub use figures::Figures;
pub use histogram::{Histogram, Reading};

use figures::Counts;
use queue::{Done, Queue};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Instant;
use std::{fmt, io};
use tradepost_domain::{OrderRepository, PlaceOrder, Placement, StoreError};

/// How much at once. Zero counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most requests in one batch.
    pub batch: usize,
    /// The most requests that wait for a batch, or pause until they are tried again; those that a
    /// batch has taken do not count.
    pub waiting: usize,
}

impl Default for Limits {
    /// 64 in a batch, with which up to ten thousand orders a second were measured; at that pace
    /// 1,024 wait for a tenth of a second, and who would wait longer is told so at once.
    fn default() -> Self {
        Self {
            batch: 64,
            waiting: 1024,
        }
    }
}

/// As many requests wait as may, or the batcher is closing. The request was dropped, and its `done`
/// will not be called.
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
    counts: Arc<Counts>,
}

impl Batcher {
    /// Starts the worker.
    ///
    /// # Errors
    /// If the operating system has no thread to give.
    pub fn start(orders: Arc<dyn OrderRepository>, limits: Limits) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(limits.waiting.max(1)));
        let counts = Arc::new(Counts::new());
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

    /// Hands in a request. `done` gets its answer on the worker's thread: it should pass it on and
    /// return, as everybody else waits meanwhile. A failure of the store is the same for all
    /// requests of a batch.
    ///
    /// A request that others stand in the way of is tried again until its deadline; if they still
    /// do then, the answer is [`StoreErrorKind::Busy`](tradepost_domain::StoreErrorKind::Busy). To
    /// a request that nobody stands in the way of the deadline means nothing.
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

    /// What it has done since it was started.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.counts.read(self.queue.len())
    }

    /// Accepts nothing more, places all that waits (what is contended is tried until its deadline),
    /// and returns when it is answered. Called from a `done`, it returns at once, as the worker
    /// cannot wait for itself.
    pub fn close(&self) {
        self.queue.close();
        if thread::current().id() == self.worker_id {
            return;
        }
        // Whoever else closes it waits for the lock, and so for the worker too.
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = worker.take() {
            // The worker catches every panic, so that there is none to pass on.
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

/// A request that was handed in. Dropping it changes nothing.
pub struct Ticket {
    queue: Arc<Queue>,
    number: u64,
}

impl Ticket {
    /// Takes the request back: `true` if no batch has it, also while it pauses between two, and then
    /// nothing was placed and `done` is never called; `false` if a batch has it, and then the answer comes.
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
