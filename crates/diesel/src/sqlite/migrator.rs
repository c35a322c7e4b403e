//! The schema's history: which migrations a database has, and bringing it up to date.

use super::Conn;
use super::connect;
use crate::{Missing, MigrateError, OpenError, Reverted};
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Another process may be migrating the same file: wait for it rather than give up.
const PATIENCE: Duration = Duration::from_secs(30);

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// A connection for migrations.
pub(crate) struct Migrator {
    conn: Conn,
    path: PathBuf,
}

type Known = Vec<Box<dyn Migration<Sqlite>>>;

fn known(path: &Path) -> Result<Known, OpenError> {
    let mut known: Known = MIGRATIONS.migrations().map_err(|error| OpenError::Unusable {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    known.sort_unstable_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(known)
}

/// The versions that a database has. Reads only: a database that never had any stays as it is.
fn applied(conn: &mut Conn) -> QueryResult<BTreeSet<String>> {
    let table = "SELECT count(*) AS value FROM sqlite_master
                 WHERE type = 'table' AND name = '__diesel_schema_migrations'";
    if connect::number(conn, table)? == 0 {
        return Ok(BTreeSet::new());
    }
    let versions = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load::<String>(conn)?;
    Ok(versions.into_iter().collect())
}

/// What a database lacks, oldest first.
fn pending(conn: &mut Conn, path: &Path) -> Result<Known, OpenError> {
    let mut applied = applied(conn).map_err(|error| OpenError::unusable(path, &error))?;
    let mut pending = known(path)?;
    pending.retain(|migration| !applied.remove(&migration.name().version().to_string()));
    match applied.pop_last() {
        Some(migration) => Err(OpenError::TooNew { path: path.to_owned(), migration }),
        None => Ok(pending),
    }
}

/// Refuses a database that is not of this version.
pub(super) fn check_current(conn: &mut Conn, path: &Path) -> Result<(), OpenError> {
    match pending(conn, path)?.len() {
        0 => Ok(()),
        count => Err(OpenError::Pending { path: path.to_owned(), count }),
    }
}

impl Migrator {
    pub(crate) fn connect(path: &Path, missing: Missing) -> Result<Self, OpenError> {
        let conn = connect::writer(path, missing, PATIENCE)?;
        Ok(Self { conn, path: path.to_owned() })
    }

    pub(crate) fn pending(&mut self) -> Result<Vec<String>, OpenError> {
        let pending = pending(&mut self.conn, &self.path)?;
        Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
    }

    /// Runs what is pending, all or nothing, and tells of each.
    pub(crate) fn run(&mut self, applied: &mut dyn FnMut(&str)) -> Result<(), MigrateError> {
        let Self { conn, path } = self;
        // Looked up again inside: whoever waited for another process finds its work done.
        conn.exclusive_transaction(|conn| {
            for migration in pending(conn, path)? {
                let name = migration.name().to_string();
                // Makes the table of migrations, if this is the first.
                conn.applied_migrations().map_err(|error| MigrateError::failed(&name, &error))?;
                conn.run_migration(&*migration)
                    .map_err(|error| MigrateError::failed(&name, &error))?;
                applied(&name);
            }
            Ok(())
        })
    }

    /// Takes the last migration back, after copying the database beside itself: what the migration
    /// made is deleted with all that is in it.
    pub(crate) fn revert(&mut self) -> Result<Option<Reverted>, MigrateError> {
        let Self { conn, path } = self;
        pending(conn, path)?;
        let Some(last) = applied(conn)?.pop_last() else { return Ok(None) };
        let known = known(path)?;
        let Some(migration) =
            known.iter().find(|migration| migration.name().version().to_string() == last)
        else {
            return Ok(None);
        };
        let kept = keep_copy(conn, path)?;
        let name = migration.name().to_string();
        conn.exclusive_transaction(|conn| {
            conn.revert_migration(&**migration)
                .map(drop)
                .map_err(|error| MigrateError::failed(&name, &error))
        })?;
        Ok(Some(Reverted { name, kept }))
    }
}

fn keep_copy(conn: &mut Conn, path: &Path) -> QueryResult<PathBuf> {
    let now = connect::words(conn, "SELECT strftime('%Y%m%dT%H%M%fZ', 'now') AS value")?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-revert-{now}"));
    let copy = PathBuf::from(name);
    diesel::sql_query("VACUUM INTO ?")
        .bind::<diesel::sql_types::Text, _>(copy.to_string_lossy())
        .execute(conn)?;
    Ok(copy)
}
