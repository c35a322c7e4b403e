//! Unacknowledged commits: whether the transaction was committed is looked up on a new connection.
//! It is never assumed, and a write is never retried before its outcome is known.

use super::connect::PooledConn;
use super::transaction::pause;
use super::{Conn, Database, locks};
use crate::failure::Failure;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use std::time::{Duration, Instant};
use tradepost_domain::kernel::UserId;

/// How long an unacknowledged commit is looked up: long enough for a crashed server to restart, and
/// less than the default request timeout of 5 s.
pub(super) const COMMIT_LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);

/// A commit whose answer was lost.
pub(super) struct UnackedCommit<T> {
    pub(super) tx: TxId,
    pub(super) error: diesel::result::Error,
    /// The outcome, if it was committed.
    pub(super) value: T,
}

/// How a write can be recognised by its outcome.
pub(super) struct CommitProbe<'a, T> {
    /// The users whose rows its transaction locks until it has ended.
    pub(super) users: &'a dyn Fn(&T) -> Vec<UserId>,
    /// Whether its rows are stored.
    pub(super) is_stored: &'a dyn Fn(&mut Conn, &T) -> QueryResult<bool>,
}

impl<T> CommitProbe<'_, T> {
    /// Looks for the written rows. A transaction that may still be in progress is waited for, by
    /// the user rows that it locks; each of these locks is released before the next is requested.
    fn is_stored(&self, conn: &mut Conn, commit: &UnackedCommit<T>) -> Result<bool, Failure> {
        if !commit.tx.is_whole {
            for user in (self.users)(&commit.value) {
                locks::users(conn, &[user])?;
            }
        }
        Ok((self.is_stored)(conn, &commit.value)?)
    }
}

/// Transaction id, as far as the transaction has one.
pub(super) struct TxId {
    /// `None` where the server supports no ids.
    id: Option<String>,
    /// Whether the fate of the id decides that of the whole write: false if nothing was written on
    /// this server itself. Citus writes on other servers, which may have committed before this one.
    is_whole: bool,
}

/// The outcome of looking up an unacknowledged commit.
pub(super) enum Resolution {
    /// Committed, and replicated as far as the server requires before it acknowledges a commit.
    Stored,
    /// Nothing was stored, and nothing will be.
    NotStored,
    /// The outcome cannot be determined.
    Unknown,
}

#[derive(QueryableByName)]
struct Ids {
    #[diesel(sql_type = Nullable<Text>)]
    assigned: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    id: Option<String>,
}

/// Id of the current transaction. One that has written nothing on this server gets an id here, so
/// that its status can be queried later. Materialised, so that the assigned id is read before an id
/// is forced.
pub(super) fn transaction_id(conn: &mut Conn, is_distributed: bool) -> QueryResult<TxId> {
    let ids = diesel::sql_query(
        "WITH written AS MATERIALIZED (SELECT pg_current_xact_id_if_assigned() AS id)
         SELECT CAST(written.id AS TEXT) AS assigned, CAST(pg_current_xact_id() AS TEXT) AS id
         FROM written",
    );
    let Ids { assigned, id } = ids.get_result(conn)?;
    Ok(TxId {
        is_whole: assigned.is_some() && !is_distributed,
        id,
    })
}

/// Status of a transaction.
enum TxStatus {
    InProgress,
    Committed,
    Aborted,
    /// The id is so old that the server has discarded its status.
    Forgotten,
    /// The connection is to a standby, which may not have replayed the transaction yet.
    AskedOfStandby,
}

#[derive(QueryableByName)]
struct StatusRow {
    #[diesel(sql_type = Nullable<Text>)]
    status: Option<String>,
}

fn tx_status(conn: &mut Conn, id: &str) -> QueryResult<TxStatus> {
    let row = diesel::sql_query(
        "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby'
                ELSE pg_xact_status(CAST($1 AS xid8)) END AS status",
    )
    .bind::<Text, _>(id)
    .get_result::<StatusRow>(conn);
    let status = match row {
        Ok(row) => row.status,
        // A crash lost the transaction, and its id has not been reused yet.
        Err(error) if error.to_string().contains("in the future") => {
            return Ok(TxStatus::Aborted);
        }
        Err(error) => return Err(error),
    };
    Ok(match status.as_deref() {
        Some("committed") => TxStatus::Committed,
        Some("aborted") => TxStatus::Aborted,
        Some("standby") => TxStatus::AskedOfStandby,
        Some(_) => TxStatus::InProgress,
        None => TxStatus::Forgotten,
    })
}

/// Waits until all earlier commits are replicated as far as the server requires before it
/// acknowledges a commit. If a server crashes while a backend waits for a synchronous replica, the
/// transaction is committed but on no replica. This commit comes after it, and waits in its place.
fn await_replication(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("SELECT pg_logical_emit_message(true, 'tradepost', '')")
}

impl Database {
    /// Looks up the outcome of an unacknowledged commit. `epoch` is that of its connection.
    ///
    /// A status alone is not enough: PostgreSQL reuses an id if a crash lost the transaction. So
    /// the probe decides, or the epoch must be that of the server run that assigned the id.
    pub(super) fn resolve_commit<T>(
        &self,
        commit: &UnackedCommit<T>,
        epoch: &str,
        probe: Option<&CommitProbe<'_, T>>,
    ) -> Resolution {
        let began = Instant::now();
        while began.elapsed() < self.commit_lookup_timeout {
            if let Ok(mut pooled) = self.pool.get() {
                match look_up(&mut pooled, commit, epoch, probe) {
                    Ok(Some(resolution)) => return resolution,
                    Ok(None) => {}
                    Err(_) => pooled.lost = true,
                }
            }
            pause();
        }
        Resolution::Unknown
    }
}

/// The outcome as far as this connection can tell; `None` to retry.
fn look_up<T>(
    pooled: &mut PooledConn,
    commit: &UnackedCommit<T>,
    epoch: &str,
    probe: Option<&CommitProbe<'_, T>>,
) -> Result<Option<Resolution>, Failure> {
    let status = match &commit.tx.id {
        Some(id) => tx_status(&mut pooled.conn, id)?,
        None => TxStatus::Forgotten,
    };
    let stored = match (status, probe) {
        (TxStatus::InProgress, _) => return Ok(None),
        (TxStatus::AskedOfStandby, _) => {
            // Another connection may lead to the primary.
            pooled.lost = true;
            return Ok(None);
        }
        (TxStatus::Aborted, _) if commit.tx.is_whole => Some(false),
        (_, Some(probe)) => Some(probe.is_stored(&mut pooled.conn, commit)?),
        (TxStatus::Committed, None) if pooled.epoch == epoch => Some(true),
        (TxStatus::Committed | TxStatus::Aborted | TxStatus::Forgotten, None) => None,
    };
    Ok(Some(match stored {
        Some(true) => {
            await_replication(&mut pooled.conn)?;
            Resolution::Stored
        }
        Some(false) => Resolution::NotStored,
        None => Resolution::Unknown,
    }))
}
