//! Transactions: retries after a lock conflict or a lost connection, and commits whose answer is
//! lost.

use super::commit_probe::{CommitProbe, Resolution, UnackedCommit, transaction_id};
use super::connect::PooledConn;
use super::{Conn, Database, classify, connect, timeout};
use crate::failure::{Failure, without_refusal};
use diesel::connection::SimpleConnection;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::{Error, StoreError, StoreErrorKind};

/// Maximum number of attempts of a transaction, the first one included.
const ATTEMPTS: u32 = 4;

/// The same for unclassified errors, most of which recur.
const ATTEMPTS_AT_THE_UNKNOWN: u32 = 2;

/// How long a command is retried after a lock conflict, or after its connection was lost before the
/// commit: less than half of the default request timeout of 5 s.
pub(super) const RETRY_TIMEOUT: Duration = Duration::from_secs(2);

impl Database {
    pub(super) fn commit<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
        probe: Option<&CommitProbe<'_, T>>,
    ) -> Result<Committed<T>, Error> {
        let write = |pooled: &mut PooledConn| {
            let is_distributed = pooled.is_distributed;
            let job = |conn: &mut Conn| Ok((job(conn)?, transaction_id(conn, is_distributed)?));
            let (value, tx) =
                within(&mut pooled.conn, timeout::BEGIN_WRITE, &job).map_err(TxFailure::Failed)?;
            match pooled.conn.batch_execute("COMMIT") {
                Err(error) => Err(TxFailure::Unacked(UnackedCommit { tx, error, value })),
                Ok(()) => Ok(value),
            }
        };
        self.attempt_or_resolve(write, probe)
    }

    pub(super) fn attempt<T>(
        &self,
        job: impl Fn(&mut PooledConn) -> Result<T, TxFailure<T>>,
    ) -> Result<T, StoreError> {
        let read = self
            .attempt_or_resolve(job, None)
            .map_err(without_refusal)?;
        read.map_err(|error| StoreError::caused(StoreErrorKind::Unavailable, error))
    }

    /// Runs a job, and retries it after a lock conflict or a connection lost before the commit:
    /// nothing was stored then.
    fn attempt_or_resolve<T>(
        &self,
        job: impl Fn(&mut PooledConn) -> Result<T, TxFailure<T>>,
        probe: Option<&CommitProbe<'_, T>>,
    ) -> Result<Committed<T>, Error> {
        let began = Instant::now();
        let mut attempts = 1;
        loop {
            let mut pooled = self.pool.get().map_err(|error| {
                connect::no_connection(error, self.reachable.load(Ordering::Relaxed))
            })?;
            let (failure, again) = match job(&mut pooled) {
                Ok(value) => return Ok(Ok(value)),
                Err(TxFailure::Failed(Failure::LockConflict)) => {
                    (Failure::LockConflict, began.elapsed() < RETRY_TIMEOUT)
                }
                Err(TxFailure::Failed(Failure::Query(error))) => {
                    let meaning = classify::meaning(&error);
                    pooled.lost = meaning.kind == StoreErrorKind::Unavailable;
                    let again = if pooled.lost {
                        // Every idle connection of the pool may be lost as well.
                        meaning.again && began.elapsed() < RETRY_TIMEOUT
                    } else {
                        let most = match meaning.kind {
                            StoreErrorKind::Other => ATTEMPTS_AT_THE_UNKNOWN,
                            _ => ATTEMPTS,
                        };
                        meaning.again && attempts < most
                    };
                    (Failure::Query(error), again)
                }
                Err(TxFailure::Failed(failure)) => (failure, false),
                Err(TxFailure::Unacked(commit)) => {
                    pooled.lost = true;
                    let epoch = std::mem::take(&mut pooled.epoch);
                    drop(pooled);
                    return match self.resolve_commit(&commit, &epoch, probe) {
                        Resolution::Stored => Ok(Ok(commit.value)),
                        Resolution::NotStored => Ok(Err(commit.error)),
                        Resolution::Unknown => {
                            let unknown = StoreErrorKind::OutcomeUnknown;
                            Err(StoreError::caused(unknown, commit.error).into())
                        }
                    };
                }
            };
            if !again {
                return Err(failure.error(classify::store_error));
            }
            attempts += 1;
            pause();
        }
    }
}

/// The outcome of a stored write, or the connection error at its commit if nothing was stored.
pub(super) type Committed<T> = Result<T, diesel::result::Error>;

/// How a transaction failed.
pub(super) enum TxFailure<T> {
    /// Nothing was stored.
    Failed(Failure),
    /// The connection was lost at the commit.
    Unacked(UnackedCommit<T>),
}

/// Runs a job in a transaction, which is left open if the job succeeded.
pub(super) fn within<T>(
    conn: &mut Conn,
    begin: &str,
    job: &impl Fn(&mut Conn) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let begun = conn.batch_execute(begin).map_err(Failure::from);
    // A failed ROLLBACK is ignored: the server rolls back when it loses the connection.
    begun
        .and_then(|()| job(conn))
        .inspect_err(|_| drop(conn.batch_execute("ROLLBACK")))
}

/// Sleeps for a short random time (jitter), so that conflicting transactions do not conflict again.
pub(super) fn pause() {
    sleep(Duration::from_millis(fastrand::u64(2..14)));
}
