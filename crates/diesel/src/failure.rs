//! What can go wrong inside of a transaction.

use tradepost_domain::StoreError;

/// A query that failed, not yet classified, or something that was found to be wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database says so; what it means differs from one to the other.
    Query(diesel::result::Error),
    /// A row that cannot be.
    Store(StoreError),
    /// Somebody else holds a row that is needed, and nobody waits for it with others in hand. The
    /// transaction is to be given up, and run again in a moment.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "SQLite has one writer, who meets nobody")
    )]
    Contended,
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
