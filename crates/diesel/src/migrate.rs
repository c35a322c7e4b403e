//! Applying and reverting migrations.

#[cfg(feature = "postgres")]
use crate::postgres;
#[cfg(feature = "sqlite")]
use crate::sqlite;
use crate::{DatabaseUrl, MigrateError, OpenError};
use std::path::PathBuf;

/// What to do about a missing database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Create it.
    Create,
    /// Fail.
    Refuse,
}

/// A reverted migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted {
    /// Its name.
    pub name: String,
    /// A copy of the database before the revert, if data could be lost.
    pub kept: Option<PathBuf>,
}

/// Applies and reverts migrations.
pub struct Migrator(Backend);

enum Backend {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Migrator),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Migrator),
}

impl Migrator {
    /// Connects to the database. A missing SQLite file is created if requested; its folder must
    /// exist. A PostgreSQL database must exist.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn connect(url: &DatabaseUrl, missing: Missing) -> Result<Self, OpenError> {
        match url {
            #[cfg(feature = "sqlite")]
            DatabaseUrl::Sqlite(path) => {
                sqlite::migrator(path, missing).map(|migrator| Self(Backend::Sqlite(migrator)))
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => {
                postgres::migrator(url).map(|migrator| Self(Backend::Postgres(migrator)))
            }
            #[cfg(not(feature = "sqlite"))]
            DatabaseUrl::Sqlite(_) => {
                let _only_a_file_can_be_made = missing;
                Err(OpenError::NotBuiltIn { name: "sqlite" })
            }
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
        }
    }

    /// Names of the pending migrations, oldest first.
    ///
    /// # Errors
    /// [`OpenError::TooNew`] among others.
    pub fn pending(&mut self) -> Result<Vec<String>, OpenError> {
        match &mut self.0 {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(migrator) => migrator.pending(),
            #[cfg(feature = "postgres")]
            Backend::Postgres(migrator) => migrator.pending(),
        }
    }

    /// Runs the pending migrations, all or none, and reports the name of each. Safe when several
    /// processes do so concurrently.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub fn run(&mut self, mut applied: impl FnMut(&str)) -> Result<(), MigrateError> {
        match &mut self.0 {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(migrator) => migrator.run(&mut applied),
            #[cfg(feature = "postgres")]
            Backend::Postgres(migrator) => migrator.run(&mut applied),
        }
    }

    /// Reverts the last migration; `None` if there is none. Its tables and columns are deleted with
    /// their content. An SQLite database is copied first. A PostgreSQL database must have no orders
    /// that would be deleted, and no responses under idempotency keys. Refresh tokens, counts of
    /// failed attempts and data that can be computed again are deleted.
    ///
    /// # Errors
    /// [`MigrateError`].
    pub fn revert(&mut self) -> Result<Option<Reverted>, MigrateError> {
        match &mut self.0 {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(migrator) => migrator.revert(),
            #[cfg(feature = "postgres")]
            Backend::Postgres(migrator) => migrator.revert(),
        }
    }
}
