//! The writes of a batch on SQLite: one statement per row, as SQLite runs in this process.

use super::{AT, Line, placement};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use std::collections::BTreeMap;

/// Length of a bucket of sales, in microseconds.
const QUARTER_OF_AN_HOUR: i64 = 900_000_000;

/// A cart to order: user, lines, and the name and price of each product.
pub(super) type Cart = (i64, Vec<(Line, String, i64)>);

statement!(Sqlite, SqliteConnection, AllCarts,
    "SELECT cart_items.id, user_id, product_id, quantity, name, price
     FROM cart_items JOIN products ON products.id = product_id WHERE user_id > ",
    { after: i64 => BigInt }, " ORDER BY cart_items.id"
    -> (BigInt, BigInt, BigInt, BigInt, Text, BigInt));

statement!(Sqlite, SqliteConnection, InsertOrder,
    "INSERT INTO orders (status, archived, user_id, total, placement, created_at, updated_at)
     VALUES ('pending', 0, ", {
        user: i64 => BigInt,
        total: i64 => BigInt,
        placement: String => Text,
        created: i64 => BigInt,
        updated: i64 => BigInt,
    }, ") RETURNING id" -> BigInt);

statement!(Sqlite, SqliteConnection, InsertLine,
    "INSERT INTO order_lines
        (order_id, position, user_id, product_id, name, unit_price, quantity)
     VALUES (", {
        order: i64 => BigInt,
        position: i64 => BigInt,
        user: i64 => BigInt,
        product: i64 => BigInt,
        name: String => Text,
        unit_price: i64 => BigInt,
        quantity: i64 => BigInt,
    }, ")");

statement!(Sqlite, SqliteConnection, InsertMovement,
    "INSERT INTO stock_movements
        (reason, product_id, order_id, delta, actor_id, created_at)
     VALUES ('sale', ", {
        product: i64 => BigInt,
        order: i64 => BigInt,
        delta: i64 => BigInt,
        actor: i64 => BigInt,
        at: i64 => BigInt,
    }, ") RETURNING id" -> BigInt);

statement!(Sqlite, SqliteConnection, InsertEvent,
    "INSERT INTO events (kind, detail, order_id, user_id, actor_id, amount, at)
     VALUES ('order.placed', '', ", {
        order: i64 => BigInt,
        user: i64 => BigInt,
        actor: i64 => BigInt,
        total: i64 => BigInt,
        at: i64 => BigInt,
    }, ")");

statement!(Sqlite, SqliteConnection, AddSales,
    "INSERT INTO sales (bucket, orders, revenue) VALUES (", {
        bucket: i64 => BigInt,
        orders: i64 => BigInt,
        revenue: i64 => BigInt,
    }, ") ON CONFLICT (bucket) DO UPDATE SET orders = orders + excluded.orders,
        revenue = revenue + excluded.revenue");

statement!(Sqlite, SqliteConnection, AddOrders,
    "INSERT INTO order_counts (status, orders) VALUES ('pending', ", {
        orders: i64 => BigInt,
    }, ") ON CONFLICT (status) DO UPDATE SET orders = orders + excluded.orders");

statement!(Sqlite, SqliteConnection, ChangeStock, "UPDATE stock SET on_hand = on_hand + ",
    " WHERE product_id = ", { delta: i64 => BigInt, product: i64 => BigInt }, "");

statement!(Sqlite, SqliteConnection, DeleteLine, "DELETE FROM cart_items WHERE id = ",
    { line: i64 => BigInt }, "");

/// Every cart, read ahead, so that only writes are measured.
pub(super) fn carts(conn: &mut SqliteConnection) -> QueryResult<Vec<Cart>> {
    let rows = AllCarts { after: 0 }.load::<(i64, i64, i64, i64, String, i64)>(conn)?;
    let mut carts = BTreeMap::<i64, Vec<_>>::new();
    for (id, user, product, quantity, name, price) in rows {
        let cart = carts.entry(user).or_default();
        cart.push(((id, user, product, quantity), name, price));
    }
    Ok(carts.into_iter().collect())
}

/// Places the orders of these carts.
pub(super) fn place(conn: &mut SqliteConnection, carts: &[Cart]) -> QueryResult<()> {
    conn.batch_execute("BEGIN IMMEDIATE")?;
    let mut change = BTreeMap::<i64, i64>::new();
    let (mut placed, mut revenue) = (0, 0);
    for (user, lines) in carts {
        let total = lines
            .iter()
            .map(|((.., quantity), _, price)| quantity * price);
        let total = total.sum();
        placed += 1;
        revenue += total;
        let order = InsertOrder {
            user: *user,
            total,
            placement: placement(*user),
            created: AT,
            updated: AT,
        };
        let order = order.get_result::<i64>(conn)?;
        let event = InsertEvent {
            order,
            user: *user,
            actor: *user,
            total,
            at: AT,
        };
        event.execute(conn)?;
        for (position, ((line, user, product, quantity), name, price)) in (0..).zip(lines) {
            let row = InsertLine {
                order,
                position,
                user: *user,
                product: *product,
                name: name.clone(),
                unit_price: *price,
                quantity: *quantity,
            };
            row.execute(conn)?;
            let row = InsertMovement {
                product: *product,
                order,
                delta: -quantity,
                actor: *user,
                at: AT,
            };
            row.get_result::<i64>(conn)?;
            *change.entry(*product).or_default() -= quantity;
            DeleteLine { line: *line }.execute(conn)?;
        }
    }
    for (product, delta) in change {
        ChangeStock { delta, product }.execute(conn)?;
    }
    let sales = AddSales {
        bucket: AT - AT % QUARTER_OF_AN_HOUR,
        orders: placed,
        revenue,
    };
    sales.execute(conn)?;
    AddOrders { orders: placed }.execute(conn)?;
    conn.batch_execute("COMMIT")
}
