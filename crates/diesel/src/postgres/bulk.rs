//! Bulk inserts and lookups in one statement. Each column is passed as an array, so that the
//! statement is the same for any number of rows and stays prepared.

pub(crate) use imports::{
    continue_ids, import_cart_lines, import_orders, import_products, import_users,
};
pub(crate) use quotas::usage;
#[cfg(test)]
pub(super) use quotas::usage_of;

use super::Conn;
use super::queries::NewKey;
use crate::rows::{KeyRow, micros};
use crate::usage::running_bytes;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use std::collections::{BTreeMap, HashMap};
use tradepost_domain::identity::MAX_KNOWN_NETWORKS;
use tradepost_domain::inventory::NewMovement;
use tradepost_domain::kernel::{IdempotencyScope, OrderId, ProductId, UserId};
use tradepost_domain::orders::{NewOrder, OrderItem};

/// A statement in two halves, with one array parameter per column between them.
macro_rules! statement {
    ($name:ident, $head:literal, { $($column:ident: $rust:ty => $sql:ty),+ $(,)? }, $tail:literal) => {
        #[derive(Default, QueryId)]
        pub(in crate::postgres) struct $name {
            $($column: Vec<$rust>),+
        }

        impl QueryFragment<Pg> for $name {
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

        impl RunQueryDsl<Conn> for $name {}
    };
}

mod imports;
mod quotas;

statement!(InsertOrders,
    "INSERT INTO orders (user_id, total, placement, created_at, updated_at, status, archived)
     SELECT user_id, total, placement, created_at, created_at, 'pending', FALSE
     FROM unnest(", {
        user: i64 => BigInt,
        total: i64 => BigInt,
        placement: String => Text,
        at: i64 => BigInt,
    }, ") AS new (user_id, total, placement, created_at)
    RETURNING placement, id");

impl Query for InsertOrders {
    type SqlType = (Text, BigInt);
}

statement!(InsertLines,
    "INSERT INTO order_lines
        (order_id, position, user_id, product_id, name, unit_price, quantity)
     SELECT * FROM unnest(", {
        order: i64 => BigInt,
        position: i64 => BigInt,
        user: i64 => BigInt,
        product: i64 => BigInt,
        name: String => Text,
        unit_price: i64 => BigInt,
        quantity: i64 => BigInt,
    }, ")");

statement!(InsertMovements,
    "INSERT INTO stock_movements
        (product_id, order_id, delta, reason, note, actor_id, created_at)
     SELECT product_id, order_id, delta, reason, note, actor_id, created_at
     FROM unnest(", {
        product: i64 => BigInt,
        order: Option<i64> => Nullable<BigInt>,
        delta: i64 => BigInt,
        reason: &'static str => Text,
        note: Option<String> => Nullable<Text>,
        actor: Option<i64> => Nullable<BigInt>,
        at: i64 => BigInt,
    }, ") WITH ORDINALITY
        AS new (product_id, order_id, delta, reason, note, actor_id, created_at, position)
    ORDER BY position RETURNING id");

impl Query for InsertMovements {
    type SqlType = BigInt;
}

statement!(ChangeStock,
    "UPDATE stock SET on_hand = stock.on_hand + change.delta
     FROM unnest(", {
        product: i64 => BigInt,
        delta: i64 => BigInt,
    }, ") AS change (product_id, delta)
    WHERE stock.product_id = change.product_id");

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

statement!(InsertKeys,
    "INSERT INTO idempotency_keys
        (user_id, path, key, fingerprint, answer, created_at, running_bytes)
     SELECT * FROM unnest(", {
        user: i64 => BigInt,
        path: String => Text,
        key: String => Text,
        fingerprint: String => Text,
        answer: String => Text,
        at: i64 => BigInt,
        running_bytes: i64 => BigInt,
    }, ")");

statement!(InsertProductTexts,
    "INSERT INTO product_texts (product_id, folded) SELECT * FROM unnest(", {
        product: i64 => BigInt,
        folded: String => Text,
    }, ")");

statement!(SetUsernameSkeletons,
    "UPDATE users SET username_skeleton = new.skeleton FROM unnest(", {
        user: i64 => BigInt,
        skeleton: String => Text,
    }, ") AS new (user_id, skeleton) WHERE users.id = new.user_id");

/// Old idempotency keys whose rows are not locked, for [`forget`].
pub(crate) const OLD_KEYS: &str = "DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY
    (SELECT ctid FROM idempotency_keys WHERE created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))";
/// Expired refresh tokens whose rows are not locked, for [`forget`].
pub(crate) const OLD_TOKENS: &str = "DELETE FROM refresh_tokens WHERE ctid = ANY (ARRAY
    (SELECT ctid FROM refresh_tokens WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))";
/// Used refresh tokens whose rows are not locked, for [`forget`].
pub(crate) const USED_TOKENS: &str = "DELETE FROM refresh_tokens WHERE ctid = ANY (ARRAY
    (SELECT ctid FROM refresh_tokens WHERE used_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))";
/// Old attempt counts whose rows are not locked, for [`forget`].
pub(crate) const OLD_ATTEMPTS: &str = "DELETE FROM attempts WHERE ctid = ANY (ARRAY
    (SELECT ctid FROM attempts WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))";

