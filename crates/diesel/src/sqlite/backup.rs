//! Online backup and its verification.

use super::classify::{kind, store_error};
use super::{CONN_TIMEOUT, connect, queries};
use crate::{BackupError, Missing, OpenError, Proof};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use std::path::Path;
use tradepost_domain::inventory::Discrepancy;
use tradepost_domain::kernel::StoreErrorKind;

/// Copies one snapshot of the database into a file that is empty or does not exist.
pub(crate) fn copy(database: &Path, into: &Path) -> Result<(), BackupError> {
    let into = connect::name(into)?;
    let mut conn = connect::connection(database, Missing::Refuse, CONN_TIMEOUT)?;
    if !connect::is_a_shop(&mut conn).map_err(|error| failed(&error))? {
        return Err(BackupError::Empty);
    }
    // One read transaction: the write-ahead log keeps it from blocking others.
    let copied = diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(into)
        .execute(&mut conn);
    copied.map(drop).map_err(|error| failed(&error))
}

/// Verifies a copy that is not in use: SQLite's integrity check, and the ledger audit if the copy
/// has the tables for it. Nothing is written, not even a log beside it.
pub(crate) fn prove(copy: &Path) -> Result<Proof, BackupError> {
    let path = connect::name(copy)?;
    let failed = |error: diesel::result::Error| failed(&error);
    // On a read-only connection SQLite checks less.
    let mut conn = connect::connection(copy, Missing::Refuse, CONN_TIMEOUT).map_err(unreadable)?;
    let sql = "SELECT integrity_check AS value FROM pragma_integrity_check";
    let mut damage = connect::all_words(&mut conn, sql).map_err(failed)?;
    damage.retain(|line| line != "ok");
    drop(conn);
    let mut conn = connect::read_only(path).map_err(unreadable)?;
    match queries::check_current(&mut conn, path) {
        Ok(()) => {}
        Err(OpenError::Pending { .. } | OpenError::TooNew { .. }) => {
            return Ok(Proof::File { damage });
        }
        Err(error) => return Err(unreadable(error)),
    }
    conn.batch_execute("BEGIN").map_err(failed)?;
    let mut audit = queries::inventory::audit::books(&mut conn)
        .map_err(|failure| BackupError::Failed(store_error(failure).to_string()))?;
    let damage = damage.into_iter();
    audit
        .discrepancies
        .extend(damage.map(|what| Discrepancy::Damaged { what }));
    Ok(Proof::Books(audit))
}

/// An error about the copy must not name the database, which was readable.
fn unreadable(error: OpenError) -> BackupError {
    BackupError::Failed(match error {
        OpenError::Unusable { reason, .. } => reason,
        error => error.to_string(),
    })
}

fn failed(error: &diesel::result::Error) -> BackupError {
    match kind(error) {
        StoreErrorKind::Full => BackupError::Full,
        _ => BackupError::Failed(error.to_string()),
    }
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}
