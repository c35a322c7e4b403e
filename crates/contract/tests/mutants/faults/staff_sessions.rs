use super::a_moment;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use chrono::{DateTime, Duration, Utc};
use tradepost_domain::identity::{
    Account, AccountRepository, EndSessions, Register, ResetUser, StaffSession,
    StaffSessionRepository,
};
use tradepost_domain::kernel::{Error, Refusal, StoreError, UserId};
use tradepost_domain::maintenance::Retention;
use tradepost_memory::MemoryStore as Store;

/// Looks for staff before the command has the lock.
fn looks_early(store: &Store, command: Register) -> Result<Account, Error> {
    if store.has_staff()? {
        return Err(Refusal::Forbidden.into());
    }
    a_moment();
    store.register(command)
}

/// Ends the sessions and keeps the account as it was.
fn ends_no_session(store: &Store, command: EndSessions) -> Result<Account, Error> {
    let found = AccountRepository::find(store, command.user)?;
    Ok(found.ok_or(Refusal::InvalidToken)?)
}

/// Keeps the account as it was when staff reset it.
fn resets_nothing(store: &Store, command: ResetUser) -> Result<Account, Error> {
    let found = AccountRepository::find(store, command.user)?;
    Ok(found.ok_or(Refusal::NotFound)?)
}

/// Stores each session under a user of its own.
fn bounds_no_sessions(store: &Store, session: StaffSession) -> Result<(), StoreError> {
    let number = u8::from_str_radix(&session.digest.to_string()[..2], 16).unwrap();
    let user = UserId::new(i64::from(number) + 1_000).unwrap();
    store.begin_session(StaffSession { user, ..session })
}

/// Stores times of sessions in whole hours.
fn rounds_times(store: &Store, session: StaffSession) -> Result<(), StoreError> {
    let hour = session.used_at.timestamp() / 3_600 * 3_600;
    let used_at = DateTime::from_timestamp(hour, 0).unwrap();
    store.begin_session(StaffSession { used_at, ..session })
}

/// Inserts a session whose use it records.
fn restores_sessions(store: &Store, session: StaffSession) -> Result<(), StoreError> {
    store.begin_session(session)
}

fn purges_too_many(store: &Store, before: DateTime<Utc>) -> Result<u64, StoreError> {
    store.purge_staff_sessions(before + Duration::microseconds(1))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "ends no session of a user who signs out everywhere",
        Behaviour {
            end_sessions: ends_no_session,
            ..HONEST
        },
        &["all_sessions_of_a_user_end_at_once"],
    ),
    (
        "ends no session of a user whom staff reset",
        Behaviour {
            reset_user: resets_nothing,
            ..HONEST
        },
        &["a_reset_ends_every_session"],
    ),
    (
        "registers a first staff user for each caller",
        Behaviour {
            register_first_staff: looks_early,
            ..HONEST
        },
        &["one_first_staff_user_is_registered"],
    ),
    (
        "lets a user have any number of staff sessions",
        Behaviour {
            begin_session: bounds_no_sessions,
            ..HONEST
        },
        &["staff_sessions_are_bounded"],
    ),
    (
        "rounds the times of staff sessions",
        Behaviour {
            begin_session: rounds_times,
            ..HONEST
        },
        &["a_staff_session_is_found_by_its_digest"],
    ),
    (
        "restores a staff session that has ended",
        Behaviour {
            use_session: restores_sessions,
            ..HONEST
        },
        &["an_ended_staff_session_stays_ended"],
    ),
    (
        "purges staff sessions that live",
        Behaviour {
            purge_staff_sessions: purges_too_many,
            ..HONEST
        },
        &["expired_staff_sessions_are_purged"],
    ),
];
