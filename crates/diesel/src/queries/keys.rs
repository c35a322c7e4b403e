//! Idempotency keys, stored in the transaction of their command.

use super::super::{Conn, Database, bulk, locks};
use super::{AT_ONCE, clock_readings};
use crate::failure::Failure;
use crate::rows::{KeyRow, micros};
use crate::usage::{UsageQuery, UsageRow};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use tradepost_domain::kernel::{
    Execution, IdempotencyScope, Idempotent, Refusal, StoreError, StoredResponse,
    StoredResponseUsage, UserId, check_replay_quota, decide_replay, stored_response_size,
};
use tradepost_domain::maintenance::{ClockReading, PoolStats, Upkeep};

/// A key to store.
pub(crate) struct NewKey<'a> {
    pub(crate) user: UserId,
    pub(crate) scope: &'a IdempotencyScope,
    pub(crate) fingerprint: &'a str,
    pub(crate) answer: String,
    /// Running total: [`StoredResponseUsage::total_with`] this response.
    pub(crate) running_bytes: u64,
    pub(crate) at: DateTime<Utc>,
}

impl<'a> NewKey<'a> {
    /// A key that is stored after the existing ones of its user.
    pub(crate) fn after<T>(
        kept: StoredResponseUsage,
        user: UserId,
        key: &'a Idempotent<T>,
        answer: String,
        at: DateTime<Utc>,
    ) -> Self {
        let (scope, fingerprint) = (&key.scope, key.fingerprint.as_str());
        Self {
            user,
            scope,
            fingerprint,
            running_bytes: kept.total_with(stored_response_size(scope, fingerprint, &answer)),
            answer,
            at,
        }
    }
}

/// Stored responses under these keys.
pub(super) fn held<'a>(
    conn: &mut Conn,
    sent: impl Iterator<Item = (UserId, &'a IdempotencyScope)>,
) -> Result<BTreeMap<(UserId, IdempotencyScope), StoredResponse>, Failure> {
    let sent: Vec<_> = sent.collect();
    if sent.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(bulk::held_keys(conn, &sent)?
        .into_iter()
        .map(KeyRow::record)
        .collect::<Result<_, _>>()?)
}

/// Quota usage of a user's stored responses: two lookups in one index.
fn kept(conn: &mut Conn, user: UserId) -> Result<StoredResponseUsage, Failure> {
    let row = bulk::usage(conn, &[UsageQuery::of_keys(user)])?.pop();
    let kept = row.map(UsageRow::usage).transpose()?;
    Ok(kept.map(|(_, _, kept)| kept).unwrap_or_default())
}

/// Runs a command at most once per key: under the lock of its user, the key is looked up first and
/// stored with its response last. `quota` is in bytes of stored responses.
pub(super) fn once<T>(
    conn: &mut Conn,
    user: Option<UserId>,
    key: Option<&Idempotent<T>>,
    quota: u64,
    at: DateTime<Utc>,
    command: impl FnOnce(&mut Conn) -> Result<Result<T, Refusal>, Failure>,
) -> Result<Result<Execution<T>, Refusal>, Failure> {
    let Some((user, key)) = user.zip(key) else {
        return Ok(command(conn)?.map(Execution::Executed));
    };
    locks::users(conn, &[user])?;
    let mut held = held(conn, std::iter::once((user, &key.scope)))?;
    let held = held.remove(&(user, key.scope.clone()));
    match decide_replay(Some(key), held.as_ref()) {
        Ok(None) => {}
        Ok(Some(answer)) => return Ok(Ok(Execution::Replayed(answer))),
        Err(refusal) => return Ok(Err(refusal)),
    }
    let kept = kept(conn, user)?;
    if let Err(refusal) = check_replay_quota(kept, quota) {
        return Ok(Err(refusal));
    }
    let outcome = match command(conn)? {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let answer = (key.render.0)(&outcome);
    bulk::keys(conn, &[NewKey::after(kept, user, key, answer, at)])?;
    Ok(Ok(Execution::Executed(outcome)))
}

impl Upkeep for Database {
    fn check(&self) -> Result<(), StoreError> {
        self.check_schema()
    }

    fn purge_idempotency_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.forget(bulk::OLD_KEYS, before)
    }

    fn purge_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.forget(bulk::OLD_TOKENS, before)? + self.forget(bulk::USED_TOKENS, before)?)
    }

    fn purge_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
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

    fn purge_known_networks(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.forget(bulk::OLD_NETWORKS, before)
    }

    fn pools(&self) -> Vec<PoolStats> {
        self.pool_use()
    }
}

impl Database {
    /// Purges old rows in small batches, so that other transactions can write in between.
    fn forget(&self, old: &'static str, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let (mut forgotten, before) = (0, micros(before));
        loop {
            let some = self.write(move |conn| Ok(bulk::forget(conn, old, before, AT_ONCE)?))?;
            let some = i64::try_from(some).unwrap_or(i64::MAX);
            forgotten += super::count(some);
            // The remaining rows are locked, or left for the next run.
            if some < AT_ONCE {
                return Ok(forgotten);
            }
        }
    }
}
