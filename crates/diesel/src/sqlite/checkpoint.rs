//! Checkpoints of the write-ahead log.
//!
//! SQLite's automatic checkpoint is off. Once the log is long, it runs inside each commit for as
//! long as readers keep the log from restarting, and every order would pay for it. So the writer
//! checkpoints, between two batches: at [`CHECKPOINT_FRAMES`], and again whenever a log that could
//! not restart has grown by [`RETRY_FRAMES`].
//!
//! The log restarts only at a moment when no reader needs it. Where readers overlap there is no such
//! moment: the log grows for as long as they do, and keeps its length afterwards. So the writer
//! truncates a log that is too long, by a checkpoint that waits for earlier readers, while later
//! readers read the database file itself.

use super::Conn;
use super::files::checkpoint;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Maximum length of the log in bytes, equal to some seconds of orders.
pub(super) const MAX_LOG: u64 = 64 * 1024 * 1024;

/// Frames of the log, of 4 KB, at which it is checkpointed. A page that many orders change is
/// written into the database once for each checkpoint: at SQLite's default of 1,000, every second
/// batch of orders would cause one.
const CHECKPOINT_FRAMES: u64 = 4_000;

/// Growth in frames until the next checkpoint of a log that did not restart.
const RETRY_FRAMES: u64 = 1_000;

/// How long a checkpoint waits for readers. No order is placed meanwhile.
const READER_WAIT: Duration = Duration::from_millis(200);

/// Time between two checkpoints that readers prevent: a backup may read for minutes.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The write-ahead log, from the writer's side.
pub(super) struct WriteAheadLog {
    file: PathBuf,
    max_length: u64,
    /// The writer's busy timeout, which a checkpoint changes temporarily.
    wait: Duration,
    /// When to retry a checkpoint that readers have prevented.
    retry_at: Option<Instant>,
    /// Frames of the log after the latest batch.
    frames: u64,
    /// Frames at the next checkpoint.
    checkpoint_at: u64,
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
            frames: 0,
            checkpoint_at: CHECKPOINT_FRAMES,
        }
    }

    /// Copies a log of this length into the database if it is long, as far as no reader needs it. To
    /// be called after each batch of writes, when its callers have their answers.
    pub(super) fn checkpoint(&mut self, conn: &mut Conn, frames: u64) {
        let has_restarted = frames < self.frames;
        self.frames = frames;
        if has_restarted {
            self.checkpoint_at = CHECKPOINT_FRAMES;
        }
        if frames < self.checkpoint_at {
            return;
        }
        self.checkpoint_at = frames.saturating_add(RETRY_FRAMES);
        if let Err(error) = checkpoint(conn, "PASSIVE") {
            log::warn!("the write-ahead log cannot be copied into the database: {error}");
        }
    }

    /// Truncates the log if it is too long. To be called after each batch of writes, and at
    /// intervals without writes.
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

    /// A log in use by readers is no error, and stays as long.
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
