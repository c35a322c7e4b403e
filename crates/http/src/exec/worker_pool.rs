//! Bounded worker pool for blocking work (bulkhead), with optional latency-based admission.
//!
//! At most `running` jobs run at once, and at most `waiting` wait. One more is rejected at once: in
//! an unbounded queue, jobs would wait until their clients have given up.

use crate::error::ApiError;
use crate::exec::duty_cycle::{Activity, Shift};
use crate::exec::low_priority::LowPriorityThreads;
use actix_web::web;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;
use tradepost_domain::kernel::{Error, StoreErrorKind, deadline};

/// How many jobs of a kind may run at once, and how many may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLimit {
    /// Jobs at once, each on a thread of its own; at least 1.
    pub running: usize,
    /// Jobs that wait; one more is answered 503.
    pub waiting: usize,
}

/// Pool statistics: the current number of jobs, and the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PoolLoad {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) limit: PoolLimit,
}

/// The kind of a job, which decides the error at the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// Reads: an interrupted one has no effect.
    Query,
    /// Reads a list that costs about as much as its page.
    List,
    /// Reads a list whose parameters make it expensive: a search, a filter, a sort, a deep page.
    Search,
    /// Writes: once begun, its outcome is unknown until it ends.
    Command,
    /// Checks the health of the store.
    Probe,
}

impl JobKind {
    pub(crate) fn overdue(self) -> ApiError {
        match self {
            Self::Query | Self::Probe => ApiError::Overdue,
            Self::List | Self::Search => ApiError::ListOverdue,
            Self::Command => ApiError::OutcomeUnknown,
        }
    }

    /// Runs a use case on this thread, with the deadline of its request.
    ///
    /// # Errors
    /// [`JobKind::overdue`] if the store has interrupted it; [`ApiError::Panicked`]; those of the use
    /// case.
    pub(crate) fn run_until<T>(
        self,
        deadline: Instant,
        job: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, ApiError> {
        let job = || match self.query_deadline(deadline) {
            Some(deadline) => deadline::run_until(deadline, job),
            None => job(),
        };
        let outcome = catch_unwind(AssertUnwindSafe(job)).map_err(|_| ApiError::Panicked)?;
        outcome.map_err(|error| self.error(error))
    }

    fn error(self, error: Error) -> ApiError {
        match error {
            // The same as if the request had timed out just before.
            Error::Store(store) if *store.kind() == StoreErrorKind::DeadlineExceeded => {
                self.overdue()
            }
            other => other.into(),
        }
    }

    /// When the store must interrupt the queries of a job that begins now, and whose request times
    /// out at `deadline`. A job that writes is never interrupted.
    fn query_deadline(self, deadline: Instant) -> Option<Instant> {
        match self {
            Self::Query | Self::Probe => Some(deadline),
            Self::List | Self::Search => Some(deadline.min(Instant::now() + MAX_LIST_TIME)),
            Self::Command => None,
        }
    }
}

/// The longest that the queries of a list may run. Lists wait for each other, so none may take as
/// long as a request.
const MAX_LIST_TIME: Duration = Duration::from_secs(2);

pub(crate) struct WorkerPool {
    permits: Arc<Semaphore>,
    running: usize,
    waiting: AtomicUsize,
    max_waiting: usize,
    /// Moving average of the duration of its jobs, if admission depends on it.
    latency: Option<Arc<LatencyEwma>>,
    /// Threads of its own, if not those of the runtime's blocking pool.
    threads: Option<LowPriorityThreads>,
    /// The requests for which it pauses.
    yields_to: Option<Activity>,
}

impl WorkerPool {
    pub(crate) fn new(limit: PoolLimit) -> Self {
        let running = limit.running.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            permits: Arc::new(Semaphore::new(running)),
            running,
            waiting: AtomicUsize::new(0),
            max_waiting: limit.waiting,
            latency: None,
            threads: None,
            yields_to: None,
        }
    }

    /// With admission control: a job that would wait beyond its deadline is rejected at once. The
    /// duration of jobs is measured; `expected` is assumed until one has ended.
    pub(crate) fn with_admission(limit: PoolLimit, expected: Duration) -> Self {
        Self {
            latency: Some(Arc::new(LatencyEwma::new(expected))),
            ..Self::new(limit)
        }
    }

    /// With threads of its own, of low priority, which use idle processor time.
    ///
    /// # Errors
    /// If the operating system cannot start a thread.
    pub(crate) fn with_low_priority(self) -> io::Result<Self> {
        let threads = Some(LowPriorityThreads::start(self.running)?);
        Ok(Self { threads, ..self })
    }

    /// With a pause after each job while other requests are served. Its slot is free after the pause.
    pub(crate) fn yielding_to(self, others: &Activity) -> Self {
        let yields_to = Some(others.clone());
        Self { yields_to, ..self }
    }

    /// The current number of jobs.
    pub(crate) fn load(&self) -> PoolLoad {
        let free = self.permits.available_permits();
        PoolLoad {
            running: self.running.saturating_sub(free),
            waiting: self.waiting.load(Ordering::Relaxed),
            limit: PoolLimit {
                running: self.running,
                waiting: self.max_waiting,
            },
        }
    }

