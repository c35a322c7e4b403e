//! Bulk statements. Each column is passed as an array, so that the statement is the same for any
//! number of rows and stays prepared.

pub(crate) use changes::{
    insert_cart_items, insert_products, insert_stock, update_cart_items, update_orders,
    update_products, update_thresholds, write_search_texts,
};
pub(super) use events::{InsertOutbox, add_to_sums};
pub(crate) use quotas::usage;
#[cfg(test)]
pub(super) use quotas::usage_of;

use super::Conn;
use super::queries::maintenance::Aging;
use crate::rows::columns::{Columns, Parameters};
use crate::rows::{
    NewMovementRow, NewOrderItem, NewOrderRow, NewStoredResponse, StockAfterRow, StoredResponseRow,
};
use crate::schema::products;
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use std::collections::{BTreeMap, HashMap};
use tradepost_domain::identity::MAX_KNOWN_NETWORKS;
use tradepost_domain::kernel::{IdempotencyScope, ProductId, UserId};

/// Lets a statement be executed, and keeps it prepared.
macro_rules! prepared {
    ($name:ident $(<$life:lifetime>)?) => {
        const _: () = {
            pub(in crate::postgres) struct Id;

            impl $(<$life>)? QueryId for $name $(<$life>)? {
                type QueryId = Id;
                const HAS_STATIC_QUERY_ID: bool = true;
            }
        };

        impl $(<$life>)? RunQueryDsl<Conn> for $name $(<$life>)? {}
    };
}

/// A statement in two halves, with one array parameter per column between them.
macro_rules! statement {
    ($name:ident $(<$life:lifetime>)?, $head:expr, {
        $($column:ident: $rust:ty => $sql:ty),+ $(,)?
    }, $tail:expr) => {
        #[derive(Default)]
        pub(in crate::postgres) struct $name $(<$life>)? {
            $($column: Vec<$rust>),+
        }

        impl $(<$life>)? QueryFragment<Pg> for $name $(<$life>)? {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                out.push_sql($head);
                let mut separators = std::iter::once("").chain(std::iter::repeat(", "));
                $(
                    out.push_sql(separators.next().unwrap_or_default());
                    out.push_bind_param::<Array<$sql>, _>(&self.$column)?;
                )+
                out.push_sql($tail);
                Ok(())
            }
        }

        prepared!($name $(<$life>)?);
    };
}

/// An insert of rows, with one array parameter per column. It may be in a WITH query.
macro_rules! insert {
    ($name:ident $(<$life:lifetime>)?, $row:ty => $table:literal, $tail:literal) => {
        insert!("", $name $(<$life>)?, $row => $table, $tail);
    };
    ($with:literal, $name:ident $(<$life:lifetime>)?, $row:ty => $table:literal, $tail:literal) => {
        #[derive(Default)]
        pub(in crate::postgres) struct $name $(<$life>)?(<$row as Columns>::Arrays);

        impl $(<$life>)? QueryFragment<Pg> for $name $(<$life>)? {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                out.push_sql(concat!($with, "INSERT INTO ", $table, " ("));
                names::<$row>(&mut out);
                out.push_sql(") SELECT ");
                names::<$row>(&mut out);
                out.push_sql(" FROM unnest(");
                <$row as Columns>::bind(&self.0, &mut Parameters::new(&mut out, true))?;
                out.push_sql(") WITH ORDINALITY AS new (");
                names::<$row>(&mut out);
                out.push_sql(concat!(", row_number)", $tail));
                Ok(())
            }
        }

        prepared!($name $(<$life>)?);

        impl $(<$life>)? FromIterator<$row> for $name $(<$life>)? {
            fn from_iter<I: IntoIterator<Item = $row>>(rows: I) -> Self {
                let mut columns = Self::default();
                for row in rows {
                    row.push(&mut columns.0);
                }
                columns
            }
        }
    };
}

/// Writes the names of the columns of a row.
fn names<R: Columns>(out: &mut AstPass<'_, '_, Pg>) {
    let mut separators = std::iter::once("").chain(std::iter::repeat(", "));
    R::names("", &mut |name| {
        out.push_sql(separators.next().unwrap_or_default());
        out.push_sql(name);
    });
}

