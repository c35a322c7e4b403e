//! Idempotency keys, stored in the transaction of the command that they name.

use super::super::{Conn, Database, bulk, locks};
use super::refresh;
use crate::failure::Failure;
use crate::rows::{KeyRow, micros};
use crate::schema::idempotency_keys as keys;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::BTreeMap;
use tradepost_domain::{
    KeyRecord, KeyScope, Keyed, PoolUse, Refusal, StoreError, Upkeep, UserId, Written, decide_key,
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
        let before = micros(before);
        self.write(move |conn| {
            let old = keys::table.filter(keys::created_at.lt(before));
            let count = diesel::delete(old).execute(conn)?;
            Ok(u64::try_from(count).unwrap_or(u64::MAX))
        })
    }

    fn forget_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let some = self.write(move |conn| refresh::forget(conn, before))?;
            forgotten += super::count(i64::try_from(some).unwrap_or(i64::MAX));
            // The others are for somebody who is at work on them, or for the next time.
            if some < refresh::AT_ONCE {
                return Ok(forgotten);
            }
        }
    }

    fn forget_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.write(move |conn| {
            let count = super::attempts::forget(conn, before)?;
            Ok(u64::try_from(count).unwrap_or(u64::MAX))
        })
    }

    fn pools(&self) -> Vec<PoolUse> {
        self.pool_use()
    }
}
