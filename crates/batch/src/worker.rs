//! The worker: executes one batch after the other.

use crate::queue::{Done, Queue, Waiting};
use crate::stats::{Counters, micros, saturating};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::{Refusal, StoreError, StoreErrorKind};
use tradepost_domain::orders::{OrderRepository, PlaceOrder, Placement};

/// Places waiting requests until the queue is closed and empty.
pub(crate) fn run(queue: &Queue, orders: &dyn OrderRepository, most: usize, counts: &Counters) {
    while let Some(batch) = queue.take(most) {
        carry_out(queue, orders, counts, batch);
    }
}

fn carry_out(queue: &Queue, orders: &dyn OrderRepository, counts: &Counters, batch: Vec<Waiting>) {
    let requests: Vec<PlaceOrder> = batch.iter().map(|one| one.request.clone()).collect();
    let began = Instant::now();
    let placed = place(orders, &requests);
    counts.sizes.observe(saturating(requests.len()));
    counts.took.observe(micros(began.elapsed()));
    let observe_wait = |waiting: &Waiting| {
        let waited = began.saturating_duration_since(waiting.since);
        counts.waits.observe(micros(waited));
    };
    match placed {
        Ok(placements) => {
            for (waiting, placement) in batch.into_iter().zip(placements) {
                if placement == Err(Refusal::LockConflict) {
                    counts.contended.fetch_add(1, Ordering::Relaxed);
                } else {
                    observe_wait(&waiting);
                }
                settle(queue, waiting, placement);
            }
        }
        // One bad row must not fail the others: each request is placed alone.
        Err(error) if batch.len() > 1 && may_be_of_one(error.kind()) => {
            for waiting in batch {
                carry_out(queue, orders, counts, vec![waiting]);
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

/// Whether a failure, with which nothing was stored, may be caused by a single request of the
/// batch.
fn may_be_of_one(kind: &StoreErrorKind) -> bool {
    match kind {
        StoreErrorKind::Corrupt { .. } | StoreErrorKind::Other => true,
        StoreErrorKind::Busy
        | StoreErrorKind::Unavailable
        | StoreErrorKind::DeadlineExceeded
        | StoreErrorKind::Full
        | StoreErrorKind::OutcomeUnknown
        | StoreErrorKind::SchemaMismatch => false,
    }
}

/// Answers a request, or puts it back for a retry.
fn settle(queue: &Queue, waiting: Waiting, placement: Placement) {
    if placement != Err(Refusal::LockConflict) {
        return answer(waiting.done, Ok(placement));
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

/// One placement for each request, or one failure for all of them.
fn place(
    orders: &dyn OrderRepository,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let placed = catch_unwind(AssertUnwindSafe(|| orders.place(requests)));
    let placements = placed.unwrap_or_else(|panic| {
        // The panic may have come after the commit.
        Err(unknown(Defect::Panic(message(panic.as_ref()))))
    })?;
    let (given, due) = (placements.len(), requests.len());
    if given == due {
        Ok(placements)
    } else {
        // The results cannot be assigned to requests, and no caller may get another one's order.
        Err(unknown(Defect::Answers { given, due }))
    }
}

fn answer(done: Done, result: Result<Placement, StoreError>) {
    // A panic of one caller must not affect the others. The panic hook has reported it.
    let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
}

fn unknown(defect: Defect) -> StoreError {
    StoreError::caused(StoreErrorKind::OutcomeUnknown, defect)
}

/// A violation of the repository's contract.
#[derive(Debug)]
enum Defect {
    Panic(String),
    Answers { given: usize, due: usize },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic(message) => write!(f, "placing orders panicked: {message}"),
            Self::Answers { given, due } => {
                write!(f, "placing {due} orders gave {given} answers")
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
