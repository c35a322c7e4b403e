//! Coarse deadlines: one timer for all waiting requests of a worker.
//!
//! A timer of the runtime for each request would be set and cancelled again for nearly all of them,
//! as a read takes a fraction of the time that a request may take.

use actix_web::rt;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// How late a deadline may be noticed.
const STEP: Duration = Duration::from_millis(10);

/// The deadline was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elapsed;

/// Waits for a future, until the deadline or at most [`STEP`] longer. Must run in an actix runtime.
///
/// # Errors
/// [`Elapsed`].
pub(super) async fn timeout_at<F: Future>(
    deadline: Instant,
    future: F,
) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future);
    let mut entry: Option<Entry> = None;
    poll_fn(|context| {
        if let Poll::Ready(value) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(value));
        }
        match &entry {
            None => entry = Some(Entry::new(deadline, context.waker())),
            Some(_) if Instant::now() >= deadline => return Poll::Ready(Err(Elapsed)),
            Some(entry) => entry.set(context.waker()),
        }
        Poll::Pending
    })
    .await
}

thread_local! {
    static OWN: RefCell<Deadlines> = const { RefCell::new(Deadlines::new()) };
}

/// The deadlines of the requests that wait on this thread.
struct Deadlines {
    waiting: Vec<Option<(Instant, Waker)>>,
    free: Vec<usize>,
    is_watched: bool,
}

impl Deadlines {
    const fn new() -> Self {
        Self {
            waiting: Vec::new(),
            free: Vec::new(),
            is_watched: false,
        }
    }

    fn add(&mut self, deadline: Instant, waker: &Waker) -> usize {
        let entry = Some((deadline, waker.clone()));
        let free = self.free.pop();
        if let Some((at, slot)) = free.and_then(|at| Some((at, self.waiting.get_mut(at)?))) {
            *slot = entry;
            return at;
        }
        self.waiting.push(entry);
        self.waiting.len() - 1
    }

    fn set(&mut self, at: usize, waker: &Waker) {
        if let Some(Some((_, known))) = self.waiting.get_mut(at) {
            known.clone_from(waker);
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some(slot) = self.waiting.get_mut(at) {
            *slot = None;
            self.free.push(at);
        }
    }

    /// The requests whose deadline has passed. Memory of an exceptional load is freed once no
    /// request waits. Returns `None` if that is the case.
    fn overdue(&mut self, now: Instant) -> Option<Vec<Waker>> {
        if self.free.len() == self.waiting.len() {
            (self.waiting, self.free) = (Vec::new(), Vec::new());
            return None;
        }
        let waiting = self.waiting.iter().flatten();
        let overdue = waiting.filter(|(deadline, _)| *deadline <= now);
        Some(overdue.map(|(_, waker)| waker.clone()).collect())
    }
}

/// A request that waits, until it is dropped.
struct Entry(usize);

impl Entry {
    fn new(deadline: Instant, waker: &Waker) -> Self {
        let (at, is_watched) = OWN.with_borrow_mut(|own| {
            let at = own.add(deadline, waker);
            (at, std::mem::replace(&mut own.is_watched, true))
        });
        if !is_watched {
            rt::spawn(watch(Watch));
        }
        Self(at)
    }

    fn set(&self, waker: &Waker) {
        OWN.with_borrow_mut(|own| own.set(self.0, waker));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // The value is gone while the thread ends.
        let _ = OWN.try_with(|own| own.borrow_mut().remove(self.0));
    }
}

/// Marks the deadlines as watched, until it is dropped with its task or with the runtime.
struct Watch;

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = OWN.try_with(|own| own.borrow_mut().is_watched = false);
    }
}

/// Wakes the requests whose deadline has passed, until none waits.
async fn watch(_watch: Watch) {
    loop {
        tokio::time::sleep(STEP).await;
        let overdue = OWN.with_borrow_mut(|own| own.overdue(Instant::now()));
        let Some(overdue) = overdue else { return };
        overdue.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{join_all, pending, ready};
    use tokio::sync::oneshot;

    fn count() -> (usize, bool) {
        OWN.with_borrow(|own| (own.waiting.iter().flatten().count(), own.is_watched))
    }

    #[actix_web::test]
    async fn each_future_ends_by_its_value_or_its_deadline() {
        let now = Instant::now();
        let hour = now + Duration::from_secs(3_600);
        assert_eq!(timeout_at(now, ready(1)).await, Ok(1));
        let (tell, told) = oneshot::channel();
        let late = [1, 30, 2].map(|millis| async move {
            let deadline = now + Duration::from_millis(millis);
            let elapsed = timeout_at(deadline, pending::<()>()).await;
            (elapsed, Instant::now() >= deadline)
        });
        let tell = async {
            // The watch has looked several times before.
            let elapsed = join_all(late).await;
            assert_eq!(elapsed, [(Err(Elapsed), true); 3]);
            assert_eq!(count(), (1, true));
            tell.send(7).unwrap();
        };
        let (told, ()) = futures_util::future::join(timeout_at(hour, told), tell).await;
        assert_eq!(told.unwrap(), Ok(7));
        assert_eq!(count().0, 0);
    }

    #[actix_web::test]
    async fn the_watch_ends_with_the_last_request_and_begins_again() {
        for _ in 0..2 {
            let soon = Instant::now() + Duration::from_millis(1);
            assert_eq!(timeout_at(soon, pending::<()>()).await, Err(Elapsed));
            while count().1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    #[test]
    fn a_runtime_that_ends_ends_its_watch() {
        for _ in 0..2 {
            rt::System::new().block_on(async {
                let hour = Instant::now() + Duration::from_secs(3_600);
                let waiting = rt::spawn(timeout_at(hour, pending::<()>()));
                while count() != (1, true) {
                    rt::task::yield_now().await;
                }
                drop(waiting);
            });
            assert_eq!(count(), (0, false));
        }
    }
}
