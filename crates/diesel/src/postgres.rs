//! PostgreSQL: any number of servers on one database.
//!
//! Every write is a transaction at READ COMMITTED, in which each statement sees what was committed
//! before it began: so rows are locked first, and read after ([`locks`]).

pub(crate) mod among;
pub(crate) mod bulk;
mod classify;
mod connect;
pub(crate) mod locks;
#[cfg(test)]
mod proxy;
pub(crate) mod search;
#[cfg(test)]
mod tests;
mod timeout;
pub(crate) mod unseen;

#[path = "queries/mod.rs"]
mod queries;

pub(crate) use queries::Migrator;

use crate::failure::Failure;
use crate::{DatabaseUrl, MigrateError, OpenError, OpenOptions, ShopCurrency};
use connect::{Link, Links};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tradepost_domain::{Currency, PoolUse, StoreError, StoreErrorKind};

/// The connection that the queries are written against.
pub(crate) type Conn = PgConnection;

/// How often a job is run before its failure is passed on.
const ATTEMPTS: u32 = 4;

/// The same for a failure that nobody knows. Most of them come again.
const ATTEMPTS_AT_THE_UNKNOWN: u32 = 2;

/// How long a write that others are in the way of is tried again.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long the fate of a lost commit is looked into: long enough for a server that crashed to come
/// back, and for the customer to still be waiting.
const CURIOSITY: Duration = Duration::from_secs(4);

/// An open database.
pub(crate) struct Database {
    pool: r2d2::Pool<Links>,
    reachable: Arc<AtomicBool>,
    currency: Currency,
}

impl Database {
    /// Opens a database that is there and has every migration.
    pub(crate) fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Self, OpenError> {
        let database = url.to_string();
        // One by hand first: the pool would keep the reason of a failure to itself for a while.
        let mut conn = connect::first(url, options.wait)?;
        queries::check_current(&mut conn, &database)?;
        let unusable = |error: diesel::result::Error| OpenError::unusable(&database, &error);
        if let ShopCurrency::Is(currency) = options.currency {
            queries::fix_currency(&mut conn, currency.code()).map_err(unusable)?;
        }
        let stored = queries::stored_currency(&mut conn).map_err(unusable)?;
        let currency = options.currency.agree(stored.as_deref())?;
        for warning in unsafe_settings(&mut conn).map_err(unusable)? {
            log::warn!("{warning}");
        }
        let links = Links::new(url, options.wait);
        let reachable = links.reachable();
        let pool = r2d2::Pool::builder()
            .max_size(options.readers.max(1))
            .min_idle(Some(1))
            .connection_timeout(options.wait)
            .test_on_check_out(false)
            // A connection was made by hand above: no need to wait for the pool's first.
            .build_unchecked(links);
        Ok(Self {
            pool,
            reachable,
            currency,
        })
    }

    /// The shop's currency.
    pub(crate) fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the database answers, and has every migration.
    pub(crate) fn check_schema(&self) -> Result<(), StoreError> {
        self.read(queries::require_current)
    }

    /// How its connections are used.
    pub(crate) fn pool_use(&self) -> Vec<PoolUse> {
        let state = self.pool.state();
        vec![PoolUse {
            name: "connections",
            busy: state.connections.saturating_sub(state.idle_connections),
            idle: state.idle_connections,
            most: self.pool.max_size(),
        }]
    }

