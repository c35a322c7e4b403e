//! Imported rows, with their original ids.

use super::super::Conn;
use crate::rows::micros;
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::Credentials;
use tradepost_domain::orders::Order;

statement!(InsertUsers,
    "INSERT INTO users (id, username, username_key, email, email_key, password, is_staff,
        is_active, session_epoch, created_at, username_skeleton)
     OVERRIDING SYSTEM VALUE SELECT * FROM unnest(", {
        id: i64 => BigInt,
        username: String => Text,
        username_key: String => Text,
        email: Option<String> => Nullable<Text>,
        email_key: Option<String> => Nullable<Text>,
        password: String => Text,
        is_staff: bool => Bool,
        is_active: bool => Bool,
        session_epoch: i64 => BigInt,
        at: i64 => BigInt,
        username_skeleton: String => Text,
    }, ")");

statement!(InsertProducts,
    "INSERT INTO products (id, sku, name, description, price, archived, created_at, updated_at)
     OVERRIDING SYSTEM VALUE SELECT * FROM unnest(", {
        id: i64 => BigInt,
        sku: Option<String> => Nullable<Text>,
        name: String => Text,
        description: String => Text,
        price: i64 => BigInt,
        archived: bool => Bool,
        created_at: i64 => BigInt,
        updated_at: i64 => BigInt,
    }, ")");

statement!(InsertStock,
    "INSERT INTO stock (product_id, on_hand) SELECT * FROM unnest(", {
        product: i64 => BigInt,
        on_hand: i64 => BigInt,
    }, ")");

statement!(InsertCartLines,
    "INSERT INTO cart_items (id, user_id, product_id, quantity, created_at, updated_at)
     OVERRIDING SYSTEM VALUE SELECT * FROM unnest(", {
        id: i64 => BigInt,
        user: i64 => BigInt,
        product: i64 => BigInt,
        quantity: i64 => BigInt,
        created_at: i64 => BigInt,
        updated_at: i64 => BigInt,
    }, ")");

statement!(InsertOrders,
    "INSERT INTO orders (id, user_id, status, total, adjustment, archived, placement, created_at, updated_at)
     OVERRIDING SYSTEM VALUE SELECT * FROM unnest(", {
        id: i64 => BigInt,
        user: i64 => BigInt,
        status: &'static str => Text,
        total: i64 => BigInt,
        adjustment: i64 => BigInt,
        archived: bool => Bool,
        placement: String => Text,
        created_at: i64 => BigInt,
        updated_at: i64 => BigInt,
    }, ")");

/// Inserts users with their ids.
pub(crate) fn import_users(conn: &mut Conn, new: &[Credentials]) -> QueryResult<()> {
    let mut rows = InsertUsers::default();
    for Credentials { account, password } in new {
        let email = account.email.as_ref();
        rows.id.push(account.id.get());
        rows.username.push(account.username.to_string());
        rows.username_key.push(account.username.key());
        rows.email.push(email.map(ToString::to_string));
        rows.email_key.push(email.map(|email| email.key()));
        rows.password.push(password.reveal().to_owned());
        rows.is_staff.push(account.is_staff);
        rows.is_active.push(account.is_active);
        rows.session_epoch.push(account.session_epoch);
        rows.at.push(micros(account.created_at));
        rows.username_skeleton.push(account.username.skeleton());
    }
    rows.execute(conn).map(drop)
}

/// Inserts products with their ids and their stock on hand.
pub(crate) fn import_products(conn: &mut Conn, new: &[Product]) -> QueryResult<()> {
    let mut rows = InsertProducts::default();
    let mut stock = InsertStock::default();
    for product in new {
        rows.id.push(product.id.get());
        rows.sku.push(product.sku.as_ref().map(ToString::to_string));
        rows.name.push(product.name.to_string());
        rows.description.push(product.description.to_string());
        rows.price.push(product.price.money().minor());
        rows.archived.push(product.archived);
        rows.created_at.push(micros(product.created_at));
        rows.updated_at.push(micros(product.updated_at));
        stock.product.push(product.id.get());
        stock.on_hand.push(product.stock.units());
    }
    rows.execute(conn)?;
    stock.execute(conn).map(drop)
}

/// Inserts cart lines with their ids.
pub(crate) fn import_cart_lines(conn: &mut Conn, new: &[CartItem]) -> QueryResult<()> {
    let mut rows = InsertCartLines::default();
    for line in new {
        rows.id.push(line.id.get());
        rows.user.push(line.user.get());
        rows.product.push(line.product.get());
        rows.quantity.push(line.quantity.units());
        rows.created_at.push(micros(line.created_at));
        rows.updated_at.push(micros(line.updated_at));
    }
    rows.execute(conn).map(drop)
}

/// Inserts orders with their ids, without their lines.
pub(crate) fn import_orders(conn: &mut Conn, new: &[Order]) -> QueryResult<()> {
    let mut rows = InsertOrders::default();
    for order in new {
        rows.id.push(order.id.get());
        rows.user.push(order.user.get());
        rows.status.push(order.status.as_str());
        rows.total.push(order.total.minor());
        rows.adjustment.push(order.adjustment.minor());
        rows.archived.push(order.archived);
        rows.placement.push(format!("imported-{}", order.id));
        rows.created_at.push(micros(order.created_at));
        rows.updated_at.push(micros(order.updated_at));
    }
    rows.execute(conn).map(drop)
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
