//! Locks for SQLite: no-ops, as a write owns the database from its first statement.

use super::Conn;
use super::id_in::id_in;
use crate::failure::Failure;
use crate::schema::users;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::kernel::{OrderId, ProductId, UserId};

type Done = Result<(), Failure>;

pub(crate) fn users(_: &mut Conn, _: &[UserId]) -> Done {
    Ok(())
}

pub(crate) fn acting_user(_: &mut Conn, _: UserId) -> Done {
    Ok(())
}

pub(crate) fn roles(_: &mut Conn, _: UserId) -> Done {
    Ok(())
}

pub(crate) fn order(_: &mut Conn, _: OrderId) -> Done {
    Ok(())
}

pub(crate) fn product(_: &mut Conn, _: ProductId) -> Done {
    Ok(())
}

pub(crate) fn lock_stock_or_abort(_: &mut Conn, _: &[ProductId]) -> Done {
    Ok(())
}

pub(crate) fn lock_shop_or_abort(_: &mut Conn) -> Done {
    Ok(())
}

pub(crate) fn lock_shop_for_import(_: &mut Conn) -> Done {
    Ok(())
}

pub(crate) fn names<'a>(_: &mut Conn, _: impl IntoIterator<Item = &'a String>) -> Done {
    Ok(())
}

pub(crate) fn attempt(_: &mut Conn, _: &str, _: i64) -> Done {
    Ok(())
}

pub(crate) fn skip_locked_users(
    conn: &mut Conn,
    wanted: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, bool>, Failure> {
    let ids: Vec<i64> = wanted.iter().map(|user| user.get()).collect();
    let active = users::table
        .filter(id_in(users::id, &ids))
        .select((users::id, users::is_active))
        .load::<(i64, bool)>(conn)?;
    // No other transaction can lock the row of an unknown user either.
    let mut free: BTreeMap<_, _> = wanted.iter().map(|user| (*user, false)).collect();
    free.extend(
        active
            .into_iter()
            .filter_map(|(id, active)| Some((UserId::new(id)?, active))),
    );
    Ok(free)
}

pub(crate) fn skip_locked_stock(
    _: &mut Conn,
    products: &BTreeSet<ProductId>,
) -> Result<BTreeSet<ProductId>, Failure> {
    Ok(products.clone())
}

pub(crate) fn skip_locked_tokens(_: &mut Conn, digests: &[String]) -> Result<Vec<String>, Failure> {
    Ok(digests.to_vec())
}
