//! Migrations of an SQLite file.

use super::{CONN_TIMEOUT, Conn, Migrator, connect};
use crate::{MigrateError, Missing, OpenError};
use diesel::{QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::path::{Path, PathBuf};

/// A connection for migrations.
pub(crate) fn migrator(path: &Path, missing: Missing) -> Result<Migrator, OpenError> {
    let conn = connect::connection(path, missing, CONN_TIMEOUT)?;
    Ok(Migrator::new(conn, connect::name(path)?.to_owned()))
}

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

pub(crate) fn has_history(conn: &mut Conn) -> QueryResult<bool> {
    let tables = "SELECT count(*) AS value FROM sqlite_master
                  WHERE type = 'table' AND name = '__diesel_schema_migrations'";
    Ok(connect::number(conn, tables)? > 0)
}

/// Runs a job while no other process can write.
pub(crate) fn exclusively<T>(
    conn: &mut Conn,
    _database: &str,
    job: impl FnOnce(&mut Conn) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    connect::write_ahead_log(conn, "", CONN_TIMEOUT)?;
    conn.exclusive_transaction(job)
}

/// Copies the database into a file beside it, over a connection of its own. The given one is in a
/// transaction, which blocks writers and not readers.
pub(crate) fn keep_copy(
    conn: &mut Conn,
    database: &str,
    _migration: &str,
) -> Result<Option<PathBuf>, MigrateError> {
    let now = connect::words(conn, "SELECT strftime('%Y%m%dT%H%M%fZ', 'now') AS value")?;
    let copy = format!("{database}.before-revert-{now}");
    connect::make_private(&copy)?;
    let mut reader = connect::connection(Path::new(database), Missing::Refuse, CONN_TIMEOUT)?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<diesel::sql_types::Text, _>(&copy)
        .execute(&mut reader)?;
    Ok(Some(PathBuf::from(copy)))
}
