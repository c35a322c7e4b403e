//! Blocking work, with a bound in front of it.
//!
//! At most so many jobs run at once, and at most so many wait. One more is refused at once: a queue
//! without end only makes everybody wait for answers that nobody waits for any longer.

use crate::error::ApiError;
use actix_web::web;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

/// How many jobs of a kind may run at once, and how many may wait for their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Jobs at once, each on a thread of its own; at least 1.
    pub running: usize,
    /// Jobs that wait; one more is answered 503.
    pub waiting: usize,
}

/// What a job does, which decides what is said when it is not done in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads: nothing is lost with it.
    Query,
    /// Writes: once begun, only its end tells whether it happened.
    Command,
    /// Checks a password. What it may write, a stronger hash, makes no difference to anybody.
    SignIn,
    /// Hashes a password and writes.
    Register,
    /// Asks how the store is.
    Probe,
}

impl Kind {
    fn overdue(self) -> ApiError {
        match self {
            Self::Query | Self::SignIn | Self::Probe => ApiError::Overdue,
            Self::Command | Self::Register => ApiError::OutcomeUnknown,
        }
    }
}

pub(crate) struct Bound {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Bound {
    pub(crate) fn new(limit: Limit) -> Self {
        let running = limit.running.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(running)),
            waiting: AtomicUsize::new(0),
            most_waiting: limit.waiting,
        }
    }

    /// Runs a job on a thread that may block. A job that has begun goes on to its end even if
    /// nobody waits for it any longer, and keeps its place until then.
    ///
    /// # Errors
    /// [`ApiError::Busy`] if it has not begun and never will; [`ApiError::Overdue`] or
    /// [`ApiError::OutcomeUnknown`] if it has not ended by the deadline; [`ApiError::Panicked`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        kind: Kind,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let permit = self.permit(deadline).await?;
        let running = web::block(move || {
            let outcome = job();
            drop(permit);
            outcome
        });
        match timeout_at(deadline.into(), running).await {
            Ok(outcome) => outcome.map_err(|_| ApiError::Panicked),
            Err(_) => Err(kind.overdue()),
        }
    }

    async fn permit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Place::take(&self.waiting, self.most_waiting).ok_or(ApiError::Busy)?;
        let turn = Arc::clone(&self.permits).acquire_owned();
        in_time(deadline, turn).await?.map_err(|_| ApiError::Busy)
    }
}

async fn in_time<T>(deadline: Instant, turn: impl Future<Output = T>) -> Result<T, ApiError> {
    timeout_at(deadline.into(), turn)
        .await
        .map_err(|_| ApiError::Busy)
}

/// A place among those who wait, until it is dropped: also when the client goes away.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let one_more = |now| (now < most).then_some(now + 1);
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .ok()
            .map(|_| Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::{join, join3};
    use std::sync::mpsc;
    use std::time::Duration;

    fn bound(running: usize, waiting: usize) -> Bound {
        Bound::new(Limit { running, waiting })
    }

    fn soon(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    #[actix_web::test]
    async fn what_is_too_much_is_refused_at_once() {
        let bound = Arc::new(bound(1, 1));
        let (end, ended) = mpsc::channel::<()>();
        let first = bound.run(soon(5_000), Kind::Query, move || ended.recv().is_ok());
        let second = bound.run(soon(5_000), Kind::Query, || true);
        let third = async {
            let began = Instant::now();
            let refused = bound.run(soon(5_000), Kind::Query, || true).await;
            assert!(matches!(refused, Err(ApiError::Busy)));
            assert!(began.elapsed() < Duration::from_millis(500));
            end.send(()).unwrap();
        };
        let (first, second, ()) = join3(first, second, third).await;
        assert!(first.unwrap() && second.unwrap());
        assert!(bound.run(soon(5_000), Kind::Query, || true).await.unwrap());
    }

    #[actix_web::test]
    async fn nobody_waits_longer_than_the_deadline() {
        for (kind, overdue) in [
            (Kind::Query, "unavailable"),
            (Kind::SignIn, "unavailable"),
            (Kind::Probe, "unavailable"),
            (Kind::Command, "outcome_unknown"),
            (Kind::Register, "outcome_unknown"),
        ] {
            let bound = bound(1, 1);
            let (end, ended) = mpsc::channel::<()>();
            let began = bound.run(soon(50), kind, move || ended.recv().is_ok());
            let waiting = bound.run(soon(50), kind, || true);
            let (began, waiting) = join(began, waiting).await;
            assert_eq!(began.unwrap_err().code().word(), overdue);
            assert_eq!(waiting.unwrap_err().code().word(), "busy");
            // The job still runs and keeps its place; it gives it back at its end.
            assert!(bound.run(soon(50), kind, || true).await.is_err());
            end.send(()).unwrap();
            assert!(bound.run(soon(5_000), kind, || true).await.unwrap());
        }
    }

    #[actix_web::test]
    async fn a_panic_gives_its_place_back() {
        let bound = bound(1, 0);
        for _ in 0..3 {
            let panicked = bound
                .run(soon(5_000), Kind::Query, || panic!("on purpose"))
                .await;
            let panicked: Result<(), _> = panicked;
            assert!(matches!(panicked, Err(ApiError::Panicked)));
        }
    }

    #[actix_web::test]
    async fn who_goes_away_leaves_the_queue() {
        let bound = bound(1, 1);
        let (end, ended) = mpsc::channel::<()>();
        let first = bound.run(soon(5_000), Kind::Query, move || ended.recv().is_ok());
        let rest = async {
            for _ in 0..3 {
                let waiting = bound.run(soon(5_000), Kind::Query, || true);
                let gone = tokio::time::timeout(Duration::from_millis(10), waiting).await;
                assert!(gone.is_err());
            }
            assert_eq!(bound.waiting.load(Ordering::Relaxed), 0);
            end.send(()).unwrap();
        };
        let (first, ()) = join(first, rest).await;
        assert!(first.unwrap());
    }
}
