//! What waits for a batch.

use crate::QueueFull;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use tradepost_domain::{PlaceOrder, Placement, StoreError};

/// What is to be done with the answer.
pub(crate) type Done = Box<dyn FnOnce(Result<Placement, StoreError>) + Send>;

/// A request that no batch has taken yet.
pub(crate) struct Waiting {
    number: u64,
    pub(crate) request: PlaceOrder,
    pub(crate) done: Done,
}

/// Requests in the order in which they came.
pub(crate) struct Queue {
    most: usize,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    waiting: VecDeque<Waiting>,
    /// The number of the next request; numbers in `waiting` ascend.
    next: u64,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            next: 0,
            closed: false,
        };
        Self {
            most,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody else's code runs under this lock, so whoever poisoned it left it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request; its number.
    pub(crate) fn push(&self, request: PlaceOrder, done: Done) -> Result<u64, QueueFull> {
        let mut state = self.state();
        if state.closed || state.waiting.len() >= self.most {
            // A `done` may do anything when it is dropped, such as hand in another request.
            drop(state);
            return Err(QueueFull);
        }
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(Waiting {
            number,
            request,
            done,
        });
        drop(state);
        self.changed.notify_one();
        Ok(number)
    }

    /// Removes a request, if it still waits.
    pub(crate) fn remove(&self, number: u64) -> bool {
        let removed = {
            let mut state = self.state();
            let found = state
                .waiting
                .binary_search_by_key(&number, |one| one.number);
            found.ok().and_then(|at| state.waiting.remove(at))
        };
        // As in `push`, the `done` in it is dropped outside the lock.
        removed.is_some()
    }

    /// Waits until there are requests, and takes them, at most so many; `None` once the queue is
    /// closed and empty.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Waiting>> {
        let mut state = self.state();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let count = state.waiting.len().min(most);
        Some(state.waiting.drain(..count).collect())
    }

    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }
}
