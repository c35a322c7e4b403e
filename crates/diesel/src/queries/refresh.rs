//! Refresh tokens. Whoever changes those of a user holds that user's lock.

use super::super::{Conn, locks};
use super::accounts;
use crate::failure::Failure;
use crate::rows::{RefreshRow, micros};
use crate::schema::refresh_tokens as tokens;
use diesel::prelude::*;
use tradepost_domain::{
    Account, Refresh, RefreshDecision, RefreshDigest, RefreshToken, Refusal, UserId, decide_refresh,
};

fn find(conn: &mut Conn, digest: RefreshDigest) -> Result<Option<RefreshToken>, Failure> {
    let row = tokens::table
        .find(digest.to_string())
        .first::<RefreshRow>(conn)
        .optional()?;
    Ok(row.map(RefreshRow::token).transpose()?)
}

/// Whether there is such a token. Who makes them up is to keep nobody from writing.
pub(super) fn is_known(conn: &mut Conn, digest: RefreshDigest) -> Result<bool, Failure> {
    let token = tokens::table.find(digest.to_string());
    Ok(diesel::select(diesel::dsl::exists(token)).get_result(conn)?)
}

/// Locks the user of a token, which never becomes another's; the user.
fn lock_owner(conn: &mut Conn, digest: RefreshDigest) -> Result<Option<UserId>, Failure> {
    let owner = find(conn, digest)?.map(|token| token.user);
    if let Some(owner) = owner {
        locks::users(conn, &[owner])?;
    }
    Ok(owner)
}

pub(super) fn insert(conn: &mut Conn, token: &RefreshToken) -> Result<(), Failure> {
    diesel::insert_into(tokens::table)
        .values(RefreshRow::of(token))
        .execute(conn)?;
    Ok(())
}

pub(super) fn refresh(
    conn: &mut Conn,
    command: &Refresh,
) -> Result<Result<Account, Refusal>, Failure> {
    let Some(owner) = lock_owner(conn, command.token)? else {
        return Ok(Err(Refusal::InvalidToken));
    };
    let token = find(conn, command.token)?;
    let account = accounts::find(conn, owner)?.map(|credentials| credentials.account);
    match decide_refresh(command, token.as_ref(), account.as_ref()) {
        RefreshDecision::Rotate(next) => {
            diesel::update(tokens::table.find(command.token.to_string()))
                .set(tokens::used_at.eq(micros(command.at)))
                .execute(conn)?;
            insert(conn, &next)?;
            return Ok(account.ok_or(Refusal::InvalidToken));
        }
        RefreshDecision::EndFamily => end(conn, token.as_ref())?,
        RefreshDecision::Refuse => {}
    }
    Ok(Err(Refusal::InvalidToken))
}

pub(super) fn end_family(conn: &mut Conn, digest: RefreshDigest) -> Result<(), Failure> {
    lock_owner(conn, digest)?;
    let token = find(conn, digest)?;
    end(conn, token.as_ref())
}

/// Deletes the family of a token, under the lock of its user.
fn end(conn: &mut Conn, token: Option<&RefreshToken>) -> Result<(), Failure> {
    let Some(token) = token else {
        return Ok(());
    };
    let family = tokens::table
        .filter(tokens::family.eq(token.family.to_string()))
        .select(tokens::digest)
        .load(conn)?;
    delete(conn, &family).map(drop)
}

/// Forgets the tokens of every session of an account but the current one, under its lock.
pub(super) fn end_sessions(conn: &mut Conn, account: &Account) -> Result<(), Failure> {
    let ended = tokens::table
        .filter(tokens::user_id.eq(account.id.get()))
        .filter(tokens::session_epoch.ne(account.session_epoch))
        .select(tokens::digest)
        .load(conn)?;
    delete(conn, &ended).map(drop)
}

/// Deletes those of these tokens that nobody else is deleting.
fn delete(conn: &mut Conn, digests: &[String]) -> Result<usize, Failure> {
    let mut deleted = 0;
    // A statement has a bound on what can be bound to it, and a family may be long.
    for some in digests.chunks(500) {
        let free = locks::free_tokens(conn, some)?;
        let rows = tokens::table.filter(tokens::digest.eq_any(free));
        deleted += diesel::delete(rows).execute(conn)?;
    }
    Ok(deleted)
}
