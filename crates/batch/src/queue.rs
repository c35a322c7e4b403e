//! Queue of the commands that wait for a batch.

use crate::{BatchResult, QueueFull};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Callback for the result.
pub(crate) type Done<T> = Box<dyn FnOnce(BatchResult<T>) + Send>;

/// Removal of a command that still waits.
pub(crate) trait Withdraw: Send + Sync {
    /// Whether it still waited.
    fn withdraw(&self, number: u64) -> bool;
}

/// A command that no batch has taken, or that came back from one.
pub(crate) struct Waiting<C, T> {
    pub(crate) number: u64,
    pub(crate) command: C,
    /// Until when it is retried after lock conflicts.
    pub(crate) deadline: Instant,
    /// Time of submission.
    pub(crate) since: Instant,
    pub(crate) done: Done<T>,
}

/// A command that came back from a batch, and is due again at a time.
struct Paused<C, T> {
    due: Instant,
    waiting: Waiting<C, T>,
}

/// A bounded queue of commands, first in, first out.
pub(crate) struct Queue<C, T> {
    most: usize,
    state: Mutex<State<C, T>>,
    changed: Condvar,
}

struct State<C, T> {
    waiting: VecDeque<Waiting<C, T>>,
    /// By command number.
    paused: BTreeMap<u64, Paused<C, T>>,
    /// The number of the next command; numbers in `waiting` ascend.
    next: u64,
    closed: bool,
}

impl<C, T> Queue<C, T> {
    pub(crate) fn new(most: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            paused: BTreeMap::new(),
            next: 0,
            closed: false,
        };
        Self {
            most,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<C, T>> {
        // Only code of this module runs under the lock, so a poisoned lock still guards a
        // consistent state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a command; returns its number.
    pub(crate) fn push(
        &self,
        command: C,
        deadline: Instant,
        done: Done<T>,
    ) -> Result<u64, QueueFull> {
        let mut state = self.state();
        if state.closed || state.waiting.len() + state.paused.len() >= self.most {
            // Dropping a `done` may run arbitrary code, such as submitting another command.
            drop(state);
            return Err(QueueFull);
        }
        let number = state.next;
        state.next += 1;
        state.waiting.push_back(Waiting {
            number,
            command,
            deadline,
            since: Instant::now(),
            done,
        });
        drop(state);
        self.changed.notify_one();
        Ok(number)
    }

    /// Puts a command back after a batch. It was accepted before, so it may exceed the limit, and a
    /// closed queue accepts it too. Only the caller of [`Queue::take`] may call this.
    pub(crate) fn pause(&self, waiting: Waiting<C, T>, due: Instant) {
        let number = waiting.number;
        self.state().paused.insert(number, Paused { due, waiting });
    }

    /// Blocks until commands wait, and takes up to `most` of them; `None` once the queue is closed
    /// and empty.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Waiting<C, T>>> {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            let batch = state.batch(most, now);
            if !batch.is_empty() {
                return Some(batch);
            }
            let first_due = state.paused.values().map(|paused| paused.due).min();
            state = match first_due {
                Some(due) => {
                    let pause = due.saturating_duration_since(now);
                    let woken = self.changed.wait_timeout(state, pause);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None if state.closed => return None,
                None => {
                    let woken = self.changed.wait(state);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Number of commands that wait or pause.
    pub(crate) fn len(&self) -> usize {
        let state = self.state();
        state.waiting.len() + state.paused.len()
    }

    /// Stops accepting commands.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }
}

impl<C: Send, T> Withdraw for Queue<C, T> {
    fn withdraw(&self, number: u64) -> bool {
        let removed = self.state().remove(number);
        // As in `push`, the `done` in it is dropped outside the lock.
        removed.is_some()
    }
}

impl<C, T> State<C, T> {
    fn remove(&mut self, number: u64) -> Option<Waiting<C, T>> {
        if let Some(paused) = self.paused.remove(&number) {
            return Some(paused.waiting);
        }
        let found = self.waiting.binary_search_by_key(&number, |one| one.number);
        found.ok().and_then(|at| self.waiting.remove(at))
    }

    /// Takes the due retries first, which are older, and then new commands. Half of a batch is
    /// reserved for new commands: many retries for one product must not hold up the commands for
    /// all others.
    fn batch(&mut self, most: usize, now: Instant) -> Vec<Waiting<C, T>> {
        let room = most.saturating_sub(self.waiting.len().min(most / 2));
        let due = self.paused.iter().filter(|(_, paused)| paused.due <= now);
        let due: Vec<u64> = due.map(|(number, _)| *number).take(room).collect();
        let due = due.iter().filter_map(|number| self.paused.remove(number));
        let mut batch: Vec<Waiting<C, T>> = due.map(|paused| paused.waiting).collect();
        let count = self.waiting.len().min(most.saturating_sub(batch.len()));
        batch.extend(self.waiting.drain(..count));
        batch
    }
}
