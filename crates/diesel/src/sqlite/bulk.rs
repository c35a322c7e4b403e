//! Bulk inserts and lookups: row by row, as SQLite runs in this process and keeps each statement
//! prepared. One statement for many rows would be prepared again for each number of rows.

mod quotas;

#[cfg(test)]
pub(super) use quotas::QuotaUsage;
pub(crate) use quotas::usage;

use super::Conn;
use super::queries::NewKey;
use crate::rows::{KeyRow, micros};
use crate::schema::{
    cart_items, idempotency_keys, order_lines, orders, product_texts, products, stock,
    stock_movements, users,
};
use crate::usage::running_bytes;
use diesel::dsl::Find;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::collections::BTreeMap;
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::{Credentials, MAX_KNOWN_NETWORKS};
use tradepost_domain::inventory::NewMovement;
use tradepost_domain::kernel::{IdempotencyScope, OrderId, ProductId, UserId};
use tradepost_domain::orders::{NewOrder, Order, OrderItem, OrderStatus};

/// Old idempotency keys, for [`forget`].
pub(crate) const OLD_KEYS: &str = "DELETE FROM idempotency_keys WHERE rowid IN
    (SELECT rowid FROM idempotency_keys WHERE created_at < ? LIMIT ?)";
/// Expired refresh tokens, for [`forget`].
pub(crate) const OLD_TOKENS: &str = "DELETE FROM refresh_tokens WHERE digest IN
    (SELECT digest FROM refresh_tokens WHERE expires_at < ? LIMIT ?)";
/// Used refresh tokens, for [`forget`].
pub(crate) const USED_TOKENS: &str = "DELETE FROM refresh_tokens WHERE digest IN
    (SELECT digest FROM refresh_tokens WHERE used_at < ? LIMIT ?)";
/// Old attempt counts, for [`forget`].
pub(crate) const OLD_ATTEMPTS: &str = "DELETE FROM attempts WHERE rowid IN
    (SELECT rowid FROM attempts WHERE at < ? LIMIT ?)";

/// Clock readings by uptime, for [`forget`].
pub(crate) const OLD_READINGS: &str = "DELETE FROM clock_readings WHERE id IN
    (SELECT id FROM clock_readings WHERE uptime < ? LIMIT ?)";

/// Old known networks, for [`forget`].
pub(crate) const OLD_NETWORKS: &str = "DELETE FROM known_networks WHERE rowid IN
    (SELECT rowid FROM known_networks WHERE at < ? LIMIT ?)";

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
pub(crate) fn forget(conn: &mut Conn, old: &str, before: i64, most: i64) -> QueryResult<usize> {
    diesel::sql_query(old)
        .bind::<BigInt, _>(before)
        .bind::<BigInt, _>(most)
        .execute(conn)
}

/// Inserts orders; returns their ids, in the same order.
pub(crate) fn orders(conn: &mut Conn, new: &[&NewOrder]) -> QueryResult<Vec<i64>> {
    let insert = |order: &&NewOrder| {
        diesel::insert_into(orders::table)
            .values((
                orders::user_id.eq(order.user.get()),
                orders::status.eq(OrderStatus::Pending.as_str()),
                orders::total.eq(order.total.minor()),
                orders::archived.eq(false),
                orders::placement.eq(order.placement.to_string()),
                orders::created_at.eq(micros(order.at)),
                orders::updated_at.eq(micros(order.at)),
            ))
            .returning(orders::id)
            .get_result(conn)
    };
    new.iter().map(insert).collect()
}