/// Clock readings by uptime whose rows are not locked, for [`forget`].
pub(crate) const OLD_READINGS: &str = "DELETE FROM clock_readings WHERE ctid = ANY (ARRAY
    (SELECT ctid FROM clock_readings WHERE uptime < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))";

/// Old known networks whose rows are not locked, for [`forget`].
pub(crate) const OLD_NETWORKS: &str = "DELETE FROM known_networks WHERE ctid = ANY (ARRAY
    (SELECT ctid FROM known_networks WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))";

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

/// Deletes up to this many rows older than a time; returns their number.
pub(crate) fn forget(conn: &mut Conn, old: &str, before: i64, most: i64) -> QueryResult<usize> {
    diesel::sql_query(old)
        .bind::<BigInt, _>(before)
        .bind::<BigInt, _>(most)
        .execute(conn)
}

/// Inserts orders; returns their ids, in the same order.
pub(crate) fn orders(conn: &mut Conn, new: &[&NewOrder]) -> QueryResult<Vec<i64>> {
    let mut rows = InsertOrders::default();
    for order in new {
        rows.user.push(order.user.get());
        rows.total.push(order.total.minor());
        rows.placement.push(order.placement.to_string());
        rows.at.push(micros(order.at));
    }
    let ids: HashMap<String, i64> = rows.load::<(String, i64)>(conn)?.into_iter().collect();
    let id = |order: &&NewOrder| ids.get(&order.placement.to_string()).copied();
    new.iter()
        .map(|order| id(order).ok_or(diesel::result::Error::NotFound))
        .collect()
}

/// Inserts order lines.
pub(crate) fn lines(
    conn: &mut Conn,
    orders: &[(OrderId, UserId, &[OrderItem])],
) -> QueryResult<()> {
    let mut rows = InsertLines::default();
    for (id, user, lines) in orders {
        for (position, line) in (0_i64..).zip(*lines) {
            rows.order.push(id.get());
            rows.position.push(position);
            rows.user.push(user.get());
            rows.product.push(line.product.get());
            rows.name.push(line.name.as_str().to_owned());
            rows.unit_price.push(line.unit_price.minor());
            rows.quantity.push(line.quantity.units());
        }
    }
    rows.execute(conn).map(drop)
}

/// Inserts movements; returns their ids, in the same order.
pub(crate) fn movements(conn: &mut Conn, new: &[NewMovement]) -> QueryResult<Vec<i64>> {
    let mut rows = InsertMovements::default();
    for movement in new {
        rows.product.push(movement.product.get());
        rows.order.push(movement.order.map(|order| order.get()));
        rows.delta.push(movement.delta.units());
        rows.reason.push(movement.reason.as_str());
        rows.note
            .push(movement.note.as_ref().map(ToString::to_string));
        rows.actor.push(movement.actor.map(|actor| actor.get()));
        rows.at.push(micros(movement.at));
    }
    rows.load(conn)
}

/// Changes stock on hand; returns the number of products changed.
pub(crate) fn change_stock(
    conn: &mut Conn,
    changes: &BTreeMap<ProductId, i64>,
) -> QueryResult<usize> {
    let rows = ChangeStock {
        product: changes.keys().map(|product| product.get()).collect(),
        delta: changes.values().copied().collect(),
    };
    rows.execute(conn)
}

/// Stored responses under these keys.
pub(crate) fn held_keys(
    conn: &mut Conn,
    sent: &[(UserId, &IdempotencyScope)],
) -> QueryResult<Vec<KeyRow>> {
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

/// Inserts idempotency keys.
pub(crate) fn keys(conn: &mut Conn, new: &[NewKey<'_>]) -> QueryResult<()> {
    let mut rows = InsertKeys::default();
    for key in new {
        rows.user.push(key.user.get());
        rows.path.push(key.scope.path.clone());
        rows.key.push(key.scope.key.as_str().to_owned());
        rows.fingerprint.push(key.fingerprint.to_owned());
        rows.answer.push(key.answer.clone());
        rows.at.push(micros(key.at));
        rows.running_bytes.push(running_bytes(key.running_bytes));
    }
    rows.execute(conn).map(drop)
}

/// Inserts the search texts of products.
pub(crate) fn product_texts(conn: &mut Conn, new: &[(i64, String)]) -> QueryResult<()> {
    let (product, folded) = new.iter().cloned().unzip();
    InsertProductTexts { product, folded }
        .execute(conn)
        .map(drop)
}

/// Stores the skeletons of usernames.
pub(crate) fn username_skeletons(conn: &mut Conn, new: &[(i64, String)]) -> QueryResult<()> {
    let (user, skeleton) = new.iter().cloned().unzip();
    SetUsernameSkeletons { user, skeleton }
        .execute(conn)
        .map(drop)
}
