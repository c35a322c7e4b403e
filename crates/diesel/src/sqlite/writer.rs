//! Single writer thread with group commit: waiting writes are committed together.
//!
//! Writes that share a transaction have a savepoint each, so that a failed one does not affect the
//! others, and none is acknowledged before the commit returned. There is no timer: a batch forms
//! while the previous one commits, and a lone write is not delayed.

use super::Conn;
use super::checkpoint::WriteAheadLog;
use super::classify::{kind, store_error};
use super::files::{DatabaseFiles, LogTail};
use super::salvage::salvage;
use crate::failure::Failure;
use diesel::connection::SimpleConnection;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tradepost_domain::kernel::{Error, StoreError, StoreErrorKind};

/// Maximum number of writes per commit. With more, the first of them would wait longer than the
/// shared commit saves.
const MAX_BATCH: usize = 64;

/// Maximum number of queued writes. Further writes are refused as busy at once.
const QUEUE_SIZE: usize = 1024;

/// Interval of the checks of the database files while idle.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// A queued write. It is run once, unless its batch fails before, and then answered once.
type Job = Box<dyn FnMut(Step<'_>) -> bool + Send>;

enum Step<'a> {
    /// Runs the write; whether its changes are kept. They are not if it is refused, fails or panics.
    Run(&'a mut Conn),
    /// Sends the result to the caller, after the commit returned.
    Answer(Result<(), StoreError>),
}

impl Writer {
    pub(super) fn start(
        conn: Conn,
        files: Arc<DatabaseFiles>,
        log: WriteAheadLog,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(QUEUE_SIZE);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || work(conn, &jobs, &files, log))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Runs a job, and returns when it is committed.
    pub(super) fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        self.submit(job)?
            .recv()
            .unwrap_or_else(|_| Err(StoreError::new(StoreErrorKind::OutcomeUnknown).into()))
    }

    /// Enqueues a job; its outcome is sent after the commit.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Receiver<Result<T, Error>>, StoreError> {
        let (answer, outcome) = sync_channel(1);
        let unknown = || Err(StoreError::new(StoreErrorKind::OutcomeUnknown).into());
        let mut result = unknown();
        let job = move |step: Step<'_>| match step {
            Step::Run(conn) => {
                let run = catch_unwind(AssertUnwindSafe(|| job(conn)));
                result = match run {
                    Ok(outcome) => outcome.map_err(|failure| failure.error(store_error)),
                    Err(panic) => Err(panicked(&*panic).into()),
                };
                result.is_ok()
            }
            // The caller may have gone away; the outcome stands.
            Step::Answer(commit) => {
                let result = std::mem::replace(&mut result, unknown());
                answer.send(commit.map_err(Error::from).and(result)).is_ok()
            }
        };
        let queue = self.queue.as_ref().ok_or_else(unavailable)?;
        queue.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::new(StoreErrorKind::Busy),
            TrySendError::Disconnected(_) => unavailable(),
        })?;
        Ok(outcome)
    }
}

/// The error of a write that panicked: its changes are rolled back.
fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    let error = std::io::Error::other(format!("a write panicked: {message}"));
    StoreError::caused(StoreErrorKind::Other, error)
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable)
}

impl Drop for Writer {
    /// Finishes the queued writes.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the writer of the database ended in a panic");
        }
    }
}

fn work(mut conn: Conn, jobs: &Receiver<Job>, files: &DatabaseFiles, mut log: WriteAheadLog) {
    let mut tail = LogTail::default();
    let mut is_salvaged = false;
    loop {
        match jobs.recv_timeout(CHECK_INTERVAL) {
            Ok(first) => {
                let mut batch = vec![first];
                batch.extend(jobs.try_iter().take(MAX_BATCH - 1));
                let commit = commit(&mut conn, &mut batch, files, &mut tail);
                for mut job in batch {
                    job(Step::Answer(commit.clone()));
                }
            }
            // A difference is kept, and reported to the next job.
            Err(RecvTimeoutError::Timeout) => drop(files.check_log(&mut conn, &mut tail)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if files.loss().is_some() && !is_salvaged {
            is_salvaged = true;
            // Salvaging takes time in proportion to the size of the database.
            let refused = files.check();
            for mut job in jobs.try_iter() {
                job(Step::Answer(refused.clone()));
            }
            salvage(&mut conn, files);
        }
        // Not a damaged log: truncating merges it into the database.
        if files.loss().is_none() {
            log.checkpoint(&mut conn, tail.frames());
            log.limit(&mut conn);
        }
    }
    // A transient error is no reason to leave the log unmerged.
    let _ = files.check_log(&mut conn, &mut tail);
    if files.loss().is_some() {
        // Closing the last connection deletes the log at its path, which may be that of another
        // database by now, and merges a damaged one into the database.
        std::mem::forget(conn);
    }
}

/// Commits a batch. Writes nothing if the database is not the file at its path; the outcome is
/// unknown if that is found after the commit.
fn commit(
    conn: &mut Conn,
    batch: &mut [Job],
    files: &DatabaseFiles,
    tail: &mut LogTail,
) -> Result<(), StoreError> {
    files.check()?;
    if !files.is_long_enough(tail) {
        files.check_log(conn, tail)?;
    }
    let commit = catch_unwind(AssertUnwindSafe(|| run(conn, batch)));
    let commit = commit.unwrap_or_else(|_| {
        log::error!("a batch of writes panicked");
        Err(StoreError::new(StoreErrorKind::OutcomeUnknown))
    });
    if commit.is_err() {
        // Fails if SQLite has rolled back already.
        let _ = conn.batch_execute("ROLLBACK");
        return commit;
    }
    let checked = files.check_log(conn, tail);
    checked.map_err(|error| StoreError::caused(StoreErrorKind::OutcomeUnknown, error))
}

/// Runs a batch in one transaction. An error fails the whole batch: nothing is stored.
fn run(conn: &mut Conn, batch: &mut [Job]) -> Result<(), StoreError> {
    conn.batch_execute("BEGIN IMMEDIATE").map_err(whole)?;
    match batch {
        // A savepoint copies each changed page; a lone write can roll back without one.
        [job] => {
            if !job(Step::Run(conn)) {
                // No transaction is left if SQLite has rolled back on its own.
                let _ = conn.batch_execute("ROLLBACK");
                return Ok(());
            }
        }
        batch => {
            for job in batch {
                conn.batch_execute("SAVEPOINT job").map_err(whole)?;
                // A full disk or a failed read may have rolled back the whole transaction: then the
                // savepoint is gone, and the whole batch fails.
                let end = if job(Step::Run(conn)) {
                    "RELEASE job"
                } else {
                    "ROLLBACK TO job; RELEASE job"
                };
                conn.batch_execute(end).map_err(whole)?;
            }
        }
    }
    conn.batch_execute("COMMIT")
        .map_err(|error| match kind(&error) {
            known @ (StoreErrorKind::Busy | StoreErrorKind::Full) => {
                StoreError::caused(known, error)
            }
            // The log may or may not have reached the disk.
            _ => StoreError::caused(StoreErrorKind::OutcomeUnknown, error),
        })
}

/// The error of every job in a batch that failed outside of a job: nothing was stored, so each may
/// be retried.
fn whole(error: diesel::result::Error) -> StoreError {
    let kind = match kind(&error) {
        StoreErrorKind::Other => StoreErrorKind::Unavailable,
        known => known,
    };
    StoreError::caused(kind, error)
}
