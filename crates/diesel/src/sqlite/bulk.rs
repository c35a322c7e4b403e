//! Bulk inserts and lookups: row by row, as SQLite runs in this process and keeps each statement
//! prepared. One statement for many rows would be prepared again for each number of rows.

mod changes;
mod prepared;
mod quotas;

pub(crate) use changes::{
    insert_cart_items, insert_products, insert_stock, update_cart_items, update_orders,
    update_products, update_thresholds, write_search_texts,
};
pub(super) use prepared::{AddOrders, AddSales};
#[cfg(test)]
pub(super) use quotas::QuotaUsage;
pub(crate) use quotas::usage;

use super::Conn;
use super::id_in::id_in;
use super::queries::maintenance::Aging;
use crate::rows::{
    NewMovementRow, NewOrderItem, NewOrderRow, NewStoredResponse, StockAfterRow, StoredResponseRow,
};
use crate::schema::{
    idempotency_keys, order_lines, orders, products, shop, stock, stock_movements, users,
};
use diesel::dsl::Find;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use prepared::{ChangeStock, insert_each};
use std::collections::BTreeMap;
use tradepost_domain::identity::MAX_KNOWN_NETWORKS;
use tradepost_domain::kernel::{IdempotencyScope, ProductId, UserId};

/// Deletes the known networks of an account beyond the latest.
pub(crate) fn drop_old_networks(conn: &mut Conn, account: &str) -> QueryResult<()> {
    diesel::sql_query(
        "DELETE FROM known_networks WHERE rowid IN (SELECT rowid FROM known_networks
            WHERE account = ? ORDER BY at DESC, network LIMIT -1 OFFSET ?)",
    )
    .bind::<Text, _>(account)
    .bind::<BigInt, _>(i64::from(MAX_KNOWN_NETWORKS))
    .execute(conn)
    .map(drop)
}

/// Stores the skeletons of usernames.
pub(crate) fn username_skeletons(conn: &mut Conn, new: &[(i64, String)]) -> QueryResult<()> {
    for (user, skeleton) in new {
        diesel::update(users::table.find(user))
            .set(users::username_skeleton.eq(skeleton))
            .execute(conn)?;
    }
    Ok(())
}

/// Deletes up to this many rows older than a time; returns their number.
pub(crate) fn purge(
    conn: &mut Conn,
    (table, key, age): Aging,
    before: i64,
    most: i64,
) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {age} < ? LIMIT ?)"
    ))
    .bind::<BigInt, _>(before)
    .bind::<BigInt, _>(most)
    .execute(conn)
}

/// Inserts orders; returns their ids, in the same order.
pub(crate) fn insert_orders(
    conn: &mut Conn,
    new: impl Iterator<Item = NewOrderRow>,
) -> QueryResult<Vec<i64>> {
    insert_each(conn, new, |conn, row| {
        diesel::insert_into(orders::table).values(row).execute(conn)
    })
}

/// Inserts order lines.
pub(crate) fn insert_order_items<'a>(
    conn: &mut Conn,
    new: impl Iterator<Item = NewOrderItem<'a>>,
) -> QueryResult<()> {
    for row in new {
        diesel::insert_into(order_lines::table)
            .values(row)
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts movements; returns their ids, in the same order.
pub(crate) fn insert_movements<'a>(
    conn: &mut Conn,
    new: impl Iterator<Item = NewMovementRow<'a>>,
) -> QueryResult<Vec<i64>> {
    insert_each(conn, new, |conn, row| {
        let insert = diesel::insert_into(stock_movements::table);
        insert.values(row).execute(conn)
    })
}

/// Changes stock on hand; returns the levels afterwards.
pub(crate) fn change_stock(
    conn: &mut Conn,
    changes: &BTreeMap<ProductId, i64>,
) -> QueryResult<Vec<StockAfterRow>> {
    for (product, change) in changes {
        let (product, change) = (product.get(), *change);
        ChangeStock { change, product }.execute(conn)?;
    }
    let of_shop: i64 = shop::table.find(1).select(shop::low_stock).first(conn)?;
    let ids: Vec<i64> = changes.keys().map(|product| product.get()).collect();
    let levels = stock::table
        .filter(id_in(stock::product_id, &ids))
        .select((stock::product_id, stock::on_hand, stock::low_stock))
        .load::<(i64, i64, Option<i64>)>(conn)?;
    let level = |(product_id, on_hand, own): (i64, i64, Option<i64>)| StockAfterRow {
        product_id,
        on_hand,
        threshold: own.unwrap_or(of_shop),
    };
    Ok(levels.into_iter().map(level).collect())
}

/// Stored responses under these keys.
pub(crate) fn find_responses(
    conn: &mut Conn,
    sent: &[(UserId, &IdempotencyScope)],
) -> QueryResult<Vec<StoredResponseRow>> {
    let mut found = Vec::new();
    for (user, scope) in sent {
        let row = key(*user, scope).select(StoredResponseRow::as_select());
        found.extend(row.first(conn).optional()?);
    }
    Ok(found)
}

/// Looked up by the full key: a user may have any number of keys.
pub(super) fn key(
    user: UserId,
    scope: &IdempotencyScope,
) -> Find<idempotency_keys::table, (i64, &str, &str)> {
    idempotency_keys::table.find((user.get(), &*scope.path, scope.key.as_str()))
}

/// The products that have these skus.
pub(crate) fn sku_holders(conn: &mut Conn, skus: &[&str]) -> QueryResult<Vec<(String, i64)>> {
    let mut holders = Vec::new();
    for sku in skus {
        let holder = products::table.filter(products::sku.eq(sku));
        let holder: Option<i64> = holder.select(products::id).first(conn).optional()?;
        holders.extend(holder.map(|id| ((*sku).to_owned(), id)));
    }
    Ok(holders)
}

/// Stores responses under their keys.
pub(crate) fn insert_responses<'a>(
    conn: &mut Conn,
    new: impl IntoIterator<Item = NewStoredResponse<'a>>,
) -> QueryResult<()> {
    for row in new {
        diesel::insert_into(idempotency_keys::table)
            .values(row)
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts imported or computed rows in one statement.
macro_rules! insert_imported {
    ($conn:expr, $table:expr, $rows:expr) => {
        diesel::insert_into($table)
            .values($rows.collect::<Vec<_>>())
            .execute($conn)?
    };
}

pub(crate) use insert_imported;

/// Nothing to do: AUTOINCREMENT continues from the largest id that ever existed.
pub(crate) fn continue_ids(_: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// The staged rows of ended imports of products: those before every import that has not ended.
const ENDED: &str =
    "import_id < (SELECT COALESCE(MIN(id), 9223372036854775807) FROM product_imports)";

/// Whether staged rows of ended imports of products remain.
pub(crate) fn has_ended_import_rows(conn: &mut Conn) -> QueryResult<bool> {
    diesel::select(diesel::dsl::sql::<Bool>(&format!(
        "EXISTS (SELECT 1 FROM product_import_rows WHERE {ENDED})"
    )))
    .get_result(conn)
}

/// Deletes up to this many staged rows of ended imports of products.
pub(crate) fn delete_ended_import_rows(conn: &mut Conn, most: i64) -> QueryResult<()> {
    diesel::sql_query(format!(
        "DELETE FROM product_import_rows WHERE (import_id, line) IN (SELECT import_id, line
            FROM product_import_rows WHERE {ENDED} LIMIT {most})"
    ))
    .execute(conn)
    .map(drop)
}
