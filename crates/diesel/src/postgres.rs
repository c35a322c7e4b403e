//! PostgreSQL: any number of servers on one database.
//!
//! Every write is a transaction at READ COMMITTED, in which each statement sees all commits before
//! its own start. So rows are locked first, and read in later statements ([`locks`]).

pub(crate) mod bulk;
mod classify;
mod commit_probe;
mod connect;
pub(crate) mod id_in;
pub(crate) mod locks;
pub(crate) mod opaque_bind;
#[cfg(test)]
mod proxy;
pub(crate) mod search;
#[cfg(test)]
mod tests;
mod timeout;
mod tls;
mod warnings;

#[path = "queries/mod.rs"]
mod queries;

pub(crate) use queries::Migrator;
pub(crate) use tls::warning as tls_warning;
pub(crate) use warnings::{require_writable, warnings};

use crate::failure::Failure;
use crate::{
    DatabaseUrl, FIRST_CONNECTION_TIMEOUT, MigrateError, OpenError, OpenOptions, ShopCurrency,
};
use commit_probe::{CommitProbe, Resolution, UnackedCommit, transaction_id};
use connect::{PooledConn, PooledConnManager};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::{Currency, StoreError, StoreErrorKind, UserId};
use tradepost_domain::maintenance::PoolStats;

/// The connection type that the queries are written against.
pub(crate) type Conn = PgConnection;

/// Maximum number of attempts of a transaction, the first one included.
const ATTEMPTS: u32 = 4;

/// The same for unclassified errors, most of which recur.
const ATTEMPTS_AT_THE_UNKNOWN: u32 = 2;

/// How long a command is retried after a lock conflict, or after its connection was lost before the
/// commit: less than half of the default request timeout of 5 s.
const RETRY_TIMEOUT: Duration = Duration::from_secs(2);

/// An open database.
pub(crate) struct Database {
    pool: r2d2::Pool<PooledConnManager>,
    reachable: Arc<AtomicBool>,
    currency: Currency,
    commit_lookup_timeout: Duration,
}

impl Database {
    /// Opens an existing database that has every migration.
    pub(crate) fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Self, OpenError> {
        let database = url.to_string();
        // The first connection is made outside the pool, which would delay the error.
        let mut conn = connect::first(url, options.wait)?;
        queries::check_current(&mut conn, &database)?;
        if matches!(options.currency, ShopCurrency::Is(_)) {
            connect::require_writable(&mut conn, &database)?;
        }
        let unusable = |error: diesel::result::Error| OpenError::unusable(&database, &error);
        if let ShopCurrency::Is(currency) = options.currency {
            queries::fix_currency(&mut conn, currency.code()).map_err(unusable)?;
        }
        let stored = queries::stored_currency(&mut conn).map_err(unusable)?;
        let currency = options.currency.agree(stored.as_deref())?;
        let unsafe_settings = warnings::of_settings(&mut conn).map_err(unusable)?;
        for warning in tls_warning(url).into_iter().chain(unsafe_settings) {
            log::warn!("{warning}");
        }
        drop(conn);
        let links = PooledConnManager::new(url, options.wait);
        let reachable = links.reachable();
        let pool = r2d2::Pool::builder()
            .max_size(options.readers.max(1))
            .min_idle(Some(1))
            .connection_timeout(options.wait)
            .test_on_check_out(false)
            .error_handler(Box::<connect::LogSometimes>::default())
            .build_unchecked(links);
        let first = pool.get_timeout(FIRST_CONNECTION_TIMEOUT);
        drop(first.map_err(|error| OpenError::unusable(&database, &error))?);
        Ok(Self {
            pool,
            reachable,
            currency,
            commit_lookup_timeout: commit_probe::COMMIT_LOOKUP_TIMEOUT,
        })
    }

    /// The shop's currency.
    pub(crate) fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the database responds, has every migration and accepts writes.
    pub(crate) fn check_schema(&self) -> Result<(), StoreError> {
        self.read(|conn| {
            if let Some(state) = connect::read_only_state(conn)? {
                return Err(StoreError::caused(StoreErrorKind::Unavailable, state).into());
            }
            queries::require_current(conn)
        })
    }

