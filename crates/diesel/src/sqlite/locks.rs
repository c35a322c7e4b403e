//! Locks for SQLite: no-ops, as a write owns the database from its first statement.

use super::Conn;
use super::id_in::id_in;
use crate::failure::Failure;
use crate::rows::ProductImportRow;
use crate::schema::{product_imports, users};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;
use tradepost_domain::import::products::ProductImportId;
use tradepost_domain::kernel::{OrderId, ProductId, UserId};

macro_rules! no_locks {
    ($($name:ident($($key:ty),*)),+ $(,)?) => {
        $(pub(crate) fn $name(_: &mut Conn $(, _: $key)*) -> Result<(), Failure> {
            Ok(())
        })+
    };
}

no_locks! {
    users(&[UserId]),
    roles(UserId),
    staff_or_abort(),
    lock_shop_or_abort(),
    lock_shop_for_import(),
    lock_catalogue(),
    plan_product_import(),
    lock_imported_products(&[ProductId]),
    names(&[&String]),
    attempt(&str, i64),
}

/// Pauses after one of many writes for as long as it took, at most: another process asks for the
/// write lock only from time to time, and would hardly find it free in between.
pub(crate) fn give_way(took: Duration) {
    sleep(took.min(MAX_PAUSE));
}

const MAX_PAUSE: Duration = Duration::from_millis(50);

/// The row of an import of products.
pub(crate) fn lock_import(
    conn: &mut Conn,
    import: ProductImportId,
) -> Result<Option<ProductImportRow>, Failure> {
    let row = product_imports::table
        .find(import.get())
        .select(ProductImportRow::as_select());
    Ok(row.first(conn).optional()?)
}

pub(crate) fn share_catalogue(_: &mut Conn) -> Result<bool, Failure> {
    Ok(true)
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

macro_rules! all_free {
    ($($name:ident: $id:ty),+ $(,)?) => {
        $(pub(crate) fn $name(
            _: &mut Conn,
            wanted: &BTreeSet<$id>,
        ) -> Result<BTreeSet<$id>, Failure> {
            Ok(wanted.clone())
        })+
    };
}

all_free! {
    try_acting_users: UserId,
    skip_locked_orders: OrderId,
    skip_locked_products: ProductId,
    skip_locked_stock: ProductId,
}

pub(crate) fn skip_locked_tokens(_: &mut Conn, digests: &[String]) -> Result<Vec<String>, Failure> {
    Ok(digests.to_vec())
}
