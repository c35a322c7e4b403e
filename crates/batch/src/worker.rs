//! The worker: one batch after the other.

use crate::queue::{Done, Queue};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{fmt, iter};
use tradepost_domain::{OrderRepository, PlaceOrder, Placement, StoreError, StoreErrorKind};

/// Places what waits until the queue is closed and empty.
pub(crate) fn run(queue: &Queue, orders: &dyn OrderRepository, most: usize) {
    while let Some(batch) = queue.take(most) {
        let (requests, dones): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|waiting| (waiting.request, waiting.done))
            .unzip();
        match place(orders, &requests) {
            Ok(placements) => answer(dones, placements.into_iter().map(Ok)),
            Err(error) => answer(dones, iter::repeat_with(|| Err(error.clone()))),
        }
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

fn answer(dones: Vec<Done>, results: impl Iterator<Item = Result<Placement, StoreError>>) {
    for (done, result) in dones.into_iter().zip(results) {
        // One caller's panic is none of the others' business. The panic hook has reported it.
        let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
    }
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
