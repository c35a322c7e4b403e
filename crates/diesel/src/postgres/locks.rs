//! Row locks in one order: user, order, product, stock by ascending product id, shop. Names of
//! accounts come after the user.
//!
//! A transaction waits only for its first lock, while it holds none: otherwise one idle session
//! would block every row that other transactions hold. Further locks (`..._or_abort`) never wait:
//! if one is held, the transaction is rolled back. A slice of commands (`skip_locked_...`) waits for
//! no lock: it skips the rows that are locked. The role locks of its acting users
//! ([`try_acting_users`]) come before all others.
//!
//! NO KEY UPDATE, because FOR UPDATE conflicts with the lock that a foreign key takes on the row
//! that it refers to.

use super::{Conn, Flag, classify};
use crate::failure::Failure;
use crate::rows::ProductImportRow;
use crate::schema::{
    attempts, orders, product_imports, products, refresh_tokens, shop, stock, users,
};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;
use tradepost_domain::import::products::ProductImportId;
use tradepost_domain::kernel::{OrderId, ProductId, UserId};

type Done = Result<(), Failure>;

pub(crate) fn users(conn: &mut Conn, ids: &[UserId]) -> Done {
    let ids: Vec<i64> = ids.iter().map(|user| user.get()).collect();
    let rows = users::table
        .filter(users::id.eq_any(ids))
        .order(users::id)
        .select(users::id);
    rows.for_no_key_update().load::<i64>(conn)?;
    Ok(())
}

/// Ids are positive, and so is the lock of migrations.
fn role_lock(user: UserId) -> i64 {
    user.get().saturating_neg()
}

/// Locks one account for a change of its role, and the staff roles as a whole: two staff users who
/// demote each other would otherwise leave none. Does not wait for other staff users.
pub(crate) fn roles(conn: &mut Conn, user: UserId) -> Done {
    let lock = format!("SELECT pg_advisory_xact_lock({})", role_lock(user));
    conn.batch_execute(&lock)?;
    // Held briefly by a cart or a batch. Only writes of this user wait meanwhile.
    users(conn, &[user])?;
    staff_or_abort(conn)
}

/// Locks the staff roles as a whole.
pub(crate) fn staff_or_abort(conn: &mut Conn) -> Done {
    // "TPST", as the lock of migrations, with a number of its own.
    let lock = diesel::sql_query("SELECT pg_try_advisory_xact_lock(1414550356, 1) AS value");
    match lock.get_result::<Flag>(conn)?.value {
        true => Ok(()),
        false => Err(Failure::LockConflict),
    }
}

pub(crate) fn lock_shop_or_abort(conn: &mut Conn) -> Done {
    let shop = shop::table.select(shop::id);
    all(
        shop.for_no_key_update()
            .skip_locked()
            .load::<i64>(conn)?
            .len(),
        1,
    )
}

/// Blocks all other writes of users, products, carts and orders. Reads go on.
pub(crate) fn lock_shop_for_import(conn: &mut Conn) -> Done {
    let locked = conn.batch_execute(
        "LOCK TABLE users, products, stock, cart_items, orders IN SHARE ROW EXCLUSIVE MODE NOWAIT;
         SET LOCAL idle_in_transaction_session_timeout = 0",
    );
    locked.map_err(|error| match error {
        error if classify::is_taken(&error) => Failure::LockConflict,
        error => error.into(),
    })
}

