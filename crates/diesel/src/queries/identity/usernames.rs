//! Skeletons of usernames (UTS #39), by which confusable names are found, and whether names are
//! free.

use super::prelude::*;
use crate::schema::users;
use tradepost_domain::identity::{Email, NameConflicts, Username};
use tradepost_domain::kernel::{UserId, fold_case};

/// Users whose skeletons are computed per batch.
const BATCH: i64 = 1000;

/// Computes missing skeletons, and updates the keys of e-mail addresses where no other account has
/// the same.
pub(in super::super) fn fill_in(conn: &mut Conn) -> QueryResult<()> {
    let mut last = 0;
    loop {
        let missing = users::table
            .filter(users::username_skeleton.is_null())
            .filter(users::id.gt(last))
            .order(users::id)
            .limit(BATCH)
            .select((users::id, users::username, users::email, users::email_key))
            .load::<(i64, String, Option<String>, Option<String>)>(conn)?;
        let Some((end, ..)) = missing.last() else {
            return Ok(());
        };
        last = *end;
        let mut skeletons = Vec::new();
        for (id, username, email, key) in missing {
            skeletons.push((id, skeleton(&username)));
            let email = email.and_then(|email| Email::existing(&email).ok());
            if let Some(new) = email
                .map(|email| email.key())
                .filter(|new| Some(new) != key.as_ref())
            {
                renew_email_key(conn, id, &new)?;
            }
        }
        bulk::username_skeletons(conn, &skeletons)?;
    }
}

/// The skeleton of a row. A text that is no valid username, which is reported elsewhere, is its own
/// skeleton.
fn skeleton(username: &str) -> String {
    Username::existing(username).map_or_else(|_| fold_case(username), |name| name.skeleton())
}

fn renew_email_key(conn: &mut Conn, id: i64, key: &str) -> QueryResult<()> {
    let same = users::table.filter(users::email_key.eq(key));
    if !diesel::select(exists(same)).get_result::<bool>(conn)? {
        diesel::update(users::table.find(id))
            .set(users::email_key.eq(key))
            .execute(conn)?;
    }
    Ok(())
}

/// Locks the names of a new account, and returns their conflicts with existing accounts.
pub(super) fn conflicts(
    conn: &mut Conn,
    username: &Username,
    email: Option<&Email>,
) -> Result<NameConflicts, Failure> {
    let skeleton = username.skeleton();
    let as_email = username.as_email_key();
    let email_key = email.map(Email::key);
    let locked = [Some(&skeleton), as_email.as_ref(), email_key.as_ref()];
    let locked: Vec<&String> = locked.into_iter().flatten().collect();
    locks::names(conn, &locked)?;
    let taken = |conn: &mut Conn, key: &Option<String>| match key {
        Some(key) => {
            let same = users::table.filter(users::email_key.eq(key));
            diesel::select(exists(same)).get_result(conn)
        }
        None => Ok(false),
    };
    let same = users::table.filter(users::username_key.eq(username.key()));
    let similar = users::table.filter(users::username_skeleton.eq(&skeleton));
    Ok(NameConflicts {
        username: diesel::select(exists(same)).get_result(conn)?,
        similar_username: diesel::select(exists(similar)).get_result(conn)?,
        username_is_email: taken(conn, &as_email)?,
        email: taken(conn, &email_key)?,
        email_is_username: match email {
            Some(email) => is_username(conn, email, None)?,
            None => false,
        },
    })
}

/// Locks this user's new e-mail address, and returns its conflicts with other accounts.
pub(super) fn email_conflicts(
    conn: &mut Conn,
    user: UserId,
    email: &Email,
) -> Result<NameConflicts, Failure> {
    let key = email.key();
    locks::names(conn, &[&key])?;
    let of_others = users::table
        .filter(users::email_key.eq(&key))
        .filter(users::id.ne(user.get()));
    Ok(NameConflicts {
        email: diesel::select(exists(of_others)).get_result(conn)?,
        email_is_username: is_username(conn, email, Some(user))?,
        ..NameConflicts::default()
    })
}

/// Whether another account has the address as its username.
fn is_username(conn: &mut Conn, email: &Email, user: Option<UserId>) -> QueryResult<bool> {
    let named = users::table
        .filter(users::username_key.eq_any(email.as_username_keys()))
        .filter(users::id.ne(user.map_or(0, UserId::get)));
    diesel::select(exists(named)).get_result(conn)
}