    /// Nothing to look for: PostgreSQL checks its constraints itself, and its pages as they are read.
    pub(crate) fn damage(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    /// Runs one query, until the deadline of this thread.
    pub(crate) fn read<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|link| {
            link.limit_statements().map_err(Ended::Failed)?;
            job(&mut link.conn).map_err(Ended::Failed)
        })
    }

    /// Runs several queries that see the same moment, each until the deadline of this thread.
    pub(crate) fn snapshot<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|link| {
            let conn = &mut link.conn;
            let begin = timeout::begin_snapshot().map_err(Ended::Failed)?;
            let value = within(conn, &begin, &job).map_err(Ended::Failed)?;
            let end = conn.batch_execute("COMMIT").map_err(Failure::from);
            end.map_err(Ended::Failed).map(|()| value)
        })
    }

    /// Runs one write: whole or not at all, and committed when this returns.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.confirmed(job, None)
    }

    /// The same for a write that leaves a trace by which it can be recognised.
    pub(crate) fn write_traced<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
        trace: impl Fn(&mut Conn, &T) -> QueryResult<bool> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.confirmed(job, Some(&trace))
    }

    fn confirmed<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
        trace: Option<Trace<'_, T>>,
    ) -> Result<T, StoreError> {
        let write = |link: &mut Link| {
            let conn = &mut link.conn;
            let job = |conn: &mut Conn| Ok((job(conn)?, transaction_id(conn)?));
            let (value, id) = within(conn, timeout::BEGIN_WRITE, &job).map_err(Ended::Failed)?;
            match (conn.batch_execute("COMMIT"), id) {
                (Err(error), Some(id)) => Err(Ended::Lost(Lost { id, error, value })),
                // Without an id it has written nothing.
                (Err(_), None) => Err(Ended::Unwritten(value)),
                (Ok(()), _) => Ok(value),
            }
        };
        self.attempt_or_ask(write, trace)
    }

    /// Whether a transaction whose commit got no answer was committed; `None` if that cannot be
    /// learnt. It is never run again before it is known to have ended.
    ///
    /// An id is not enough: PostgreSQL gives it again if a crash swallowed the transaction. So the
    /// write's trace has to be there, or the server to be the one that gave the id.
    fn fate<T>(&self, lost: &Lost<T>, epoch: &str, trace: Option<Trace<'_, T>>) -> Option<bool> {
        let began = Instant::now();
        while began.elapsed() < CURIOSITY {
            if let Ok(mut link) = self.pool.get() {
                match status(&mut link.conn, &lost.id) {
                    Ok(Some(status)) if status == "committed" => match trace {
                        Some(trace) => match trace(&mut link.conn, &lost.value) {
                            Ok(found) => return Some(found),
                            Err(_) => link.lost = true,
                        },
                        None if link.epoch == epoch => return Some(true),
                        None => return None,
                    },
                    Ok(Some(status)) if status == "aborted" => return Some(false),
                    Ok(Some(_in_progress)) => {}
                    Ok(None) => return None,
                    // Swallowed by a crash, and its id not given again yet.
                    Err(error) if error.to_string().contains("in the future") => {
                        return Some(false);
                    }
                    Err(_) => link.lost = true,
                }
            }
            pause();
        }
        None
    }

    fn attempt<T>(&self, job: impl Fn(&mut Link) -> Result<T, Ended<T>>) -> Result<T, StoreError> {
        self.attempt_or_ask(job, None)
    }

    /// Runs a job, and again if somebody else was in its way and nothing of it was stored.
    fn attempt_or_ask<T>(
        &self,
        job: impl Fn(&mut Link) -> Result<T, Ended<T>>,
        trace: Option<Trace<'_, T>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let mut attempts = 1;
        loop {
            let mut link = self.pool.get().map_err(|error| {
                connect::no_connection(error, self.reachable.load(Ordering::Relaxed))
            })?;
            let (failure, again) = match job(&mut link) {
                Ok(value) => return Ok(value),
                Err(Ended::Unwritten(value)) => {
                    link.lost = true;
                    return Ok(value);
                }
                Err(Ended::Failed(Failure::Contended)) => {
                    (Failure::Contended, began.elapsed() < PATIENCE)
                }
                Err(Ended::Failed(Failure::Query(error))) => {
                    let meaning = classify::meaning(&error);
                    link.lost = meaning.kind == StoreErrorKind::Unavailable;
                    let again = if link.lost {
                        // There may be as many more as the pool has kept from before.
                        meaning.again && began.elapsed() < PATIENCE
                    } else {
                        let most = match meaning.kind {
                            StoreErrorKind::Other => ATTEMPTS_AT_THE_UNKNOWN,
                            _ => ATTEMPTS,
                        };
                        meaning.again && attempts < most
                    };
                    (Failure::Query(error), again)
                }
                Err(Ended::Failed(failure)) => (failure, false),
                Err(Ended::Lost(lost)) => {
                    link.lost = true;
                    let epoch = std::mem::take(&mut link.epoch);
                    drop(link);
                    match self.fate(&lost, &epoch, trace) {
                        Some(true) => return Ok(lost.value),
                        Some(false) => (Failure::Query(lost.error), attempts < ATTEMPTS),
                        None => {
                            let unknown = StoreErrorKind::OutcomeUnknown;
                            return Err(StoreError::caused(unknown, lost.error));
                        }
                    }
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

/// What is unsafe about the server's settings.
pub(crate) fn warnings(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    let mut conn = connect::first(url, PATIENCE)?;
    unsafe_settings(&mut conn).map_err(|error| OpenError::unusable(&url.to_string(), &error))
}

fn unsafe_settings(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let mut warnings = Vec::new();
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        if connect::setting(conn, name)? == "off" {
            warnings.push(format!(
                "PostgreSQL runs with {name} = off: a crash can lose orders that were acknowledged"
            ));
        }
    }
    let language = connect::setting(conn, "lc_messages")?;
    let english = ["C", "POSIX", ""].contains(&&*language) || language.starts_with("en");
    if !(english || language.starts_with("C.")) {
        warnings.push(format!(
            "PostgreSQL speaks {language}: set lc_messages = 'C', or its errors are not understood"
        ));
    }
    Ok(warnings)
}

/// How a job ended other than well.
enum Ended<T> {
    /// Nothing of it was stored.
    Failed(Failure),
    /// The connection was lost at the commit.
    Lost(Lost<T>),
    /// The same, where there was nothing to be committed.
    Unwritten(T),
}

/// A commit that got no answer.
struct Lost<T> {
    /// The transaction's id.
    id: String,
    error: diesel::result::Error,
    /// The outcome, if it was committed.
    value: T,
}

/// Looks for what a write with this outcome has left behind.
type Trace<'a, T> = &'a dyn Fn(&mut Conn, &T) -> QueryResult<bool>;

/// Runs a job in a transaction, which is open afterwards if it went well.
fn within<T>(
    conn: &mut Conn,
    begin: &str,
    job: &impl Fn(&mut Conn) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let begun = conn.batch_execute(begin).map_err(Failure::from);
    // A connection that is gone has rolled back by itself.
    begun
        .and_then(|()| job(conn))
        .inspect_err(|_| drop(conn.batch_execute("ROLLBACK")))
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// The transaction's id, if it has written anything.
fn transaction_id(conn: &mut Conn) -> QueryResult<Option<String>> {
    diesel::sql_query("SELECT CAST(pg_current_xact_id_if_assigned() AS TEXT) AS value")
        .get_result::<Words>(conn)
        .map(|row| row.value)
}

/// What became of a transaction: `committed`, `aborted` or `in progress`; nothing if it is too long
/// ago.
fn status(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    diesel::sql_query("SELECT pg_xact_status(CAST($1 AS xid8)) AS value")
        .bind::<Text, _>(id)
        .get_result::<Words>(conn)
        .map(|row| row.value)
}

/// Waits for a short while that differs each time, so that those who met do not meet again.
fn pause() {
    let random = RandomState::new().build_hasher().finish();
    sleep(Duration::from_millis(2 + random % 12));
}

/// A connection for migrations.
pub(crate) fn migrator(url: &DatabaseUrl) -> Result<Migrator, OpenError> {
    let mut conn = connect::first(url, PATIENCE)?;
    // Another server may be migrating: wait for it rather than give up.
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

/// Runs something while no other server does: "TPST" names the lock.
pub(crate) fn exclusively<T>(
    conn: &mut Conn,
    job: impl FnOnce(&mut Conn) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    conn.build_transaction().run(|conn| {
        conn.batch_execute("SELECT pg_advisory_xact_lock(1414550356)")?;
        job(conn)
    })
}

/// What cannot be had again, by the migration and the table that it made.
const IRREPLACEABLE: [(&str, &str, &str); 2] = [
    ("open_shop", "orders", "orders"),
    // Without them, a request that is sent again orders again.
    (
        "remember_keys",
        "idempotency_keys",
        "answers under idempotency keys",
    ),
];

/// Nothing is copied from here: refuses if something would be lost that cannot be had again.
pub(crate) fn keep_copy(
    conn: &mut Conn,
    _database: &str,
    migration: &str,
) -> Result<Option<PathBuf>, MigrateError> {
    for (made, table, what) in IRREPLACEABLE {
        if !migration.ends_with(made) {
            continue;
        }
        conn.batch_execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))?;
        let rows = format!("SELECT CAST(count(*) AS TEXT) AS value FROM {table}");
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