    /// Statistics of the connection pool.
    pub(crate) fn pool_use(&self) -> Vec<PoolStats> {
        let state = self.pool.state();
        vec![PoolStats {
            name: "connections",
            busy: state.connections.saturating_sub(state.idle_connections),
            idle: state.idle_connections,
            most: self.pool.max_size(),
        }]
    }

    /// Nothing to check: PostgreSQL checks its constraints itself, and its pages on each read.
    pub(crate) fn damage(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Runs one query, within the deadline of this thread.
    pub(crate) fn read<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|link| {
            link.limit_statements().map_err(TxFailure::Failed)?;
            job(&mut link.conn).map_err(TxFailure::Failed)
        })
    }

    /// Runs several queries in one snapshot, each within the deadline of this thread.
    pub(crate) fn snapshot<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|link| {
            let conn = &mut link.conn;
            let begin = timeout::begin_snapshot().map_err(TxFailure::Failed)?;
            let value = within(conn, &begin, &job).map_err(TxFailure::Failed)?;
            let end = conn.batch_execute("COMMIT").map_err(Failure::from);
            end.map_err(TxFailure::Failed).map(|()| value)
        })
    }

    /// Runs one write atomically; it is committed when this returns. If the answer to the commit is
    /// lost, the write is not retried: by the time its outcome is known, the client may have been
    /// told that the outcome is unknown.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.commit(job, None)?.map_err(|error| {
            // Nothing was stored.
            StoreError::caused(StoreErrorKind::Unavailable, error)
        })
    }

    /// The same for a write that can be looked up after a lost commit: `is_stored` looks for its
    /// rows, and `users` returns the users whose rows the write locks until it has ended. `None`
    /// if the answer to its commit was lost and nothing was stored.
    pub(crate) fn write_probed<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
        users: impl Fn(&T) -> Vec<UserId> + Send + 'static,
        is_stored: impl Fn(&mut Conn, &T) -> QueryResult<bool> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        let probe = CommitProbe {
            users: &users,
            is_stored: &is_stored,
        };
        Ok(self.commit(job, Some(&probe))?.ok())
    }

    fn commit<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
        probe: Option<&CommitProbe<'_, T>>,
    ) -> Result<Committed<T>, StoreError> {
        let write = |link: &mut PooledConn| {
            let is_distributed = link.is_distributed;
            let job = |conn: &mut Conn| Ok((job(conn)?, transaction_id(conn, is_distributed)?));
            let (value, tx) =
                within(&mut link.conn, timeout::BEGIN_WRITE, &job).map_err(TxFailure::Failed)?;
            match link.conn.batch_execute("COMMIT") {
                Err(error) => Err(TxFailure::Unacked(UnackedCommit { tx, error, value })),
                Ok(()) => Ok(value),
            }
        };
        self.attempt_or_resolve(write, probe)
    }

    fn attempt<T>(
        &self,
        job: impl Fn(&mut PooledConn) -> Result<T, TxFailure<T>>,
    ) -> Result<T, StoreError> {
        let read = self.attempt_or_resolve(job, None)?;
        read.map_err(|error| StoreError::caused(StoreErrorKind::Unavailable, error))
    }

    /// Runs a job, and retries it after a lock conflict or a connection lost before the commit:
    /// nothing was stored then.
    fn attempt_or_resolve<T>(
        &self,
        job: impl Fn(&mut PooledConn) -> Result<T, TxFailure<T>>,
        probe: Option<&CommitProbe<'_, T>>,
    ) -> Result<Committed<T>, StoreError> {
        let began = Instant::now();
        let mut attempts = 1;
        loop {
            let mut link = self.pool.get().map_err(|error| {
                connect::no_connection(error, self.reachable.load(Ordering::Relaxed))
            })?;
            let (failure, again) = match job(&mut link) {
                Ok(value) => return Ok(Ok(value)),
                Err(TxFailure::Failed(Failure::LockConflict)) => {
                    (Failure::LockConflict, began.elapsed() < RETRY_TIMEOUT)
                }
                Err(TxFailure::Failed(Failure::Query(error))) => {
                    let meaning = classify::meaning(&error);
                    link.lost = meaning.kind == StoreErrorKind::Unavailable;
                    let again = if link.lost {
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
                    link.lost = true;
                    let epoch = std::mem::take(&mut link.epoch);
                    drop(link);
                    return match self.resolve_commit(&commit, &epoch, probe) {
                        Resolution::Stored => Ok(Ok(commit.value)),
                        Resolution::NotStored => Ok(Err(commit.error)),
                        Resolution::Unknown => {
                            let unknown = StoreErrorKind::OutcomeUnknown;
                            Err(StoreError::caused(unknown, commit.error))
                        }
                    };
                }
            };
            if !again {
                return Err(classify::store_error(failure));
            }
            attempts += 1;
            pause();
        }
    }
}

