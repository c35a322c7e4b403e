//! Idempotency keys, stored in the transaction of the command that they name.

use super::super::{Conn, Database, bulk, locks};
use super::{AT_ONCE, clock_readings};
use crate::failure::Failure;
use crate::rows::{KeyRow, micros};
use crate::schema::idempotency_keys as keys;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use std::collections::BTreeMap;
use tradepost_domain::{
    ClockReading, KeyRecord, KeyScope, Keyed, PoolUse, Refusal, StoreError, Upkeep, UserId,
    Written, decide_key,
};

/// A key to be stored.
pub(crate) struct NewKey<'a> {
    pub(crate) user: UserId,
    pub(crate) scope: &'a KeyScope,
    pub(crate) fingerprint: &'a str,
    pub(crate) answer: String,
    pub(crate) at: DateTime<Utc>,
}

/// What is stored under these keys.
pub(super) fn held<'a>(
    conn: &mut Conn,
    sent: impl Iterator<Item = (UserId, &'a KeyScope)>,
) -> Result<BTreeMap<(UserId, KeyScope), KeyRecord>, Failure> {
    let sent: Vec<_> = sent.collect();
    if sent.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(bulk::held_keys(conn, &sent)?
        .into_iter()
        .map(KeyRow::record)
        .collect::<Result<_, _>>()?)
}

/// Whether so many answers are kept for a user and a path. Asked of the index alone.
pub(super) fn are_as_many(
    conn: &mut Conn,
    user: UserId,
    path: &str,
    many: usize,
) -> Result<bool, Failure> {
    let last = keys::table
        .filter(keys::user_id.eq(user.get()).and(keys::path.eq(path)))
        .offset(i64::try_from(many).unwrap_or(i64::MAX).saturating_sub(1))
        .select(keys::user_id);
    Ok(last.first::<i64>(conn).optional()?.is_some())
}

/// Runs a command that may have happened before: under the lock of its user, its key is looked up
/// first and stored with its outcome last.
pub(super) fn once<T>(
    conn: &mut Conn,
    user: Option<UserId>,
    key: Option<&Keyed<T>>,
    at: DateTime<Utc>,
    command: impl FnOnce(&mut Conn) -> Result<Result<T, Refusal>, Failure>,
) -> Result<Result<Written<T>, Refusal>, Failure> {
    let Some((user, key)) = user.zip(key) else {
        return Ok(command(conn)?.map(Written::Now));
    };
    locks::users(conn, &[user])?;
    let mut held = held(conn, std::iter::once((user, &key.scope)))?;
    let held = held.remove(&(user, key.scope.clone()));
    match decide_key(Some(key), held.as_ref()) {
        Ok(None) => {}
        Ok(Some(answer)) => return Ok(Ok(Written::Before(answer))),
        Err(refusal) => return Ok(Err(refusal)),
    }
    let outcome = match command(conn)? {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let answer = (key.render.0)(&outcome);
    let (scope, fingerprint) = (&key.scope, key.fingerprint.as_str());
    bulk::keys(
        conn,
        &[NewKey {
            user,
            scope,
            fingerprint,
            answer,
            at,
        }],
    )?;
    Ok(Ok(Written::Now(outcome)))
}

impl Upkeep for Database {
    fn check(&self) -> Result<(), StoreError> {
        self.check_schema()
    }

    fn forget_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.forget(bulk::OLD_KEYS, before)
    }

    fn forget_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.forget(bulk::OLD_TOKENS, before)? + self.forget(bulk::USED_TOKENS, before)?)
    }

    fn forget_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.forget(bulk::OLD_ATTEMPTS, before)
    }

    fn record_clock(&self, reading: ClockReading, keep_from: TimeDelta) -> Result<(), StoreError> {
        self.write(move |conn| clock_readings::insert(conn, reading))?;
        let keep_from = clock_readings::stored(keep_from);
        self.write(move |conn| Ok(bulk::forget(conn, bulk::OLD_READINGS, keep_from, AT_ONCE)?))?;
        Ok(())
    }

    fn clock_readings(&self) -> Result<Vec<ClockReading>, StoreError> {
        self.read(clock_readings::all)
    }

    fn pools(&self) -> Vec<PoolUse> {
        self.pool_use()
    }
}

impl Database {
    /// Deletes what is old a few at a time, so that others can write in between.
    fn forget(&self, old: &'static str, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let (mut forgotten, before) = (0, micros(before));
        loop {
            let some = self.write(move |conn| Ok(bulk::forget(conn, old, before, AT_ONCE)?))?;
            let some = i64::try_from(some).unwrap_or(i64::MAX);
            forgotten += super::count(some);
            // What is left is for somebody who is at work on it, or for the next time.
            if some < AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}
