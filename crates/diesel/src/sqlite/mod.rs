//! SQLite: one file, one writer, many readers.
//!
//! SQLite allows one writing connection at a time. So one thread owns the only writing connection,
//! and commits waiting writes together ([`writer`]). Reads use a pool of read-only connections,
//! which the write-ahead log does not block.

mod backup;
pub(crate) mod bulk;
mod checkpoint;
mod classify;
mod connect;
pub(crate) mod dialect;
pub(crate) mod event_log;
mod files;
#[cfg(test)]
mod files_tests;
pub(crate) mod id_in;
pub(crate) mod locks;
pub(crate) mod migrations;
#[cfg(test)]
mod opening_tests;
mod salvage;
pub(crate) mod search;
#[cfg(test)]
mod tests;
mod writer;

#[path = "../queries/mod.rs"]
mod queries;

pub(crate) use backup::{copy, prove};
pub(crate) use migrations::migrator;
pub(crate) use queries::Migrator;

use crate::failure::{Failure, without_refusal};
use crate::{Missing, OpenError, OpenOptions};
use checkpoint::{MAX_LOG, WriteAheadLog};
use classify::store_error;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sqlite::SqliteConnection;
use files::{DatabaseFiles, FileId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tradepost_domain::kernel::{Currency, Error, StoreError, StoreErrorKind, UserId, deadline};
use tradepost_domain::maintenance::PoolStats;
use writer::Writer;

/// The connection type that the queries are written against.
pub(crate) type Conn = SqliteConnection;
pub(crate) type Db = diesel::sqlite::Sqlite;

/// How long a command of the operator waits for a lock: another process may be migrating the file.
const CONN_TIMEOUT: Duration = Duration::from_secs(30);

/// How many times longer the writer waits for another process than a request waits for a connection:
/// 4 seconds by default, less than the request timeout. A command of the operator, such as a
/// migration, may write for seconds in one transaction, and orders wait for it in the queue.
const WRITE_WAIT: u32 = 10;

/// An open database.
pub(crate) struct Database {
    // Before the writer, and so dropped before it: the last connection to be closed checkpoints the
    // log, and only the writer can.
    readers: Pool<ConnectionManager<Conn>>,
    writer: Writer,
    files: Arc<DatabaseFiles>,
    path: PathBuf,
    currency: Currency,
}

impl Database {
    /// Opens an existing database that has every migration.
    pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Self, OpenError> {
        let database = connect::name(path)?;
        // A missing file is reported by the connection.
        let before = FileId::at(path);
        let mut conn = connect::connection(path, Missing::Refuse, options.wait)?;
        let before = before.map_err(|error| OpenError::unusable(database, &error))?;
        queries::check_current(&mut conn, database)?;
        connect::keep_promises(&mut conn, database, options.wait)?;
        let currency = queries::agreed_currency(&mut conn, options.currency, database)?;
        let write_wait = options.wait.saturating_mul(WRITE_WAIT);
        conn.batch_execute(&format!("PRAGMA busy_timeout = {}", write_wait.as_millis()))
            .map_err(|error| OpenError::unusable(database, &error))?;
        let files = Arc::new(DatabaseFiles::opened(path, before, &mut conn)?);
        let readers = connect::readers(path, options, &files)?;
        let log = WriteAheadLog::of(path, MAX_LOG, write_wait);
        let writer = Writer::start(conn, Arc::clone(&files), log)
            .map_err(|error| OpenError::unusable(database, &error))?;
        Ok(Self {
            writer,
            readers,
            files,
            path: path.to_owned(),
            currency,
        })
    }

    /// The shop's currency.
    pub(crate) fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the database responds, is the file at its path, and has every migration.
    pub(crate) fn check_schema(&self) -> Result<(), StoreError> {
        self.files.check()?;
        self.read(queries::require_current)
    }

    /// Statistics of the pool of read connections. The writer's connection is not pooled.
    pub(crate) fn pool_use(&self) -> Vec<PoolStats> {
        let state = self.readers.state();
        vec![PoolStats {
            name: "readers",
            busy: state.connections.saturating_sub(state.idle_connections),
            idle: state.idle_connections,
            most: self.readers.max_size(),
        }]
    }

    /// Damage that SQLite finds in the file and in the rows of each table. Over a writable
    /// connection of its own, which does not write: on a read-only one SQLite checks less.
    pub(crate) fn damage(&self) -> Result<Vec<String>, StoreError> {
        let mut conn = connect::connection(&self.path, Missing::Refuse, CONN_TIMEOUT)
            .map_err(|error| StoreError::caused(StoreErrorKind::Unavailable, error))?;
        self.files.check()?;
        let sql = "SELECT quick_check AS value FROM pragma_quick_check";
        let found = connect::all_words(&mut conn, sql).map_err(Failure::from);
        let mut found = found.map_err(store_error)?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Runs one query on a read-only connection, within the deadline of this thread.
    pub(crate) fn read<T>(
        &self,
        job: impl FnOnce(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.reading(|conn| until_deadline(|| job(conn)))
    }

    fn reading<T>(
        &self,
        job: impl FnOnce(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.files.check_known()?;
        let mut conn = self.readers.get().map_err(classify::no_connection)?;
        job(&mut conn).map_err(store_error)
    }

    /// Runs several queries in one snapshot, within the deadline of this thread. No connection
    /// keeps a snapshot for longer, which would keep the log from being truncated.
    pub(crate) fn snapshot<T>(
        &self,
        job: impl FnOnce(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.reading(|conn| {
            conn.batch_execute("BEGIN")?;
            let result = until_deadline(|| job(conn));
            let ended = conn.batch_execute("ROLLBACK");
            // No transaction is left if SQLite has rolled back on its own: the job's error has the
            // reason.
            let value = result?;
            ended?;
            Ok(value)
        })
    }

    /// Runs a write that asks no rules atomically; it is committed when this returns.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.command(job).map_err(without_refusal)
    }

    /// Runs a command atomically; it is committed when this returns, or rolled back if it is refused.
    pub(crate) fn command<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        // Fails at once, even while the writer is salvaging the database.
        self.files.check_known()?;
        self.writer.write(job)
    }

    /// Runs a slice of commands atomically; it is committed when this returns. A commit in this
    /// process cannot lose its answer.
    pub(crate) fn slice<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        self.write(job).map(Some)
    }

    /// As [`Database::write`]: a commit in this process cannot lose its answer.
    pub(crate) fn write_probed<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
        _users: impl Fn(&T) -> Vec<UserId> + Send + 'static,
        _is_stored: impl Fn(&mut Conn, &T) -> QueryResult<bool> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        self.write(job).map(Some)
    }
}

/// Runs a job whose statements are interrupted at the deadline of this thread, if it has one.
fn until_deadline<T>(job: impl FnOnce() -> T) -> T {
    tradepost_sqlite_deadline::run_until(deadline::current(), job)
}