/// Inserts order lines.
pub(crate) fn lines(
    conn: &mut Conn,
    orders: &[(OrderId, UserId, &[OrderItem])],
) -> QueryResult<()> {
    for (id, user, lines) in orders {
        for (position, line) in (0_i64..).zip(*lines) {
            diesel::insert_into(order_lines::table)
                .values((
                    order_lines::order_id.eq(id.get()),
                    order_lines::position.eq(position),
                    order_lines::user_id.eq(user.get()),
                    order_lines::product_id.eq(line.product.get()),
                    order_lines::name.eq(line.name.as_str()),
                    order_lines::unit_price.eq(line.unit_price.minor()),
                    order_lines::quantity.eq(line.quantity.units()),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}

/// Inserts movements; returns their ids, in the same order.
pub(crate) fn movements(conn: &mut Conn, new: &[NewMovement]) -> QueryResult<Vec<i64>> {
    let insert = |movement: &NewMovement| {
        diesel::insert_into(stock_movements::table)
            .values((
                stock_movements::product_id.eq(movement.product.get()),
                stock_movements::order_id.eq(movement.order.map(|order| order.get())),
                stock_movements::delta.eq(movement.delta.units()),
                stock_movements::reason.eq(movement.reason.as_str()),
                stock_movements::note.eq(movement.note.as_ref().map(|note| note.as_str())),
                stock_movements::actor_id.eq(movement.actor.map(|actor| actor.get())),
                stock_movements::created_at.eq(micros(movement.at)),
            ))
            .returning(stock_movements::id)
            .get_result(conn)
    };
    new.iter().map(insert).collect()
}

/// Changes stock on hand; returns the number of products changed.
pub(crate) fn change_stock(
    conn: &mut Conn,
    changes: &BTreeMap<ProductId, i64>,
) -> QueryResult<usize> {
    let mut changed = 0;
    for (product, change) in changes {
        changed += diesel::update(stock::table.find(product.get()))
            .set(stock::on_hand.eq(stock::on_hand + change))
            .execute(conn)?;
    }
    Ok(changed)
}

/// Stored responses under these keys.
pub(crate) fn held_keys(
    conn: &mut Conn,
    sent: &[(UserId, &IdempotencyScope)],
) -> QueryResult<Vec<KeyRow>> {
    let mut held = Vec::new();
    for (user, scope) in sent {
        held.extend(key(*user, scope).select(KEY).first(conn).optional()?);
    }
    Ok(held)
}

/// Columns of an idempotency key, for [`KeyRow`].
pub(super) const KEY: (
    idempotency_keys::user_id,
    idempotency_keys::path,
    idempotency_keys::key,
    idempotency_keys::fingerprint,
    idempotency_keys::answer,
    idempotency_keys::created_at,
) = (
    idempotency_keys::user_id,
    idempotency_keys::path,
    idempotency_keys::key,
    idempotency_keys::fingerprint,
    idempotency_keys::answer,
    idempotency_keys::created_at,
);

/// Looked up by the full key: a user may have any number of keys.
pub(super) fn key(
    user: UserId,
    scope: &IdempotencyScope,
) -> Find<idempotency_keys::table, (i64, &str, &str)> {
    idempotency_keys::table.find((user.get(), &*scope.path, scope.key.as_str()))
}

/// Inserts idempotency keys.
pub(crate) fn keys(conn: &mut Conn, new: &[NewKey<'_>]) -> QueryResult<()> {
    for key in new {
        diesel::insert_into(idempotency_keys::table)
            .values((
                idempotency_keys::user_id.eq(key.user.get()),
                idempotency_keys::path.eq(&key.scope.path),
                idempotency_keys::key.eq(key.scope.key.as_str()),
                idempotency_keys::fingerprint.eq(key.fingerprint),
                idempotency_keys::answer.eq(&key.answer),
                idempotency_keys::created_at.eq(micros(key.at)),
                idempotency_keys::running_bytes.eq(running_bytes(key.running_bytes)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts users with their ids.
pub(crate) fn import_users(conn: &mut Conn, new: &[Credentials]) -> QueryResult<()> {
    for Credentials { account, password } in new {
        let email = account.email.as_ref();
        diesel::insert_into(users::table)
            .values((
                users::id.eq(account.id.get()),
                users::username.eq(account.username.as_str()),
                users::username_key.eq(account.username.key()),
                users::username_skeleton.eq(account.username.skeleton()),
                users::email.eq(email.map(|email| email.as_str())),
                users::email_key.eq(email.map(|email| email.key())),
                users::password.eq(password.reveal()),
                users::is_staff.eq(account.is_staff),
                users::is_active.eq(account.is_active),
                users::session_epoch.eq(account.session_epoch),
                users::created_at.eq(micros(account.created_at)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts products with their ids and their stock on hand.
pub(crate) fn import_products(conn: &mut Conn, new: &[Product]) -> QueryResult<()> {
    for product in new {
        diesel::insert_into(products::table)
            .values((
                products::id.eq(product.id.get()),
                products::sku.eq(product.sku.as_ref().map(|sku| sku.as_str())),
                products::name.eq(product.name.as_str()),
                products::description.eq(product.description.as_str()),
                products::price.eq(product.price.money().minor()),
                products::archived.eq(product.archived),
                products::created_at.eq(micros(product.created_at)),
                products::updated_at.eq(micros(product.updated_at)),
            ))
            .execute(conn)?;
        diesel::insert_into(stock::table)
            .values((
                stock::product_id.eq(product.id.get()),
                stock::on_hand.eq(product.stock.units()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts cart lines with their ids.
pub(crate) fn import_cart_lines(conn: &mut Conn, new: &[CartItem]) -> QueryResult<()> {
    for line in new {
        diesel::insert_into(cart_items::table)
            .values((
                cart_items::id.eq(line.id.get()),
                cart_items::user_id.eq(line.user.get()),
                cart_items::product_id.eq(line.product.get()),
                cart_items::quantity.eq(line.quantity.units()),
                cart_items::created_at.eq(micros(line.created_at)),
                cart_items::updated_at.eq(micros(line.updated_at)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts orders with their ids, without their lines.
pub(crate) fn import_orders(conn: &mut Conn, new: &[Order]) -> QueryResult<()> {
    for order in new {
        diesel::insert_into(orders::table)
            .values((
                orders::id.eq(order.id.get()),
                orders::user_id.eq(order.user.get()),
                orders::status.eq(order.status.as_str()),
                orders::total.eq(order.total.minor()),
                orders::adjustment.eq(order.adjustment.minor()),
                orders::archived.eq(order.archived),
                orders::placement.eq(format!("imported-{}", order.id)),
                orders::created_at.eq(micros(order.created_at)),
                orders::updated_at.eq(micros(order.updated_at)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Nothing to do: AUTOINCREMENT continues from the largest id that ever existed.
pub(crate) fn continue_ids(_: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Inserts the search texts of products.
pub(crate) fn product_texts(conn: &mut Conn, new: &[(i64, String)]) -> QueryResult<()> {
    for (product, folded) in new {
        diesel::insert_into(product_texts::table)
            .values((
                product_texts::product_id.eq(product),
                product_texts::folded.eq(folded),
            ))
            .execute(conn)?;
    }
    Ok(())
}