mod changes;
mod events;
mod quotas;

// An order and its event are one statement, as each further one costs a round trip per batch.
insert!("WITH placed AS (", InsertOrders, NewOrderRow => "orders", " RETURNING id, placement, user_id, total, created_at
    ), told AS (
        INSERT INTO outbox (kind, order_id, user_id, actor_id, detail, amount, at)
        SELECT 'order.placed', id, user_id, user_id, '', total, created_at FROM placed
    ) SELECT placement, id FROM placed");

impl Query for InsertOrders {
    type SqlType = (Text, BigInt);
}

insert!(InsertOrderItems<'a>, NewOrderItem<'a> => "order_lines", "");

insert!(InsertMovements<'a>, NewMovementRow<'a> => "stock_movements", " ORDER BY row_number RETURNING id");

impl Query for InsertMovements<'_> {
    type SqlType = BigInt;
}

insert!(InsertResponses<'a>, NewStoredResponse<'a> => "idempotency_keys", "");

statement!(ChangeStock,
    "UPDATE stock SET on_hand = stock.on_hand + change.delta
     FROM unnest(", {
        product: i64 => BigInt,
        delta: i64 => BigInt,
    }, ") AS change (product_id, delta)
    WHERE stock.product_id = change.product_id
    RETURNING stock.product_id, stock.on_hand,
        COALESCE(stock.low_stock, (SELECT low_stock FROM shop))");

impl Query for ChangeStock {
    type SqlType = (BigInt, BigInt, BigInt);
}

// Looked up by the full key, as a user may have any number of keys. LIMIT keeps the planner from a
// full scan of a table that was small when it made its plan.
statement!(HeldKeys,
    "SELECT held.* FROM unnest(", {
        user: i64 => BigInt,
        path: String => Text,
        key: String => Text,
    }, ") AS sent (user_id, path, key) CROSS JOIN LATERAL (
        SELECT user_id, path, key, fingerprint, answer, created_at FROM idempotency_keys AS held
        WHERE held.user_id = sent.user_id AND held.path = sent.path AND held.key = sent.key
        LIMIT 1
    ) AS held");

impl Query for HeldKeys {
    type SqlType = (BigInt, Text, Text, Text, Text, BigInt);
}

statement!(SetUsernameSkeletons,
    "UPDATE users SET username_skeleton = new.skeleton FROM unnest(", {
        user: i64 => BigInt,
        skeleton: String => Text,
    }, ") AS new (user_id, skeleton) WHERE users.id = new.user_id");

/// Deletes the known networks of an account beyond the latest. Locked rows are skipped.
pub(crate) fn drop_old_networks(conn: &mut Conn, account: &str) -> QueryResult<()> {
    diesel::sql_query(
        "DELETE FROM known_networks WHERE ctid = ANY (ARRAY (SELECT ctid FROM known_networks
            WHERE account = $1 AND network NOT IN (SELECT network FROM known_networks
                WHERE account = $1 ORDER BY at DESC, network LIMIT $2)
            FOR UPDATE SKIP LOCKED))",
    )
    .bind::<Text, _>(account)
    .bind::<BigInt, _>(i64::from(MAX_KNOWN_NETWORKS))
    .execute(conn)
    .map(drop)
}

/// Deletes up to this many rows older than a time, whose rows are not locked; returns their number.
pub(crate) fn purge(
    conn: &mut Conn,
    (table, _, age): Aging,
    before: i64,
    most: i64,
) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "DELETE FROM {table} WHERE ctid = ANY (ARRAY
            (SELECT ctid FROM {table} WHERE {age} < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))"
    ))
    .bind::<BigInt, _>(before)
    .bind::<BigInt, _>(most)
    .execute(conn)
}

/// Inserts orders with their `order.placed`; returns their ids, in the same order.
pub(crate) fn insert_orders(
    conn: &mut Conn,
    new: impl Iterator<Item = NewOrderRow>,
) -> QueryResult<Vec<i64>> {
    let mut placements = Vec::new();
    let placed = |row: &NewOrderRow| placements.push(row.placement.clone());
    let rows: InsertOrders = new.inspect(placed).collect();
    let ids: HashMap<String, i64> = rows.load::<(String, i64)>(conn)?.into_iter().collect();
    let id = |placement| ids.get(placement).copied();
    placements
        .iter()
        .map(|placement| id(placement).ok_or(diesel::result::Error::NotFound))
        .collect()
}

