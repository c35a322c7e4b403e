//! Idempotency keys, stored in the transaction of their command.

use super::prelude::*;
use crate::rows::{NewStoredResponse, StoredResponseRow, UsageQuery, UsageRow};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use tradepost_domain::kernel::{
    Execution, IdempotencyScope, Idempotent, StoredResponse, StoredResponseUsage, UserId,
    check_replay_quota, decide_replay,
};

/// Stored responses under these keys.
pub(super) fn held<'a>(
    conn: &mut Conn,
    sent: impl Iterator<Item = (UserId, &'a IdempotencyScope)>,
) -> Result<BTreeMap<(UserId, IdempotencyScope), StoredResponse>, Failure> {
    let sent: Vec<_> = sent.collect();
    if sent.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(bulk::find_responses(conn, &sent)?
        .into_iter()
        .map(StoredResponseRow::record)
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
    command: impl FnOnce(&mut Conn) -> Result<T, Failure>,
) -> Result<Execution<T>, Failure> {
    let Some((user, key)) = user.zip(key) else {
        return Ok(Execution::Executed(command(conn)?));
    };
    locks::users(conn, &[user])?;
    let mut held = held(conn, std::iter::once((user, &key.scope)))?;
    let held = held.remove(&(user, key.scope.clone()));
    if let Some(answer) = decide_replay(Some(key), held.as_ref())? {
        return Ok(Execution::Replayed(answer));
    }
    let kept = kept(conn, user)?;
    check_replay_quota(kept, quota)?;
    let outcome = command(conn)?;
    let answer = (key.render.0)(&outcome);
    bulk::insert_responses(
        conn,
        [NewStoredResponse::after(kept, user, key, answer, at)],
    )?;
    Ok(Execution::Executed(outcome))
}
