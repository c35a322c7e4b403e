//! Errors inside a transaction.

use tradepost_domain::kernel::{Error, Refusal, StoreError, StoreErrorKind};

/// Why a transaction is rolled back: a refusal, a failed query, not yet classified, an invalid row,
/// or a lock conflict.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A refusal by the rules. It has nothing to store: a refusal that does is an outcome.
    Refused(Refusal),
    /// An error of the database; each backend classifies its own.
    Query(diesel::result::Error),
    /// A row that cannot be read as a value of the domain.
    Store(StoreError),
    /// Lock conflict: another transaction holds a row that is needed, and no statement waits for a
    /// row while its transaction holds another. Roll back, and retry after a short pause.
    LockConflict,
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Query(error)
    }
}

impl Failure {
    /// The error of the command, given the classification of a failure of the store.
    pub(crate) fn error(self, store_error: impl FnOnce(Self) -> StoreError) -> Error {
        match self {
            Self::Refused(refusal) => refusal.into(),
            failure => store_error(failure).into(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The error of a transaction that asks no rules.
pub(crate) fn without_refusal(error: Error) -> StoreError {
    match error {
        Error::Store(error) => error,
        other => StoreError::caused(StoreErrorKind::Other, other),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
