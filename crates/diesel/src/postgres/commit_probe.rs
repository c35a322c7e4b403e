//! Commits whose answer was lost: whether the transaction was committed is looked up on a new
//! connection. It is never assumed, and a write is never run again before it is known.

use super::connect::PooledConn;
use super::{Conn, Database, locks, pause};
use crate::failure::Failure;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use std::time::{Duration, Instant};
use tradepost_domain::UserId;

/// How long an unacknowledged commit is looked up: long enough for a server that crashed to come
/// back, and less than the 5 s after which a request is answered by default.
pub(super) const COMMIT_LOOKUP_TIMEOUT: Duration = Duration::from_secs(4);

/// A commit that got no answer.
pub(super) struct UnackedCommit<T> {
    pub(super) tx: TxId,
    pub(super) error: diesel::result::Error,
    /// The outcome, if it was committed.
    pub(super) value: T,
}

/// How a write can be recognised by its outcome.
pub(super) struct CommitProbe<'a, T> {
    /// The users whose rows its transaction holds until it has ended.
    pub(super) users: &'a dyn Fn(&T) -> Vec<UserId>,
    /// Whether what it wrote is stored.
    pub(super) is_stored: &'a dyn Fn(&mut Conn, &T) -> QueryResult<bool>,
}

impl<T> CommitProbe<'_, T> {
    /// Looks for the written rows. A transaction that may still be under way is waited for, by the
    /// rows that it holds; each is let go of before the next.
    fn is_stored(&self, conn: &mut Conn, commit: &UnackedCommit<T>) -> Result<bool, Failure> {
        if !commit.tx.is_whole {
            for user in (self.users)(&commit.value) {
                locks::users(conn, &[user])?;
            }
        }
        Ok((self.is_stored)(conn, &commit.value)?)
    }
}

/// The id of a transaction, as far as it has one.
pub(super) struct TxId {
    /// `None` where the server gives no ids at all.
    id: Option<String>,
    /// Whether all that it wrote stands or falls with this id: not if nothing was written on this
    /// server itself. Citus writes on other servers, which may have committed before this one.
    is_whole: bool,
}

/// The outcome of looking up an unacknowledged commit.
pub(super) enum Resolution {
    /// It was committed, and is where the server wants commits to be before it acknowledges them.
    Stored,
    /// Nothing of it was stored, and nothing will be.
    NotStored,
    /// That cannot be learnt.
    Unknown,
}

#[derive(QueryableByName)]
struct Ids {
    #[diesel(sql_type = Nullable<Text>)]
    assigned: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    id: Option<String>,
}

/// The id of the transaction that is under way. One that has written nothing on this server gets one
/// all the same: it can then be asked whether it has ended. Materialised, so that it is known which
/// of the two it was.
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

/// What became of a transaction.
enum TxStatus {
    InProgress,
    Committed,
    Aborted,
    /// Its id is so old that it is not known any more.
    Forgotten,
    /// A standby may not know of it yet.
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
        // A crash has swallowed it, and its id was not given again yet.
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

/// Returns once all that was committed before is where the server wants it before it acknowledges.
/// A backend that waits for a synchronous replica when its server crashes leaves a transaction that
/// is committed, and on no replica; this one is committed after it, and waits in its place.
fn await_replication(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("SELECT pg_logical_emit_message(true, 'tradepost', '')")
}

impl Database {
    /// Looks up what became of a commit whose answer was lost. `epoch` is that of its connection.
    ///
    /// A status is not enough: PostgreSQL gives an id again if a crash swallowed the transaction. So
    /// the probe decides, or the server has to be the one that gave the id.
    pub(super) fn resolve_commit<T>(
        &self,
        commit: &UnackedCommit<T>,
        epoch: &str,
        probe: Option<&CommitProbe<'_, T>>,
    ) -> Resolution {
        let began = Instant::now();
        while began.elapsed() < self.commit_lookup_timeout {
            if let Ok(mut link) = self.pool.get() {
                match look_up(&mut link, commit, epoch, probe) {
                    Ok(Some(resolution)) => return resolution,
                    Ok(None) => {}
                    Err(_) => link.lost = true,
                }
            }
            pause();
        }
        Resolution::Unknown
    }
}

/// What can be learnt on this connection now; `None` if it is to be tried again.
fn look_up<T>(
    link: &mut PooledConn,
    commit: &UnackedCommit<T>,
    epoch: &str,
    probe: Option<&CommitProbe<'_, T>>,
) -> Result<Option<Resolution>, Failure> {
    let status = match &commit.tx.id {
        Some(id) => tx_status(&mut link.conn, id)?,
        None => TxStatus::Forgotten,
    };
    let stored = match (status, probe) {
        (TxStatus::InProgress, _) => return Ok(None),
        (TxStatus::AskedOfStandby, _) => {
            // Another connection may lead to the primary.
            link.lost = true;
            return Ok(None);
        }
        (TxStatus::Aborted, _) if commit.tx.is_whole => Some(false),
        (_, Some(probe)) => Some(probe.is_stored(&mut link.conn, commit)?),
        (TxStatus::Committed, None) if link.epoch == epoch => Some(true),
        (TxStatus::Committed | TxStatus::Aborted | TxStatus::Forgotten, None) => None,
    };
    Ok(Some(match stored {
        Some(true) => {
            await_replication(&mut link.conn)?;
            Resolution::Stored
        }
        Some(false) => Resolution::NotStored,
        None => Resolution::Unknown,
    }))
}
