//! Errors inside a transaction.

use tradepost_domain::kernel::StoreError;

/// A failed query, not yet classified, or an invalid row, or a lock conflict.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the database; each backend classifies its own.
    Query(diesel::result::Error),
    /// A row that cannot be read as a value of the domain.
    Store(StoreError),
    /// Lock conflict: another transaction holds a row that is needed, and no statement waits for a
    /// row while its transaction holds another. Roll back, and retry after a short pause.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "SQLite has one writer, who meets nobody")
    )]
    LockConflict,
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Query(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
