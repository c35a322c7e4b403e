//! The batcher: a bounded queue and a worker in front of a write port, which executes commands in
//! batches (group commit). It is generic over the command.
//!
//! Callers submit a command with a callback for its result, and hold no thread meanwhile. One
//! worker takes all waiting commands, up to a limit, executes them together and answers. There is
//! no timer: a batch forms while the previous one commits, so a lone command does not wait. There
//! is no second path either: one command is a batch of one.
//!
//! On a lock conflict ([`Refusal::LockConflict`]) the worker does not wait for the other transaction:
//! the command pauses for a moment while others go on, and is retried until its deadline.
//!
//! ```text
//! submit -> waiting (bounded) -> a batch -> the write port -> done, for each
//!              |    ^                          |
//!              |    +- a short random pause <--+ contended
//!              +- withdraw: only from here
//! ```
//!
//! Invariants:
//! - `done` is called once for each command that was accepted and not withdrawn, after the port
//!   returned and never before.
//! - It never gets [`Refusal::LockConflict`].
//! - A panic of the port or of a `done` is contained: it does not stop the worker.
//!
//! [`Batchers`] has one for each write port that clients use often.
//!
//! [`Refusal::LockConflict`]: tradepost_domain::kernel::Refusal::LockConflict
//!
//! # Example
//! ```
//! use std::sync::{Arc, mpsc};
//! use std::time::{Duration, Instant};
//! use tradepost_batch::{Batcher, BatcherConfig, QueueFull};
//! use tradepost_domain::cart::{CartRepository, ChangeCart};
//!
//! fn change(carts: Arc<dyn CartRepository>, command: ChangeCart) -> std::io::Result<()> {
//!     let port = move |commands: &[ChangeCart]| carts.change_all(commands);
//!     let batcher = Batcher::start("carts", port, BatcherConfig::default())?;
//!     let (answer, answered) = mpsc::channel();
//!     let deadline = Instant::now() + Duration::from_secs(5);
//!     match batcher.submit(command, deadline, move |result| drop(answer.send(result))) {
//!         Ok(_ticket) => println!("{:?}", answered.recv()),
//!         Err(QueueFull) => println!("Come again in a second."),
//!     }
//!     Ok(())
//! }
//! ```

mod batchers;
#[cfg(test)]
mod fake;
mod queue;
mod stats;
/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
mod worker;

pub use batchers::Batchers;
pub use stats::BatchStats;

use queue::{Done, Queue, Withdraw};
use stats::Counters;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Instant;
use std::{fmt, io};
use tradepost_domain::kernel::{Outcomes, Refusal, StoreError};

/// Batcher configuration. Zero counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatcherConfig {
    /// Maximum batch size.
    pub batch: usize,
    /// Maximum number of commands that wait for a batch or pause before a retry; those that a batch
    /// has taken do not count.
    pub waiting: usize,
}

impl Default for BatcherConfig {
    /// A batch size of 64, with which up to ten thousand orders a second were measured; at that
    /// rate 1,024 commands wait for a tenth of a second, and further ones are rejected at once.
    fn default() -> Self {
        Self {
            batch: 64,
            waiting: 1024,
        }
    }
}

/// Backpressure: the queue is full, or the batcher is closing. The command was dropped, and its
/// `done` will not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueFull;

impl fmt::Display for QueueFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many commands are waiting")
    }
}

impl std::error::Error for QueueFull {}

/// Result of a command: of the port, or the failure of its batch.
pub type BatchResult<T> = Result<Result<T, Refusal>, StoreError>;

/// A bounded queue of commands `C` with outcomes `T`, and a worker that executes them in batches.
pub struct Batcher<C, T> {
    queue: Arc<Queue<C, T>>,
    worker: Mutex<Option<JoinHandle<()>>>,
    worker_id: ThreadId,
    counts: Arc<Counters>,
}

impl<C: Clone + Send + 'static, T: Send + 'static> Batcher<C, T> {
    /// Starts the worker: a thread with this name, which executes batches by `port`.
    ///
    /// # Errors
    /// If the operating system cannot create a thread.
    pub fn start(
        name: &str,
        port: impl Fn(&[C]) -> Outcomes<T> + Send + 'static,
        limits: BatcherConfig,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(limits.waiting.max(1)));
        let counts = Arc::new(Counters::new());
        let worker = {
            let (queue, counts) = (Arc::clone(&queue), Arc::clone(&counts));
            let batch = limits.batch.max(1);
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || worker::run(&queue, &port, batch, &counts))?
        };
        Ok(Self {
            queue,
            worker_id: worker.thread().id(),
            worker: Mutex::new(Some(worker)),
            counts,
        })
    }

    /// Submits a command. `done` gets its result on the worker's thread: it should pass it on and
    /// return, as all other commands wait meanwhile. A failure of the store is the same for all
    /// commands of a batch.
    ///
    /// A command with a lock conflict is retried until its deadline; then the result is
    /// [`StoreErrorKind::Busy`](tradepost_domain::kernel::StoreErrorKind::Busy). The deadline has no effect
    /// on a command without lock conflicts.
    ///
    /// # Errors
    /// [`QueueFull`], at once.
    pub fn submit(
        &self,
        command: C,
        deadline: Instant,
        done: impl FnOnce(BatchResult<T>) + Send + 'static,
    ) -> Result<Ticket, QueueFull> {
        let done: Done<T> = Box::new(done);
        let number = self.queue.push(command, deadline, done)?;
        let queue: Arc<dyn Withdraw> = Arc::<Queue<C, T>>::clone(&self.queue);
        Ok(Ticket { queue, number })
    }
}

impl<C, T> Batcher<C, T> {
    /// Statistics since the batcher was started.
    #[must_use]
    pub fn stats(&self) -> BatchStats {
        self.counts.read(self.queue.len())
    }

    /// Stops accepting commands, executes all waiting ones (retrying lock conflicts until their
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

impl<C, T> Drop for Batcher<C, T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<C, T> fmt::Debug for Batcher<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").finish_non_exhaustive()
    }
}

/// A submitted command. Dropping the ticket changes nothing.
pub struct Ticket {
    queue: Arc<dyn Withdraw>,
    number: u64,
}

impl Ticket {
    /// Withdraws the command. `true` if no batch has it, also while it pauses between two: then
    /// nothing was executed and `done` is never called. `false` if a batch has taken it: then the
    /// result comes.
    #[must_use = "if a batch has the command, its answer still comes"]
    pub fn withdraw(self) -> bool {
        self.queue.withdraw(self.number)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.number)
    }
}
