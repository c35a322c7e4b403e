//! What PostgreSQL's errors mean. diesel tells a few SQLSTATEs apart and passes on the message of
//! the others, in the language of the server: only English is understood.

use crate::failure::Failure;
use diesel::result::{DatabaseErrorKind, Error};
use tradepost_domain::{StoreError, StoreErrorKind};

/// What an error means, and whether the same transaction may be run again: nothing of it was
/// stored.
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

/// NOWAIT found what it wanted in somebody else's hands.
const TAKEN: &str = "could not obtain lock";

pub(super) fn is_taken(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, information) if information.message().contains(TAKEN))
}

/// What a message says, by words that are in it.
const MESSAGES: &[(&str, Meaning)] = &[
    // Somebody had to give way.
    ("deadlock detected", again(StoreErrorKind::Busy)),
    ("could not serialize access", again(StoreErrorKind::Busy)),
    // Somebody holds on to a row.
    (
        "canceling statement due to lock timeout",
        once(StoreErrorKind::Busy),
    ),
    (TAKEN, once(StoreErrorKind::Busy)),
    // It would take as long again.
    (
        "canceling statement due to statement timeout",
        once(StoreErrorKind::DeadlineExceeded),
    ),
    ("canceling statement", once(StoreErrorKind::Busy)),
    // No connection to be had.
    ("too many clients already", once(StoreErrorKind::Busy)),
    ("remaining connection slots", once(StoreErrorKind::Busy)),
    ("too many connections", once(StoreErrorKind::Busy)),
    ("out of memory", once(StoreErrorKind::Busy)),
    // No room.
    ("No space left on device", once(StoreErrorKind::Full)),
    ("could not extend file", once(StoreErrorKind::Full)),
    ("Disk quota exceeded", once(StoreErrorKind::Full)),
    // Migrated by another version.
    ("does not exist", once(StoreErrorKind::SchemaMismatch)),
    // Not there, or not any more.
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
        // Whoever came first has it: run again, the rules see it and say so.
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

/// A message that nobody knows is worth one more try.
pub(super) fn by_message(message: &str) -> Meaning {
    MESSAGES
        .iter()
        .find(|(words, _)| message.contains(words))
        .map_or(again(StoreErrorKind::Other), |(_, meaning)| meaning.clone())
}

pub(super) fn store_error(failure: Failure) -> StoreError {
    match failure {
        Failure::Store(error) => error,
        Failure::Contended => StoreError::new(StoreErrorKind::Busy),
        Failure::Query(error) => StoreError::caused(meaning(&error).kind, error),
    }
}
