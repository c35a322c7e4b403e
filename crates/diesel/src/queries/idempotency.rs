//! Idempotency keys, stored in the transaction of their command.

use super::prelude::*;
use crate::rows::{NewStoredResponse, StoredResponseRow, UsageQuery};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::decision::KeyedResponse;
use tradepost_domain::kernel::{IdempotencyScope, StoredResponse, StoredResponseUsage, UserId};

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

/// Quota usage of the stored responses of these users: two lookups in one index for each.
pub(super) fn kept(
    conn: &mut Conn,
    users: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, StoredResponseUsage>, Failure> {
    let asked: Vec<UsageQuery> = users
        .iter()
        .map(|user| UsageQuery::of_keys(*user))
        .collect();
    let mut kept = BTreeMap::new();
    for row in bulk::usage(conn, &asked)? {
        let (user, _, of_user) = row.usage()?;
        kept.insert(user, of_user);
    }
    Ok(kept)
}

/// Stores responses under their keys, after the existing ones of their users.
pub(super) fn store<'a>(
    conn: &mut Conn,
    responses: &'a [KeyedResponse],
    mut kept: BTreeMap<UserId, StoredResponseUsage>,
) -> QueryResult<()> {
    if responses.is_empty() {
        return Ok(());
    }
    let row = |response: &'a KeyedResponse| {
        let kept = kept.entry(response.user).or_default();
        let row = NewStoredResponse::after(*kept, response);
        kept.last = kept.total_with(response.record.size(&response.scope));
        row
    };
    let rows: Vec<_> = responses.iter().map(row).collect();
    bulk::insert_responses(conn, rows)
}
