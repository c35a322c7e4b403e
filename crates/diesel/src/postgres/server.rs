//! Properties and settings of the server.

use super::Conn;
use crate::OpenError;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use std::fmt;

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

pub(super) fn setting(conn: &mut Conn, name: &str) -> QueryResult<String> {
    diesel::sql_query(format!("SELECT current_setting('{name}') AS value"))
        .get_result::<Setting>(conn)
        .map(|setting| setting.value)
}

/// Properties of a connection's server.
#[derive(QueryableByName)]
pub(super) struct Server {
    #[diesel(sql_type = Text)]
    pub(super) epoch: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_distributed: bool,
}

/// The epoch includes the reset time of the statistics: after a crash of a backend, the postmaster
/// restarts every other process, and the statistics are discarded and reset.
pub(super) fn server(conn: &mut Conn) -> QueryResult<Server> {
    let server = "SELECT concat_ws(' ', pg_postmaster_start_time(), stats_reset) AS epoch,
                  EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS is_distributed
                  FROM pg_stat_bgwriter";
    diesel::sql_query(server).get_result(conn)
}

/// Why a server accepts no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadOnlyState {
    InRecovery,
    Setting,
}

impl fmt::Display for ReadOnlyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InRecovery => "PostgreSQL is a standby or still in recovery and takes no writes",
            Self::Setting => "PostgreSQL takes no writes, as default_transaction_read_only is on",
        })
    }
}

impl std::error::Error for ReadOnlyState {}

#[derive(QueryableByName)]
struct ReadOnlyRow {
    #[diesel(sql_type = Bool)]
    in_recovery: bool,
    #[diesel(sql_type = Bool)]
    by_setting: bool,
}

/// Why the server accepts no writes; `None` if it does.
pub(super) fn read_only_state(conn: &mut Conn) -> QueryResult<Option<ReadOnlyState>> {
    let row = diesel::sql_query(
        "SELECT pg_is_in_recovery() AS in_recovery,
                current_setting('default_transaction_read_only') = 'on' AS by_setting",
    );
    let ReadOnlyRow {
        in_recovery,
        by_setting,
    } = row.get_result(conn)?;
    let by_setting = by_setting.then_some(ReadOnlyState::Setting);
    Ok(if in_recovery {
        Some(ReadOnlyState::InRecovery)
    } else {
        by_setting
    })
}

/// Refuses a server that accepts no writes.
pub(super) fn require_writable(conn: &mut Conn, database: &str) -> Result<(), OpenError> {
    let state = read_only_state(conn).map_err(|error| OpenError::unusable(database, &error))?;
    match state {
        None => Ok(()),
        Some(ReadOnlyState::InRecovery) => Err(OpenError::Standby {
            database: database.to_owned(),
        }),
        Some(ReadOnlyState::Setting) => Err(OpenError::ReadOnly {
            database: database.to_owned(),
        }),
    }
}
