//! Online backup of an SQLite database.

#[cfg(feature = "sqlite")]
use crate::sqlite;
use crate::{BackupError, DatabaseUrl};
use std::path::Path;

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
