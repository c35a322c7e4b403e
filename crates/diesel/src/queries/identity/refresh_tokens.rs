//! Refresh tokens. A transaction that changes a user's tokens holds the lock of that user.

use super::account;
use super::prelude::*;
use crate::rows::RefreshTokenRow;
use crate::schema::refresh_tokens as tokens;
use diesel::dsl::{Eq, Filter};
use tradepost_domain::decision::Changes;
use tradepost_domain::identity::{
    Account, MAX_FAMILIES, Refresh, RefreshDigest, RefreshToken, decide_new_family, decide_refresh,
    decide_sign_out,
};
use tradepost_domain::kernel::{Refusal, UserId};

/// The presented token, or the unused token of its family.
fn find(
    conn: &mut Conn,
    token: RefreshDigest,
    family: RefreshDigest,
) -> Result<Option<RefreshToken>, Failure> {
    let sent = tokens::table.find(token.to_string());
    let sent = sent.select(RefreshTokenRow::as_select());
    let mut row = sent.first(conn).optional()?;
    if row.is_none() {
        let unused = unused(family).select(RefreshTokenRow::as_select());
        row = unused.first(conn).optional()?;
    }
    Ok(row.map(RefreshTokenRow::token).transpose()?)
}

type OfFamily = Filter<tokens::table, Eq<tokens::family, String>>;

fn of_family(family: RefreshDigest) -> OfFamily {
    tokens::table.filter(tokens::family.eq(family.to_string()))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn unused(family: RefreshDigest) -> _ {
    let family: OfFamily = of_family(family);
    family.filter(tokens::used_at.is_null())
}

/// Whether the token or its family is known. Read-only check before the write lock is taken, so
/// that invented tokens cannot block writers.
pub(super) fn is_known(conn: &mut Conn, command: &Refresh) -> Result<bool, Failure> {
    let token = tokens::table.find(command.token.to_string());
    let known: bool = diesel::select(exists(token)).get_result(conn)?;
    Ok(known || lives(conn, command.family)?)
}

/// Whether a family has an unused token.
pub(super) fn lives(conn: &mut Conn, family: RefreshDigest) -> Result<bool, Failure> {
    Ok(diesel::select(exists(unused(family))).get_result(conn)?)
}

/// Writes the changes of tokens.
pub(in super::super) fn write(conn: &mut Conn, changes: &Changes) -> Result<(), Failure> {
    for used in &changes.used_refresh_tokens {
        diesel::update(tokens::table.find(used.digest.to_string()))
            .set(tokens::used_at.eq(micros(used.at)))
            .execute(conn)?;
    }
    for family in &changes.ended_families {
        end(conn, *family)?;
    }
    for token in &changes.new_refresh_tokens {
        insert(conn, token)?;
    }
    for used in &changes.used_refresh_tokens {
        let old = of_family(used.family).filter(tokens::used_at.lt(micros(used.forget)));
        let old = old.select(tokens::digest).limit(PURGE_BATCH).load(conn)?;
        delete(conn, &old)?;
    }
    Ok(())
}

fn insert(conn: &mut Conn, token: &RefreshToken) -> Result<(), Failure> {
    diesel::insert_into(tokens::table)
        .values(RefreshTokenRow::from(token))
        .execute(conn)?;
    Ok(())
}

/// Stores the first token of a family, under the lock of its user.
pub(super) fn begin_family(conn: &mut Conn, token: &RefreshToken) -> Result<(), Failure> {
    locks::users(conn, &[token.user])?;
    let newest_first = tokens::table
        .filter(tokens::user_id.eq(token.user.get()))
        .filter(tokens::used_at.is_null())
        .order((tokens::issued_at.desc(), tokens::digest))
        .limit(
            i64::try_from(MAX_FAMILIES)
                .unwrap_or(i64::MAX)
                .saturating_add(PURGE_BATCH),
        )
        .select(tokens::family)
        .load::<String>(conn)?;
    let known = |family: &String| RefreshDigest::parse(family);
    let newest_first = newest_first.iter().filter_map(known);
    apply(conn, decide_new_family(token.clone(), newest_first))
}

pub(super) fn refresh(
    conn: &mut Conn,
    command: &Refresh,
) -> Result<Result<Account, Refusal>, Failure> {
    // A token never changes its user.
    let Some(owner) = find(conn, command.token, command.family)?.map(|token| token.user) else {
        return Ok(Err(Refusal::InvalidToken));
    };
    locks::users(conn, &[owner])?;
    let token = find(conn, command.token, command.family)?;
    let account = account(conn, owner)?;
    apply(
        conn,
        decide_refresh(command, token.as_ref(), account.as_ref()),
    )
}

pub(super) fn end_family(conn: &mut Conn, family: RefreshDigest) -> Result<(), Failure> {
    let owner = unused(family).select(tokens::user_id);
    if let Some(owner) = owner.first(conn).optional()?.and_then(UserId::new) {
        locks::users(conn, &[owner])?;
        apply(conn, decide_sign_out(family))?;
    }
    Ok(())
}

/// Deletes the one usable token of a family, and as many of the others as one batch allows and
/// other transactions have not locked. Requires the lock of its user.
fn end(conn: &mut Conn, family: RefreshDigest) -> Result<(), Failure> {
    let some = of_family(family).order(tokens::used_at.is_not_null());
    let some = some.select(tokens::digest).limit(PURGE_BATCH).load(conn)?;
    delete(conn, &some)
}

/// Deletes the tokens of every session of an account but the current one, under its lock. Tokens
/// beyond one batch stay until they expire: none of them is accepted.
pub(super) fn end_sessions(conn: &mut Conn, account: &Account) -> Result<(), Failure> {
    let ended = tokens::table
        .filter(tokens::user_id.eq(account.id.get()))
        .filter(tokens::session_epoch.ne(account.session_epoch));
    let ended = ended.select(tokens::digest).limit(PURGE_BATCH).load(conn)?;
    delete(conn, &ended)
}

/// Deletes those of these tokens that are not locked by another transaction.
fn delete(conn: &mut Conn, digests: &[String]) -> Result<(), Failure> {
    let free = locks::skip_locked_tokens(conn, digests)?;
    diesel::delete(tokens::table.filter(tokens::digest.eq_any(free))).execute(conn)?;
    Ok(())
}