/// Prepares a transaction that reads the staged rows of an import of products. They are new to the
/// planner: without statistics it would join whole tables for each chunk of them.
pub(crate) fn plan_product_import(conn: &mut Conn) -> Done {
    Ok(conn.batch_execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")?)
}

/// Locks the catalogue for the beginning of an import of products: waits for the edits of products
/// that have begun.
pub(crate) fn lock_catalogue(conn: &mut Conn) -> Done {
    // "TPCA".
    Ok(conn.batch_execute("SELECT pg_advisory_xact_lock(1414546241)")?)
}

/// Locks the catalogue for edits of products, side by side with other edits; whether it is free.
pub(crate) fn share_catalogue(conn: &mut Conn) -> Result<bool, Failure> {
    let lock = diesel::sql_query("SELECT pg_try_advisory_xact_lock_shared(1414546241) AS value");
    Ok(lock.get_result::<Flag>(conn)?.value)
}

/// Nothing to do: transactions run side by side.
pub(crate) fn give_way(_: Duration) {}

/// Locks the row of an import of products, and returns it.
pub(crate) fn lock_import(
    conn: &mut Conn,
    import: ProductImportId,
) -> Result<Option<ProductImportRow>, Failure> {
    let row = product_imports::table
        .find(import.get())
        .select(ProductImportRow::as_select());
    Ok(row.for_no_key_update().first(conn).optional()?)
}

/// How often an import asks for the rows that other transactions have locked, and how long it
/// pauses in between: orders and edits hold them for milliseconds.
const ASKED: u32 = 100;
const ASKED_EVERY: Duration = Duration::from_millis(10);

/// Locks products of an import and their stock. No statement waits: the transaction holds other
/// rows. It asks again for a while instead, as an order never waits for a row, and so gives back
/// those that it holds.
pub(crate) fn lock_imported_products(conn: &mut Conn, ids: &[ProductId]) -> Done {
    let wanted: Vec<i64> = ids.iter().map(|product| product.get()).collect();
    for _ in 0..ASKED {
        let rows = products::table
            .filter(products::id.eq_any(&wanted))
            .order(products::id)
            .select(products::id);
        let locked = rows.for_no_key_update().skip_locked().load::<i64>(conn)?;
        if locked.len() == wanted.len()
            && skip_locked_stock(conn, &ids.iter().copied().collect())?.len() == wanted.len()
        {
            return Ok(());
        }
        sleep(ASKED_EVERY);
    }
    Err(Failure::LockConflict)
}

/// Locks names before they are looked up and inserted. They may have no rows, so each is locked by
/// its digest until the transaction ends; a collision of digests only causes a needless conflict.
pub(crate) fn names(conn: &mut Conn, names: &[&String]) -> Done {
    // "TPNM", apart from the lock of migrations, whose key is of another form.
    const NAMES: i32 = 0x5450_4e4d;
    for name in names {
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(name).into();
        let digest = i32::from_be_bytes([a, b, c, d]);
        let lock = diesel::sql_query("SELECT pg_try_advisory_xact_lock($1, $2) AS value");
        let lock = lock.bind::<Integer, _>(NAMES).bind::<Integer, _>(digest);
        if !lock.get_result::<Flag>(conn)?.value {
            return Err(Failure::LockConflict);
        }
    }
    Ok(())
}

/// Locks the attempt count under this key, inserting the row first if it is missing: two concurrent
/// first attempts would both find nothing to lock.
pub(crate) fn attempt(conn: &mut Conn, key: &str, at: i64) -> Done {
    diesel::insert_into(attempts::table)
        .values((
            attempts::key.eq(key),
            attempts::tries.eq(0),
            attempts::at.eq(at),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    let row = attempts::table.find(key).select(attempts::at);
    // No row if it was deleted in between.
    all(row.for_no_key_update().load::<i64>(conn)?.len(), 1)
}

fn all(locked: usize, wanted: usize) -> Done {
    if locked == wanted {
        Ok(())
    } else {
        Err(Failure::LockConflict)
    }
}

/// Locks the users that are not locked (SKIP LOCKED), and returns whether the account of each is
/// active.
pub(crate) fn skip_locked_users(
    conn: &mut Conn,
    wanted: &BTreeSet<UserId>,
) -> Result<BTreeMap<UserId, bool>, Failure> {
    let ids: Vec<i64> = wanted.iter().map(|user| user.get()).collect();
    let rows = users::table
        .filter(users::id.eq_any(ids))
        .order(users::id)
        .select((users::id, users::is_active));
    let locked = rows.for_no_key_update().skip_locked();
    let locked = locked.load::<(i64, bool)>(conn)?.into_iter();
    Ok(locked
        .filter_map(|(id, active)| Some((UserId::new(id)?, active)))
        .collect())
}

/// Locks the roles of the acting users of a slice, as far as no change of a role holds or awaits
/// their locks; returns these users. The roles cannot change until the commit. The accounts are
/// read in a later statement, which sees every commit before the lock was granted. Concurrent writes
/// of one user share the lock; a change of the role takes it exclusively.
///
/// Advisory locks instead of row locks, because their queue is fair, also towards attempts: a
/// stream of writes cannot keep their user from being demoted, as it could by sharing a row lock.
pub(crate) fn try_acting_users(
    conn: &mut Conn,
    wanted: &BTreeSet<UserId>,
) -> Result<BTreeSet<UserId>, Failure> {
    let ids: Vec<i64> = wanted.iter().map(|user| user.get()).collect();
    let locked = diesel::sql_query(
        "SELECT id AS value FROM unnest($1) AS acting (id)
         WHERE pg_try_advisory_xact_lock_shared(-id)",
    );
    let locked = locked.bind::<Array<BigInt>, _>(ids);
    let locked = locked.load::<Number>(conn)?.into_iter();
    Ok(locked.filter_map(|id| UserId::new(id.value)).collect())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

pub(crate) fn skip_locked_orders(
    conn: &mut Conn,
    wanted: &BTreeSet<OrderId>,
) -> Result<BTreeSet<OrderId>, Failure> {
    let ids: Vec<i64> = wanted.iter().map(|order| order.get()).collect();
    let rows = orders::table
        .filter(orders::id.eq_any(ids))
        .order(orders::id)
        .select(orders::id);
    let locked = rows.for_no_key_update().skip_locked().load::<i64>(conn)?;
    Ok(locked.into_iter().filter_map(OrderId::new).collect())
}

pub(crate) fn skip_locked_products(
    conn: &mut Conn,
    wanted: &BTreeSet<ProductId>,
) -> Result<BTreeSet<ProductId>, Failure> {
    let ids: Vec<i64> = wanted.iter().map(|product| product.get()).collect();
    let rows = products::table
        .filter(products::id.eq_any(ids))
        .order(products::id)
        .select(products::id);
    let locked = rows.for_no_key_update().skip_locked().load::<i64>(conn)?;
    Ok(locked.into_iter().filter_map(ProductId::new).collect())
}

pub(crate) fn skip_locked_stock(
    conn: &mut Conn,
    wanted: &BTreeSet<ProductId>,
) -> Result<BTreeSet<ProductId>, Failure> {
    let ids: Vec<i64> = wanted.iter().map(|product| product.get()).collect();
    let rows = stock::table
        .filter(stock::product_id.eq_any(ids))
        .order(stock::product_id)
        .select(stock::product_id);
    let locked = rows.for_no_key_update().skip_locked().load::<i64>(conn)?;
    Ok(locked.into_iter().filter_map(ProductId::new).collect())
}

pub(crate) fn skip_locked_tokens(
    conn: &mut Conn,
    digests: &[String],
) -> Result<Vec<String>, Failure> {
    let rows = refresh_tokens::table
        .filter(refresh_tokens::digest.eq_any(digests))
        .order(refresh_tokens::digest)
        .select(refresh_tokens::digest);
    Ok(rows.for_update().skip_locked().load(conn)?)
}
