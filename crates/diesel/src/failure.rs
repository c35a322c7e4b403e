//! What can go wrong inside of a transaction.

use tradepost_domain::StoreError;

/// A query that failed, not yet classified, or something that was found to be wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database says so; what it means differs from one to the other.
    Query(diesel::result::Error),
    /// A row that cannot be.
    Store(StoreError),
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