/// Inserts order lines.
pub(crate) fn insert_order_items<'a>(
    conn: &mut Conn,
    new: impl Iterator<Item = NewOrderItem<'a>>,
) -> QueryResult<()> {
    let rows: InsertOrderItems<'_> = new.collect();
    rows.execute(conn).map(drop)
}

/// Inserts movements; returns their ids, in the same order.
pub(crate) fn insert_movements<'a>(
    conn: &mut Conn,
    new: impl Iterator<Item = NewMovementRow<'a>>,
) -> QueryResult<Vec<i64>> {
    let rows: InsertMovements<'_> = new.collect();
    rows.load(conn)
}

/// Changes stock on hand; returns the levels afterwards.
pub(crate) fn change_stock(
    conn: &mut Conn,
    changes: &BTreeMap<ProductId, i64>,
) -> QueryResult<Vec<StockAfterRow>> {
    let rows = ChangeStock {
        product: changes.keys().map(|product| product.get()).collect(),
        delta: changes.values().copied().collect(),
    };
    rows.load(conn)
}

/// Stored responses under these keys.
pub(crate) fn find_responses(
    conn: &mut Conn,
    sent: &[(UserId, &IdempotencyScope)],
) -> QueryResult<Vec<StoredResponseRow>> {
    asked(sent).load(conn)
}

pub(super) fn asked(sent: &[(UserId, &IdempotencyScope)]) -> HeldKeys {
    HeldKeys {
        user: sent.iter().map(|(user, _)| user.get()).collect(),
        path: sent.iter().map(|(_, scope)| scope.path.clone()).collect(),
        key: sent
            .iter()
            .map(|(_, scope)| scope.key.as_str().to_owned())
            .collect(),
    }
}

/// The products that have these skus.
pub(crate) fn sku_holders(conn: &mut Conn, skus: &[&str]) -> QueryResult<Vec<(String, i64)>> {
    products::table
        .filter(products::sku.eq_any(skus))
        .select((products::sku.assume_not_null(), products::id))
        .load(conn)
}

/// Stores responses under their keys.
pub(crate) fn insert_responses<'a>(
    conn: &mut Conn,
    new: impl IntoIterator<Item = NewStoredResponse<'a>>,
) -> QueryResult<()> {
    let rows: InsertResponses<'_> = new.into_iter().collect();
    rows.execute(conn).map(drop)
}

/// Inserts imported or computed rows: COPY takes their ids, which the identity columns would refuse in an
/// INSERT.
macro_rules! insert_imported {
    ($conn:expr, $table:expr, $rows:expr) => {
        diesel::copy_from($table)
            .from_insertable($rows.collect::<Vec<_>>())
            .execute($conn)?
    };
}

pub(crate) use insert_imported;

/// Stores the skeletons of usernames.
pub(crate) fn username_skeletons(conn: &mut Conn, new: &[(i64, String)]) -> QueryResult<()> {
    let (user, skeleton) = new.iter().cloned().unzip();
    SetUsernameSkeletons { user, skeleton }
        .execute(conn)
        .map(drop)
}

/// Moves each sequence past the largest id. A sequence is never moved back: its ids may have been
/// seen.
pub(crate) fn continue_ids(conn: &mut Conn) -> QueryResult<()> {
    for table in ["users", "products", "cart_items", "orders"] {
        conn.batch_execute(&format!(
            "SELECT setval(sequence, GREATEST(largest, pg_sequence_last_value(sequence)))
             FROM (SELECT CAST(pg_get_serial_sequence('{table}', 'id') AS regclass) AS sequence,
                          max(id) AS largest FROM {table}) AS ids
             WHERE largest IS NOT NULL"
        ))?;
    }
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
        "DELETE FROM product_import_rows WHERE ctid = ANY (ARRAY (SELECT ctid
            FROM product_import_rows WHERE {ENDED} ORDER BY import_id, line LIMIT {most}))"
    ))
    .execute(conn)
    .map(drop)
}