    /// Runs a use case on a blocking thread. A job that has begun runs to its end even if its
    /// request has ended, and holds its slot until then; the queries of a job that only reads are
    /// interrupted at the deadline.
    ///
    /// # Errors
    /// [`ApiError::Busy`] if it has not begun and never will; [`JobKind::overdue`] if it has not
    /// ended by the deadline; [`ApiError::Panicked`]; those of the use case.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        kind: JobKind,
        deadline: Instant,
        job: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let permit = self.permit(deadline).await?;
        let (latency, yields_to) = (self.latency.clone(), self.yields_to.clone());
        let job = move || {
            let began = Instant::now();
            let shift = yields_to.as_ref().map(Shift::begin);
            let outcome = match kind.query_deadline(deadline) {
                Some(deadline) => deadline::run_until(deadline, job),
                None => job(),
            };
            let rest = move || {
                if let Some((shift, others)) = shift.zip(yields_to) {
                    shift.rest(&others);
                }
                if let Some(latency) = latency {
                    latency.observe(began.elapsed());
                }
                drop(permit);
            };
            (outcome, rest)
        };
        let ended = match &self.threads {
            Some(threads) => {
                let ended = timeout_at(deadline.into(), threads.run(job)).await;
                ended.unwrap_or_else(|_| Err(kind.overdue()))
            }
            None => {
                let job = move || {
                    let (outcome, rest) = job();
                    rest();
                    outcome
                };
                run_blocking(deadline, kind.overdue(), job).await
            }
        };
        ended?.map_err(|error| kind.error(error))
    }

    /// Runs a job on a blocking thread again and again, while it returns true, in one slot. It gives
    /// the slot up between two runs if other jobs wait for one. Returns whether the job has to go on.
    ///
    /// # Errors
    /// [`ApiError::Busy`] if it gets no slot by the deadline; [`ApiError::Panicked`].
    pub(crate) async fn run_while(
        self: &Arc<Self>,
        deadline: Instant,
        job: impl Fn() -> bool + Send + 'static,
    ) -> Result<bool, ApiError> {
        let permit = self.permit(deadline).await?;
        let pool = Arc::clone(self);
        let run = move || {
            let _permit = permit;
            loop {
                let began = Instant::now();
                if !job() {
                    return false;
                }
                if let Some(latency) = &pool.latency {
                    latency.observe(began.elapsed());
                }
                if pool.waiting.load(Ordering::Relaxed) > 0 {
                    return true;
                }
            }
        };
        match &self.threads {
            Some(threads) => threads.run(move || (run(), || ())).await,
            None => web::block(run).await.map_err(|_| ApiError::Panicked),
        }
    }

    /// How many jobs may wait so that the last of them ends by the deadline.
    fn admissible(&self, deadline: Instant) -> usize {
        match &self.latency {
            Some(latency) => latency.admissible(deadline, self.running),
            None => usize::MAX,
        }
    }

    async fn permit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let max = self.admissible(deadline).min(self.max_waiting);
        let _slot = QueueSlot::take(&self.waiting, max).ok_or(ApiError::Busy)?;
        let turn = Arc::clone(&self.permits).acquire_owned();
        in_time(deadline, turn).await?.map_err(|_| ApiError::Busy)
    }
}

/// Runs a job on a blocking thread, and waits for it until the deadline.
///
/// # Errors
/// `overdue` at the deadline; [`ApiError::Panicked`].
pub(crate) async fn run_blocking<T: Send + 'static>(
    deadline: Instant,
    overdue: ApiError,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    match timeout_at(deadline.into(), web::block(job)).await {
        Ok(outcome) => outcome.map_err(|_| ApiError::Panicked),
        Err(_) => Err(overdue),
    }
}

/// Exponentially weighted moving average (EWMA) of the duration of jobs.
pub(crate) struct LatencyEwma {
    /// In microseconds, at least 1.
    average: AtomicU64,
    /// Whether a job has ended.
    is_known: AtomicBool,
}

impl LatencyEwma {
    pub(crate) fn new(expected: Duration) -> Self {
        Self {
            average: AtomicU64::new(microseconds(expected)),
            is_known: AtomicBool::new(false),
        }
    }

    pub(crate) fn observe(&self, took: Duration) {
        let took = microseconds(took);
        if !self.is_known.swap(true, Ordering::Relaxed) {
            return self.average.store(took, Ordering::Relaxed);
        }
        let next = |average: u64| Some((average - average / 8).saturating_add(took / 8).max(1));
        let _ = self
            .average
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// How many jobs may wait for `running` slots so that the last of them ends by the deadline.
    pub(crate) fn admissible(&self, deadline: Instant, running: usize) -> usize {
        let left = deadline.saturating_duration_since(Instant::now());
        // An eighth is in reserve, as jobs differ. One round is that of the jobs that run already.
        let rounds = self.rounds(left - left / 8).saturating_sub(1);
        rounds.saturating_mul(running)
    }

    /// How many rounds of jobs end within this time.
    fn rounds(&self, within: Duration) -> usize {
        let average = self.average.load(Ordering::Relaxed).max(1);
        let rounds = within.as_micros() / u128::from(average);
        usize::try_from(rounds).unwrap_or(usize::MAX)
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

async fn in_time<T>(deadline: Instant, turn: impl Future<Output = T>) -> Result<T, ApiError> {
    timeout_at(deadline.into(), turn)
        .await
        .map_err(|_| ApiError::Busy)
}

/// A place in the queue; dropping it frees the place, also when the client disconnects.
struct QueueSlot<'a>(&'a AtomicUsize);

impl<'a> QueueSlot<'a> {
    fn take(waiting: &'a AtomicUsize, max: usize) -> Option<Self> {
        let one_more = |now| (now < max).then_some(now + 1);
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .ok()
            .map(|_| Self(waiting))
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "worker_pool_tests.rs"]
mod tests;
