//! The worker: one batch after the other.

use crate::pause::Pauses;
use crate::queue::{Done, Queue, Waiting};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use tradepost_domain::{
    OrderRepository, PlaceOrder, Placement, Refusal, StoreError, StoreErrorKind,
};

/// Places what waits until the queue is closed and empty.
pub(crate) fn run(queue: &Queue, orders: &dyn OrderRepository, most: usize) {
    let mut pauses = Pauses::new();
    while let Some(batch) = queue.take(most) {
        // Each goes on from here alone, so that the requests can be handed over as one slice.
        let (requests, rest): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|one| (one.request, (one.number, one.deadline, one.done)))
            .unzip();
        match place(orders, &requests) {
            Ok(placements) => {
                let members = requests.into_iter().zip(rest).zip(placements);
                for ((request, (number, deadline, done)), placement) in members {
                    let waiting = Waiting {
                        number,
                        request,
                        deadline,
                        done,
                    };
                    settle(queue, &mut pauses, waiting, placement);
                }
            }
            Err(error) => {
                for (_, _, done) in rest {
                    answer(done, Err(error.clone()));
                }
            }
        }
    }
}

/// Answers a request, unless it is to be tried again.
fn settle(queue: &Queue, pauses: &mut Pauses, waiting: Waiting, placement: Placement) {
    if placement != Err(Refusal::Contended) {
        return answer(waiting.done, Ok(placement));
    }
    let (now, deadline) = (Instant::now(), waiting.deadline);
    if now < deadline {
        // The last try is at the deadline.
        queue.pause(waiting, deadline.min(now + pauses.next()));
    } else {
        let still = StoreError::caused(StoreErrorKind::Busy, Refusal::Contended);
        answer(waiting.done, Err(still));
    }
}

/// One placement for each request, or one failure for them all.
fn place(
    orders: &dyn OrderRepository,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let placed = catch_unwind(AssertUnwindSafe(|| orders.place(requests)));
    let placements = placed.unwrap_or_else(|panic| {
        // It may have come after the commit.
        Err(unknown(Defect::Panic(message(panic.as_ref()))))
    })?;
    let (given, due) = (placements.len(), requests.len());
    if given == due {
        Ok(placements)
    } else {
        // Whose answers these are cannot be told, and nobody may get another one's order.
        Err(unknown(Defect::Answers { given, due }))
    }
}

fn answer(done: Done, result: Result<Placement, StoreError>) {
    // One caller's panic is none of the others' business. The panic hook has reported it.
    let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
}

fn unknown(defect: Defect) -> StoreError {
    StoreError::caused(StoreErrorKind::OutcomeUnknown, defect)
}

/// What the repository may not do.
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
