//! Repositories of `tradepost-domain` on SQLite and on PostgreSQL.
//!
//! Both backends can be compiled in; the scheme of the URL chooses one at the start. The queries
//! are written once, in `queries/`, and compiled once per backend against the connection type that
//! `sqlite.rs` and `postgres.rs` define. Only the differences between the databases live in those
//! two.
//!
//! Where does something go?
//! - A rule: not here. It is a `decide` function of the domain.
//! - A query: `queries/`, in the file of its aggregate.
//! - A lock, a setting of a connection, the classification of an error: the backend's own file.
//! - A table or a column: a migration of the same name for each backend, and `schema.rs`.

#![cfg_attr(
    all(feature = "sqlite", feature = "postgres"),
    expect(
        clippy::duplicate_mod,
        reason = "the tree of queries is compiled once for each database"
    )
)]

mod error;
mod failure;
mod rows;
mod schema;
mod url;
mod usage;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use error::{BackupError, MigrateError, OpenError};
pub use url::{DatabaseUrl, UrlError};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tradepost_domain::Stores;
use tradepost_domain::kernel::Currency;

/// How long opening waits for the first connection of its pool. No request waits meanwhile, so that
/// a busy machine gets far longer than [`OpenOptions::wait`].
const FIRST_CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Options for opening a database.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The shop's currency.
    pub currency: ShopCurrency,
    /// Maximum number of read connections; on PostgreSQL, which writes over them as well, of all
    /// connections. They are opened on demand.
    pub readers: u32,
    /// How long a request waits for a connection or a lock.
    pub wait: Duration,
}

/// The shop's currency, and how it is compared with the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopCurrency {
    /// Stored if the database has no currency yet, else compared with the stored one.
    Is(Currency),
    /// Compared with the stored currency, if any. Not stored.
    Like(Currency),
    /// The stored currency; a default without one, which is not stored.
    Stored {
        /// The default.
        otherwise: Currency,
    },
}

impl ShopCurrency {
    fn agree(self, stored: Option<&str>) -> Result<Currency, OpenError> {
        let known = stored.and_then(Currency::from_code);
        match (self, known) {
            (Self::Is(wanted) | Self::Like(wanted), Some(stored)) if wanted != stored => {
                Err(OpenError::OtherCurrency {
                    stored: stored.to_string(),
                    wanted,
                })
            }
            (Self::Is(currency) | Self::Like(currency), _)
            | (Self::Stored { .. }, Some(currency))
            | (
                Self::Stored {
                    otherwise: currency,
                },
                None,
            ) => Ok(currency),
        }
    }
}

/// Opens an existing database whose schema is up to date.
///
/// # Errors
/// [`OpenError`], a sentence that says what to do.
pub fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Stores, OpenError> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(path) => {
            Ok(Stores::of(Arc::new(sqlite::Database::open(path, options)?)))
        }
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => Ok(Stores::of(Arc::new(postgres::Database::open(
            url, options,
        )?))),
        #[cfg(not(feature = "sqlite"))]
        DatabaseUrl::Sqlite(_) => Err(OpenError::NotBuiltIn { name: "sqlite" }),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}

/// Copies one snapshot of an SQLite database, while it is in use, into a file that is empty or does
/// not exist. Reads and writes the whole database once.
///
/// # Errors
/// [`BackupError`]; the file is then no valid copy.
pub fn back_up(url: &DatabaseUrl, into: &Path) -> Result<(), BackupError> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(path) => sqlite::copy(path, into),
        #[cfg(not(feature = "sqlite"))]
        DatabaseUrl::Sqlite(_) => {
            let _only_a_file_can_be_copied = into;
            Err(BackupError::NotAFile)
        }
        DatabaseUrl::Postgres(_) => Err(BackupError::NotAFile),
    }
}

/// The result of verifying a copy.
#[cfg(feature = "sqlite")]
#[derive(Debug)]
pub enum Proof {
    /// File and ledger were checked; the audit lists the damage of both.
    Books(tradepost_domain::inventory::Audit),
    /// Only the file was checked: the schema is that of another version of the program.
    File {
        /// Damage that SQLite found, a sentence each.
        damage: Vec<String>,
    },
}

/// Verifies a copy that [`back_up`] made and that is not in use. It may be of another version: an
/// upgrade begins with a copy of the older schema.
///
/// # Errors
/// [`BackupError`] if it cannot be read.
#[cfg(feature = "sqlite")]
pub fn prove(copy: &Path) -> Result<Proof, BackupError> {
    sqlite::prove(copy)
}

/// Unsafe settings of the database server, a sentence each. [`open`] logs the same.
///
/// # Errors
/// [`OpenError`] if the server cannot be queried.
pub fn warnings(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(Vec::new()),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::warnings(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}

/// A warning if the URL leads to PostgreSQL on another machine and does not have the server verified
/// (`sslmode=verify-full`). [`open`] writes the same to the log. Nothing is connected to.
#[must_use]
pub fn tls_warning(url: &DatabaseUrl) -> Option<String> {
    match url {
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::tls_warning(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => None,
        DatabaseUrl::Sqlite(_) => None,
    }
}

/// Refuses a read-only database: a standby of PostgreSQL, or a server that is set to read-only. An
/// SQLite file is checked when it is opened.
///
/// # Errors
/// [`OpenError::Standby`], [`OpenError::ReadOnly`]; others if the server cannot be queried.
pub fn require_writable(url: &DatabaseUrl) -> Result<(), OpenError> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::require_writable(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}

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
