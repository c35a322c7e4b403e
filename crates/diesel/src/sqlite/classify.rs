//! Classification of SQLite errors. diesel passes on their text but not their codes, so the text
//! decides; the tests provoke each error.

use crate::failure::Failure;
use diesel::result::Error;
use tradepost_domain::kernel::{StoreError, StoreErrorKind};

/// The store error for a failure.
pub(super) fn store_error(failure: Failure) -> StoreError {
    match failure {
        // A query that asks no rules cannot be refused.
        Failure::Refused(refusal) => StoreError::caused(StoreErrorKind::Other, refusal),
        Failure::Store(error) => error,
        Failure::LockConflict => StoreError::new(StoreErrorKind::Busy),
        Failure::Query(error) => StoreError::caused(kind(&error), error),
    }
}

pub(super) fn kind(error: &Error) -> StoreErrorKind {
    let Error::DatabaseError(_, information) = error else {
        return StoreErrorKind::Other;
    };
    let message = information.message();
    let says = |words: &str| message.contains(words);
    if says("is locked") || says("locking protocol") {
        StoreErrorKind::Busy
    } else if says("interrupted") {
        StoreErrorKind::DeadlineExceeded
    } else if says("database or disk is full") {
        StoreErrorKind::Full
    } else if says("disk I/O error")
        || says("unable to open database file")
        || says("readonly database")
    {
        StoreErrorKind::Unavailable
    } else if says("no such table") || says("no such column") {
        StoreErrorKind::SchemaMismatch
    } else {
        StoreErrorKind::Other
    }
}

/// No connection was free in time.
pub(super) fn no_connection(error: diesel::r2d2::PoolError) -> StoreError {
    StoreError::caused(StoreErrorKind::Busy, error)
}
