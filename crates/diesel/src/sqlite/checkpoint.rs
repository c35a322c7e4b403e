//! Keeps the write-ahead log short.
//!
//! SQLite copies the log into the database as it grows, but begins it anew only at a moment when no
//! reader needs it. Where readers overlap there is no such moment, and the log grows for as long as
//! they do; and it keeps its length afterwards. So the writer empties a log that is too long: a
//! checkpoint that waits for the readers of before, while those that come meanwhile read the
//! database itself.

use super::Conn;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The most bytes that the log keeps. Some seconds of orders make as much.
pub(super) const MAX_LOG: u64 = 64 * 1024 * 1024;

/// How long a checkpoint waits for readers. No order is placed meanwhile.
const READER_WAIT: Duration = Duration::from_millis(200);

/// The time between two checkpoints that readers prevent: a backup may read for minutes.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The log of a database, as its writer sees it.
pub(super) struct WriteAheadLog {
    file: PathBuf,
    max_length: u64,
    /// The writer's busy timeout, which a checkpoint changes for a moment.
    wait: Duration,
    /// When to try again what readers have prevented.
    retry_at: Option<Instant>,
}

impl WriteAheadLog {
    /// The log of the database at this path.
    pub(super) fn of(database: &Path, max_length: u64, wait: Duration) -> Self {
        // SQLite resolves links before it names the log.
        let database = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
        let mut file = database.into_os_string();
        file.push("-wal");
        Self {
            file: file.into(),
            max_length,
            wait,
            retry_at: None,
        }
    }

    /// Empties the log if it is too long. To be called after each batch of writes, and at intervals
    /// without any.
    pub(super) fn limit(&mut self, conn: &mut Conn) {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        self.retry_at = None;
        if !self.is_long() {
            return;
        }
        if let Err(error) = self.empty(conn) {
            log::warn!("the write-ahead log cannot be emptied: {error}");
        }
        if self.is_long() {
            self.retry_at = Instant::now().checked_add(RETRY_INTERVAL);
        }
    }

    fn is_long(&self) -> bool {
        fs::metadata(&self.file).is_ok_and(|log| log.len() > self.max_length)
    }

    /// A log that readers hold is no error, and is left alone.
    fn empty(&self, conn: &mut Conn) -> QueryResult<()> {
        set_busy_timeout(conn, READER_WAIT)?;
        let emptied = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
        set_busy_timeout(conn, self.wait)?;
        emptied
    }
}

fn set_busy_timeout(conn: &mut Conn, wait: Duration) -> QueryResult<()> {
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", wait.as_millis()))
}
