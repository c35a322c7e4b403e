//! PostgreSQL: any number of servers on one database.
//!
//! Every write is a transaction at READ COMMITTED, in which each statement sees all commits before
//! its own start. So rows are locked first, and read in later statements ([`locks`]).

pub(crate) mod bulk;
mod classify;
mod commit_probe;
mod connect;
pub(crate) mod dialect;
pub(crate) mod event_log;
pub(crate) mod id_in;
pub(crate) mod locks;
pub(crate) mod migrations;
#[cfg(test)]
mod proxy;
pub(crate) mod search;
mod server;
#[cfg(test)]
mod tests;
mod timeout;
mod tls;
mod transaction;
mod warnings;

#[path = "../queries/mod.rs"]
mod queries;

pub(crate) use migrations::migrator;
pub(crate) use queries::Migrator;
pub(crate) use tls::warning as tls_warning;
pub(crate) use warnings::{require_writable, warnings};

use crate::failure::{Failure, without_refusal};
use crate::open::FIRST_CONNECTION_TIMEOUT;
use crate::{DatabaseUrl, OpenError, OpenOptions, ShopCurrency};
use commit_probe::CommitProbe;
use connect::PooledConnManager;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tradepost_domain::kernel::{Currency, Error, StoreError, StoreErrorKind, UserId};
use tradepost_domain::maintenance::PoolStats;
use transaction::{TxFailure, within};

/// The connection type that the queries are written against.
pub(crate) type Conn = PgConnection;
pub(crate) type Db = diesel::pg::Pg;

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
            server::require_writable(&mut conn, &database)?;
        }
        let currency = queries::agreed_currency(&mut conn, options.currency, &database)?;
        let unusable = |error: diesel::result::Error| OpenError::unusable(&database, &error);
        let unsafe_settings = warnings::of_settings(&mut conn).map_err(unusable)?;
        for warning in tls_warning(url).into_iter().chain(unsafe_settings) {
            log::warn!("{warning}");
        }
        drop(conn);
        let manager = PooledConnManager::new(url, options.wait);
        let reachable = manager.reachable();
        let pool = r2d2::Pool::builder()
            .max_size(options.readers.max(1))
            .min_idle(Some(1))
            .connection_timeout(options.wait)
            .test_on_check_out(false)
            .error_handler(Box::<connect::LogSometimes>::default())
            .build_unchecked(manager);
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
            if let Some(state) = server::read_only_state(conn)? {
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
        self.attempt(|pooled| {
            pooled.limit_statements().map_err(TxFailure::Failed)?;
            job(&mut pooled.conn).map_err(TxFailure::Failed)
        })
    }

    /// Runs several queries in one snapshot, each within the deadline of this thread.
    pub(crate) fn snapshot<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|pooled| {
            let conn = &mut pooled.conn;
            let begin = timeout::begin_snapshot().map_err(TxFailure::Failed)?;
            let value = within(conn, &begin, &job).map_err(TxFailure::Failed)?;
            let end = conn.batch_execute("COMMIT").map_err(Failure::from);
            end.map_err(TxFailure::Failed).map(|()| value)
        })
    }

    /// Runs a write that asks no rules atomically, as [`Database::command`].
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.command(job).map_err(without_refusal)
    }

    /// Runs a command atomically; it is committed when this returns, or rolled back if it is refused. If the answer to the commit is
    /// lost, the write is not retried: by the time its outcome is known, the client may have been
    /// told that the outcome is unknown.
    pub(crate) fn command<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        self.commit(job, None)?.map_err(|error| {
            // Nothing was stored.
            StoreError::caused(StoreErrorKind::Unavailable, error).into()
        })
    }

    /// Runs a slice of commands atomically; it is committed when this returns. `None` if the answer
    /// to its commit was lost and nothing was stored.
    pub(crate) fn slice<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.commit(job, None).map_err(without_refusal)?.ok())
    }

    /// As [`Database::write`], for a write that can be looked up after a lost commit: `is_stored` looks for its
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
        let commit = self.commit(job, Some(&probe));
        Ok(commit.map_err(without_refusal)?.ok())
    }
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}
