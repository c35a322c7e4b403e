//! The worker pools of a server: a bulkhead for each kind of work, so that one kind cannot take the
//! threads and connections of another.

use crate::config::ConcurrencyLimits;
use crate::error::ApiError;
use crate::exec::duty_cycle::Activity;
use crate::exec::password_pool::PasswordPool;
use crate::exec::worker_pool::{JobKind, PoolLoad, WorkerPool};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::Error;

/// The assumed duration of a list until one has ended.
const EXPECTED_LIST_TIME: Duration = Duration::from_millis(20);

/// The assumed duration of a password job until one has ended: longer than on any usable machine.
const EXPECTED_PASSWORD_TIME: Duration = Duration::from_secs(1);

pub(crate) struct Pools {
    work: Arc<WorkerPool>,
    lists: Arc<WorkerPool>,
    searches: Arc<WorkerPool>,
    probes: Arc<WorkerPool>,
    /// Requests other than searches.
    pub(crate) others: Activity,
    /// Jobs that check or hash a password.
    pub(crate) passwords: PasswordPool,
}

impl Pools {
    /// # Errors
    /// If the operating system cannot start a thread.
    pub(crate) fn new(limits: ConcurrencyLimits) -> io::Result<Self> {
        let others = Activity::default();
        let lists =
            || WorkerPool::with_admission(limits.lists, EXPECTED_LIST_TIME).with_low_priority();
        let searches = lists()?.yielding_to(&others);
        Ok(Self {
            work: Arc::new(WorkerPool::new(limits.work)),
            lists: Arc::new(lists()?),
            searches: Arc::new(searches),
            probes: Arc::new(WorkerPool::new(ConcurrencyLimits::PROBES)),
            passwords: PasswordPool::new(limits.passwords, EXPECTED_PASSWORD_TIME),
            others,
        })
    }

    /// The pool of a job kind.
    pub(crate) fn of(&self, kind: JobKind) -> &Arc<WorkerPool> {
        match kind {
            JobKind::Query | JobKind::Command => &self.work,
            JobKind::List => &self.lists,
            JobKind::Search => &self.searches,
            JobKind::Probe => &self.probes,
        }
    }

    /// Runs a use case in the pool of its job kind.
    ///
    /// # Errors
    /// Those of [`WorkerPool::run`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        kind: JobKind,
        deadline: Instant,
        job: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.of(kind).run(kind, deadline, job).await
    }

    /// The current load of each pool, by name.
    pub(crate) fn loads(&self) -> [(&'static str, PoolLoad); 5] {
        [
            ("work", self.work.load()),
            ("lists", self.lists.load()),
            ("searches", self.searches.load()),
            ("passwords", self.passwords.load()),
            ("probes", self.probes.load()),
        ]
    }
}
