//! Classification of PostgreSQL errors. diesel maps a few SQLSTATEs to kinds and passes on the
//! message of the others, in the language of the server: only English is recognised.

use crate::failure::Failure;
use diesel::result::{DatabaseErrorKind, Error};
use tradepost_domain::kernel::{StoreError, StoreErrorKind};

/// The kind of an error, and whether the transaction may be retried: nothing was stored then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) kind: StoreErrorKind,
    pub(super) again: bool,
}

const fn once(kind: StoreErrorKind) -> Meaning {
    Meaning { kind, again: false }
}

const fn again(kind: StoreErrorKind) -> Meaning {
    Meaning { kind, again: true }
}

/// NOWAIT found a lock held by another transaction.
const TAKEN: &str = "could not obtain lock";

pub(super) fn is_taken(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if information.message().contains(TAKEN))
}

/// Error kinds by a part of the message.
const MESSAGES: &[(&str, Meaning)] = &[
    // This transaction was chosen as the victim.
    ("deadlock detected", again(StoreErrorKind::Busy)),
    ("could not serialize access", again(StoreErrorKind::Busy)),
    // Another transaction holds a row for too long.
    (
        "canceling statement due to lock timeout",
        once(StoreErrorKind::Busy),
    ),
    (TAKEN, once(StoreErrorKind::Busy)),
    // A retry would take as long again.
    (
        "canceling statement due to statement timeout",
        once(StoreErrorKind::DeadlineExceeded),
    ),
    ("canceling statement", once(StoreErrorKind::Busy)),
    // No connection is free.
    ("too many clients already", once(StoreErrorKind::Busy)),
    ("remaining connection slots", once(StoreErrorKind::Busy)),
    ("too many connections", once(StoreErrorKind::Busy)),
    ("out of memory", once(StoreErrorKind::Busy)),
    // Out of disk space.
    ("No space left on device", once(StoreErrorKind::Full)),
    ("could not extend file", once(StoreErrorKind::Full)),
    ("Disk quota exceeded", once(StoreErrorKind::Full)),
    // Migrated by another version.
    ("does not exist", once(StoreErrorKind::SchemaMismatch)),
    // Unreachable, or disconnected.
    ("terminating connection", again(StoreErrorKind::Unavailable)),
    (
        "server closed the connection",
        again(StoreErrorKind::Unavailable),
    ),
    (
        "no connection to the server",
        again(StoreErrorKind::Unavailable),
    ),
    ("connection not open", again(StoreErrorKind::Unavailable)),
    (
        "could not receive data from server",
        again(StoreErrorKind::Unavailable),
    ),
    (
        "could not send data to server",
        again(StoreErrorKind::Unavailable),
    ),
    ("connection to server", once(StoreErrorKind::Unavailable)),
    ("the database system is", once(StoreErrorKind::Unavailable)),
    (
        "in a read-only transaction",
        once(StoreErrorKind::Unavailable),
    ),
    ("during recovery", once(StoreErrorKind::Unavailable)),
    ("Connection refused", once(StoreErrorKind::Unavailable)),
];

pub(super) fn meaning(error: &Error) -> Meaning {
    match error {
        // A concurrent transaction won: run again, the rules see its row and refuse.
        Error::DatabaseError(
            DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::SerializationFailure,
            _,
        ) => again(StoreErrorKind::Busy),
        Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
        | Error::BrokenTransactionManager => again(StoreErrorKind::Unavailable),
        Error::DatabaseError(
            DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation,
            _,
        ) => once(StoreErrorKind::Other),
        Error::DatabaseError(_, information) => by_message(information.message()),
        _ => once(StoreErrorKind::Other),
    }
}

/// An unrecognised message is retried once.
pub(super) fn by_message(message: &str) -> Meaning {
    MESSAGES
        .iter()
        .find(|(words, _)| message.contains(words))
        .map_or(again(StoreErrorKind::Other), |(_, meaning)| meaning.clone())
}

pub(super) fn store_error(failure: Failure) -> StoreError {
    match failure {
        // A query that asks no rules cannot be refused.
        Failure::Refused(refusal) => StoreError::caused(StoreErrorKind::Other, refusal),
        Failure::Store(error) => error,
        Failure::LockConflict => StoreError::new(StoreErrorKind::Busy),
        Failure::Query(error) => StoreError::caused(meaning(&error).kind, error),
    }
}
