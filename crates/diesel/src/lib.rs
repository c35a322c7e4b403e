//! The ports of `tradepost-domain` on SQLite, and on PostgreSQL.
//!
//! Both databases can be compiled in; the scheme of the URL chooses at the start. The queries are
//! written once, in `queries/`, and compiled once for each database against the connection that
//! `sqlite.rs` and `postgres.rs` define. Only what truly differs lives in those two.
//!
//! Where does something go?
//! - A rule: not here. It is a `decide` function of the domain.
//! - A query: `queries/`, in the file of its aggregate.
//! - A lock, a setting of a connection, the meaning of an error: the database's own file.
//! - A table or a column: a migration of the same name for each database, and `schema.rs`.

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
use tradepost_domain::{Currency, Stores};

/// How long an open waits for the first connection of its pool. It is no request's time that is
/// spent, so a machine that is busy with other work gets far longer than [`OpenOptions::wait`].
const FIRST_CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// How to open a database.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The currency that the shop sells in.
    pub currency: ShopCurrency,
    /// The most connections that read at once; on PostgreSQL, where they write as well, the most that
    /// there are. They are opened when they are needed.
    pub readers: u32,
    /// How long a request waits for a connection or a lock.
    pub wait: Duration,
}

/// What is known of the shop's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopCurrency {
    /// This one: written into a database that has none yet, and compared with one that has.
    Is(Currency),
    /// This one: compared with that of a database that has one, and not written.
    Like(Currency),
    /// Whatever the database says; this one while it says nothing, without writing it.
    Stored {
        /// While the database says nothing.
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

/// Opens a database that is there and up to date.
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

/// Copies an SQLite database, while others use it, as it is at one moment; into a file that is empty
/// or not there. What it costs is reading and writing the whole of it.
///
/// # Errors
/// [`BackupError`]; what is in the file then is no copy.
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

/// What was looked at in a copy.
#[cfg(feature = "sqlite")]
#[derive(Debug)]
pub enum Proof {
    /// File and books: what is wrong with either is in the audit.
    Books(tradepost_domain::Audit),
    /// The file alone, as the schema is that of another version of the program.
    File {
        /// What SQLite finds wrong with it, a sentence each.
        damage: Vec<String>,
    },
}

/// Proves a copy that [`back_up`] made and nobody uses. It may be of another version: an upgrade
/// begins with a copy of what was before.
///
/// # Errors
/// [`BackupError`] if it cannot be read.
#[cfg(feature = "sqlite")]
pub fn prove(copy: &Path) -> Result<Proof, BackupError> {
    sqlite::prove(copy)
}

/// What is unsafe about the settings of the database's server, a sentence each. [`open`] writes the
/// same to the log.
///
/// # Errors
/// [`OpenError`] if it cannot be asked.
pub fn warnings(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(Vec::new()),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::warnings(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}

/// Refuses a database that takes no writes: a standby of PostgreSQL, or a server that is set to
/// read-only. An SQLite file is checked when it is opened.
///
/// # Errors
/// [`OpenError::Standby`], [`OpenError::ReadOnly`]; others if it cannot be asked.
pub fn require_writable(url: &DatabaseUrl) -> Result<(), OpenError> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::require_writable(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}

/// What to do about a database that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make it.
    Create,
    /// Refuse.
    Refuse,
}

/// A migration that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted {
    /// Its name.
    pub name: String,
    /// A copy of the database as it was before, if something could have been lost.
    pub kept: Option<PathBuf>,
}

/// Brings a database's schema up to date, or back.
pub struct Migrator(Backend);

enum Backend {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Migrator),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Migrator),
}

impl Migrator {
    /// Connects to the database. A missing SQLite file is made if that is wanted; its folder has to
    /// be there. A database of PostgreSQL has to be there.
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

    /// The names of the migrations that the database lacks, oldest first.
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

    /// Runs the migrations that the database lacks, all or none, and tells the name of each. Safe
    /// when several processes do so at once.
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

    /// Takes the last migration back; `None` if there is none. What it made is deleted with all
    /// that is in it: an SQLite database is copied first, one of PostgreSQL must have no orders if
    /// they would go, and no answers under idempotency keys. Sign-ins that can be refreshed, counts
    /// of wrong tries and what can be made again go.
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
