//! The worker: executes one batch after the other.

use crate::BatchResult;
use crate::queue::{Done, Queue, Waiting};
use crate::stats::{Counters, micros, saturating};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::{Outcomes, Refusal, StoreError, StoreErrorKind};

/// Executes waiting commands until the queue is closed and empty.
pub(crate) fn run<C: Clone, T>(
    queue: &Queue<C, T>,
    port: &impl Fn(&[C]) -> Outcomes<T>,
    most: usize,
    counts: &Counters,
) {
    while let Some(batch) = queue.take(most) {
        carry_out(queue, port, counts, batch);
    }
}

fn carry_out<C: Clone, T>(
    queue: &Queue<C, T>,
    port: &impl Fn(&[C]) -> Outcomes<T>,
    counts: &Counters,
    batch: Vec<Waiting<C, T>>,
) {
    let commands: Vec<C> = batch.iter().map(|one| one.command.clone()).collect();
    let began = Instant::now();
    let executed = execute(port, &commands);
    counts.sizes.observe(saturating(commands.len()));
    counts.took.observe(micros(began.elapsed()));
    let observe_wait = |waiting: &Waiting<C, T>| {
        let waited = began.saturating_duration_since(waiting.since);
        counts.waits.observe(micros(waited));
    };
    match executed {
        Ok(results) => {
            for (waiting, result) in batch.into_iter().zip(results) {
                if matches!(result, Err(Refusal::LockConflict)) {
                    counts.contended.fetch_add(1, Ordering::Relaxed);
                } else {
                    observe_wait(&waiting);
                }
                settle(queue, waiting, result);
            }
        }
        // One bad row must not fail the others: each command is executed alone.
        Err(error) if batch.len() > 1 && error.kind().may_be_of_one() => {
            for waiting in batch {
                carry_out(queue, port, counts, vec![waiting]);
            }
        }
        Err(error) => {
            for waiting in batch {
                observe_wait(&waiting);
                answer(waiting.done, Err(error.clone()));
            }
        }
    }
}

/// Answers a command, or puts it back for a retry.
fn settle<C, T>(queue: &Queue<C, T>, waiting: Waiting<C, T>, result: Result<T, Refusal>) {
    if !matches!(result, Err(Refusal::LockConflict)) {
        return answer(waiting.done, Ok(result));
    }
    let (now, deadline) = (Instant::now(), waiting.deadline);
    if now < deadline {
        // The last attempt is at the deadline.
        queue.pause(waiting, deadline.min(now + jitter()));
    } else {
        let still = StoreError::caused(StoreErrorKind::Busy, Refusal::LockConflict);
        answer(waiting.done, Err(still));
    }
}

/// A random pause before a retry: two servers in conflict must not meet again and again. After 5 ms
/// most transactions have ended, and 25 ms are too short for a user to notice.
fn jitter() -> Duration {
    Duration::from_micros(fastrand::u64(5_000..=25_000))
}

/// One result for each command, or one failure for all of them.
fn execute<C, T>(port: &impl Fn(&[C]) -> Outcomes<T>, commands: &[C]) -> Outcomes<T> {
    let executed = catch_unwind(AssertUnwindSafe(|| port(commands)));
    let results = executed.unwrap_or_else(|panic| {
        // The panic may have come after the commit.
        Err(unknown(Defect::Panic(message(panic.as_ref()))))
    })?;
    let (given, due) = (results.len(), commands.len());
    if given == due {
        Ok(results)
    } else {
        // The results cannot be assigned to commands, and no caller may get another one's.
        Err(unknown(Defect::Results { given, due }))
    }
}

fn answer<T>(done: Done<T>, result: BatchResult<T>) {
    // A panic of one caller must not affect the others. The panic hook has reported it.
    let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
}

fn unknown(defect: Defect) -> StoreError {
    StoreError::caused(StoreErrorKind::OutcomeUnknown, defect)
}

/// A violation of the port's contract.
#[derive(Debug)]
enum Defect {
    Panic(String),
    Results { given: usize, due: usize },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic(message) => write!(f, "a batch panicked: {message}"),
            Self::Results { given, due } => {
                write!(f, "a batch of {due} commands gave {given} results")
            }
        }
    }
}

impl std::error::Error for Defect {}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