/// The outcome of a stored write, or the connection error at its commit if nothing was stored.
type Committed<T> = Result<T, diesel::result::Error>;

/// How a transaction failed.
enum TxFailure<T> {
    /// Nothing was stored.
    Failed(Failure),
    /// The connection was lost at the commit.
    Unacked(UnackedCommit<T>),
}

/// Runs a job in a transaction, which is left open if the job succeeded.
fn within<T>(
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

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Sleeps for a short random time (jitter), so that conflicting transactions do not conflict again.
fn pause() {
    sleep(Duration::from_millis(fastrand::u64(2..14)));
}

/// A connection for migrations.
pub(crate) fn migrator(url: &DatabaseUrl) -> Result<Migrator, OpenError> {
    let mut conn = connect::first(url, RETRY_TIMEOUT)?;
    // Waits for a concurrent migration of another server.
    conn.batch_execute("SET lock_timeout = '60s'")
        .map_err(|error| OpenError::unusable(&url.to_string(), &error))?;
    Ok(Migrator::new(conn, url.to_string()))
}

pub(crate) type Db = diesel::pg::Pg;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

pub(crate) fn has_history(conn: &mut Conn) -> QueryResult<bool> {
    diesel::sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS value")
        .get_result::<Flag>(conn)
        .map(|flag| flag.value)
}

/// Runs a job under the advisory lock of migrations, numbered "TPST".
pub(crate) fn exclusively<T>(
    conn: &mut Conn,
    database: &str,
    job: impl FnOnce(&mut Conn) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    connect::require_writable(conn, database)?;
    conn.build_transaction().run(|conn| {
        conn.batch_execute("SELECT pg_advisory_xact_lock(1414550356)")?;
        job(conn)
    })
}

/// Data that cannot be restored: the migration whose revert would delete it, the table, the
/// condition for its rows, and their name.
const IRREPLACEABLE: [(&str, &str, &str, &str); 3] = [
    ("open_shop", "orders", "TRUE", "orders"),
    // Without them, a retried request would place a second order.
    (
        "remember_keys",
        "idempotency_keys",
        "TRUE",
        "answers under idempotency keys",
    ),
    // Without them, the audit would report a wrong total for each of these orders.
    (
        "add_order_adjustment",
        "orders",
        "adjustment <> 0",
        "adjustments of orders",
    ),
];

/// Makes no copy on PostgreSQL: refuses if the revert would delete data that cannot be restored.
pub(crate) fn keep_copy(
    conn: &mut Conn,
    _database: &str,
    migration: &str,
) -> Result<Option<PathBuf>, MigrateError> {
    for (made, table, condition, what) in IRREPLACEABLE {
        if !migration.ends_with(made) {
            continue;
        }
        conn.batch_execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))?;
        let rows = format!("SELECT CAST(count(*) AS TEXT) AS value FROM {table} WHERE {condition}");
        let rows = diesel::sql_query(rows).get_result::<Words>(conn)?.value;
        if let Some(rows) = rows.filter(|rows| rows != "0") {
            return Err(MigrateError::WouldBeLost {
                name: migration.to_owned(),
                rows,
                what,
            });
        }
    }
    Ok(None)
}
