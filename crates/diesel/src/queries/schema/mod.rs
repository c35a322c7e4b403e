//! Schema history: applied migrations, and bringing a database up to date.

pub(super) mod shop_settings;

use super::catalog::search_texts;
use super::identity::usernames;
use super::prelude::migrations::{MIGRATIONS, exclusively, has_history, keep_copy};
use super::prelude::{self, *};
use crate::{MigrateError, OpenError, Reverted};
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::MigrationHarness;
use std::collections::BTreeSet;
use tradepost_domain::kernel::StoreErrorKind;

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// A connection for migrations.
pub(crate) struct Migrator {
    conn: Conn,
    database: String,
}

type Migrations = Vec<Box<dyn Migration<Db>>>;

fn known(database: &str) -> Result<Migrations, OpenError> {
    let mut known: Migrations = MIGRATIONS
        .migrations()
        .map_err(|error| OpenError::unusable(database, &error))?;
    known.sort_unstable_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(known)
}

/// Applied versions. Read-only: a database without migrations stays unchanged.
fn applied(conn: &mut Conn) -> QueryResult<BTreeSet<String>> {
    if !has_history(conn)? {
        return Ok(BTreeSet::new());
    }
    let versions = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load::<String>(conn)?;
    Ok(versions.into_iter().collect())
}

/// Pending migrations, oldest first.
fn pending(conn: &mut Conn, database: &str) -> Result<Migrations, OpenError> {
    let mut applied = applied(conn).map_err(|error| OpenError::unusable(database, &error))?;
    let mut pending = known(database)?;
    pending.retain(|migration| !applied.remove(&migration.name().version().to_string()));
    match applied.pop_last() {
        Some(migration) => Err(OpenError::TooNew {
            database: database.to_owned(),
            migration,
        }),
        None => Ok(pending),
    }
}

/// Refuses a database whose schema is not of this version.
pub(crate) fn check_current(conn: &mut Conn, database: &str) -> Result<(), OpenError> {
    match pending(conn, database)?.len() {
        0 => Ok(()),
        count => Err(OpenError::Pending {
            database: database.to_owned(),
            count,
        }),
    }
}

/// The same for an open database.
pub(crate) fn require_current(conn: &mut Conn) -> Result<(), Failure> {
    let applied = applied(conn)?;
    let known = known("").map_err(|error| StoreError::caused(StoreErrorKind::Other, error))?;
    let versions: BTreeSet<String> = known
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    if versions == applied {
        Ok(())
    } else {
        Err(StoreError::new(StoreErrorKind::SchemaMismatch).into())
    }
}

impl Migrator {
    pub(crate) fn new(conn: Conn, database: String) -> Self {
        Self { conn, database }
    }

    pub(crate) fn pending(&mut self) -> Result<Vec<String>, OpenError> {
        let pending = pending(&mut self.conn, &self.database)?;
        Ok(pending
            .iter()
            .map(|migration| migration.name().to_string())
            .collect())
    }

    /// Runs the pending migrations, all or none, and reports each.
    pub(crate) fn run(&mut self, applied: &mut dyn FnMut(&str)) -> Result<(), MigrateError> {
        let Self { conn, database } = self;
        exclusively(conn, database, |conn| {
            // Read under the lock: a concurrent process may have migrated meanwhile.
            for migration in pending(conn, database)? {
                let name = migration.name().to_string();
                let failed = |reason: Box<dyn std::error::Error + Send + Sync>| {
                    MigrateError::failed(&name, &reason)
                };
                // Creates the table of migrations before the first one.
                conn.applied_migrations().map_err(failed)?;
                conn.run_migration(&*migration).map_err(failed)?;
                applied(&name);
            }
            // Folding happens in the program. Includes rows that a server of an older version has
            // written since, without search texts.
            search_texts::fill_in(conn)?;
            usernames::fill_in(conn)?;
            Ok(())
        })
    }

    /// Reverts the last migration, and deletes its tables and columns with their content. The
    /// content is copied first, or none of it may be irreplaceable.
    pub(crate) fn revert(&mut self) -> Result<Option<Reverted>, MigrateError> {
        let Self { conn, database } = self;
        // All under the lock: the copy has every earlier commit, and no later one can happen.
        exclusively(conn, database, |conn| {
            pending(conn, database)?;
            let mut applied = applied(conn)?;
            let last = applied.pop_last();
            let known = known(database)?;
            let Some(migration) = known.iter().find(|migration| {
                last.as_deref() == Some(&*migration.name().version().to_string())
            }) else {
                return Ok(None);
            };
            let name = migration.name().to_string();
            let kept = keep_copy(conn, database, &name)?;
            conn.revert_migration(&**migration)
                .map_err(|error| MigrateError::failed(&name, &error))?;
            Ok(Some(Reverted { name, kept }))
        })
    }
}
