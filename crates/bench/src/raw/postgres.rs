//! A batch on PostgreSQL: a fixed number of statements for any number of orders.

use super::{AT, Line, placement};
use diesel::connection::SimpleConnection;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use std::collections::{BTreeMap, HashMap};

statement!(Pg, PgConnection, LockUsers, "SELECT id FROM users WHERE id = ANY(",
    { users: Vec<i64> => Array<BigInt> }, ") ORDER BY id FOR NO KEY UPDATE SKIP LOCKED" -> BigInt);

statement!(Pg, PgConnection, Carts,
    "SELECT id, user_id, product_id, quantity, created_at, updated_at
     FROM cart_items WHERE user_id = ANY(",
    { users: Vec<i64> => Array<BigInt> }, ") ORDER BY id"
    -> (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt));

statement!(Pg, PgConnection, LockStock, "SELECT product_id FROM stock WHERE product_id = ANY(",
    { products: Vec<i64> => Array<BigInt> },
    ") ORDER BY product_id FOR NO KEY UPDATE SKIP LOCKED" -> BigInt);

statement!(Pg, PgConnection, Offers,
    "SELECT products.id, name, price, archived, on_hand
     FROM products JOIN stock ON product_id = products.id WHERE products.id = ANY(",
    { products: Vec<i64> => Array<BigInt> }, ")" -> (BigInt, Text, BigInt, Bool, BigInt));

statement!(Pg, PgConnection, InsertOrders,
    "WITH placed AS (
        INSERT INTO orders (user_id, total, placement, created_at, updated_at, status, archived)
        SELECT user_id, total, placement, created_at, created_at, 'pending', FALSE
        FROM unnest(", {
        user: Vec<i64> => Array<BigInt>,
        total: Vec<i64> => Array<BigInt>,
        placement: Vec<String> => Array<Text>,
        at: Vec<i64> => Array<BigInt>,
    }, ") AS new (user_id, total, placement, created_at)
        RETURNING id, user_id, total, created_at
    ), told AS (
        INSERT INTO outbox (kind, order_id, user_id, actor_id, detail, amount, at)
        SELECT 'order.placed', id, user_id, user_id, '', total, created_at FROM placed
    ) SELECT user_id, id FROM placed" -> (BigInt, BigInt));

statement!(Pg, PgConnection, InsertLines,
    "INSERT INTO order_lines
        (order_id, position, user_id, product_id, name, unit_price, quantity)
     SELECT * FROM unnest(", {
        order: Vec<i64> => Array<BigInt>,
        position: Vec<i64> => Array<BigInt>,
        user: Vec<i64> => Array<BigInt>,
        product: Vec<i64> => Array<BigInt>,
        name: Vec<String> => Array<Text>,
        unit_price: Vec<i64> => Array<BigInt>,
        quantity: Vec<i64> => Array<BigInt>,
    }, ")");

statement!(Pg, PgConnection, InsertMovements,
    "INSERT INTO stock_movements (product_id, order_id, delta, reason, actor_id, created_at)
     SELECT product_id, order_id, delta, 'sale', actor_id, created_at
     FROM unnest(", {
        product: Vec<i64> => Array<BigInt>,
        order: Vec<i64> => Array<BigInt>,
        delta: Vec<i64> => Array<BigInt>,
        actor: Vec<i64> => Array<BigInt>,
        at: Vec<i64> => Array<BigInt>,
    }, ") WITH ORDINALITY AS new (product_id, order_id, delta, actor_id, created_at, position)
    ORDER BY position RETURNING id" -> BigInt);

statement!(Pg, PgConnection, ChangeStock,
    "UPDATE stock SET on_hand = stock.on_hand + change.delta
     FROM unnest(", {
        product: Vec<i64> => Array<BigInt>,
        delta: Vec<i64> => Array<BigInt>,
    }, ") AS change (product_id, delta)
    WHERE stock.product_id = change.product_id");

statement!(Pg, PgConnection, DeleteLines, "DELETE FROM cart_items WHERE id = ANY(",
    { lines: Vec<i64> => Array<BigInt> }, ")");

/// Places the orders of these users' carts.
pub(super) fn place(conn: &mut PgConnection, users: &[i64]) -> QueryResult<()> {
    conn.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")?;
    let users = LockUsers {
        users: users.to_vec(),
    }
    .load::<i64>(conn)?;
    let carts = Carts {
        users: users.clone(),
    };
    let carts = carts.load::<(i64, i64, i64, i64, i64, i64)>(conn)?;
    let lines: Vec<Line> = carts
        .into_iter()
        .map(|(id, user, product, quantity, ..)| (id, user, product, quantity))
        .collect();
    let mut change = BTreeMap::<i64, i64>::new();
    for (_, _, product, quantity) in &lines {
        *change.entry(*product).or_default() -= quantity;
    }
    let products: Vec<i64> = change.keys().copied().collect();
    let products = LockStock { products }.load::<i64>(conn)?;
    let offers = Offers { products }.load::<(i64, String, i64, bool, i64)>(conn)?;
    let offers = offers
        .into_iter()
        .map(|(id, name, price, ..)| (id, (name, price)));
    let offers: HashMap<i64, (String, i64)> = offers.collect();
    let orders = insert_orders(conn, &users, &lines, &offers)?;
    insert_lines(conn, &orders, &lines, &offers)?;
    insert_movements(conn, &orders, &lines)?;
    let (product, delta) = change.into_iter().unzip();
    ChangeStock { product, delta }.execute(conn)?;
    let lines = lines.iter().map(|(id, ..)| *id).collect();
    DeleteLines { lines }.execute(conn)?;
    conn.batch_execute("COMMIT")
}

fn insert_orders(
    conn: &mut PgConnection,
    users: &[i64],
    lines: &[Line],
    offers: &HashMap<i64, (String, i64)>,
) -> QueryResult<HashMap<i64, i64>> {
    let mut totals = HashMap::<i64, i64>::new();
    for (_, user, product, quantity) in lines {
        let price = offers.get(product).map_or(0, |(_, price)| *price);
        *totals.entry(*user).or_default() += price * quantity;
    }
    let total = |user| totals.get(user).copied().unwrap_or_default();
    let rows = InsertOrders {
        user: users.to_vec(),
        total: users.iter().map(total).collect(),
        placement: users.iter().map(|user| placement(*user)).collect(),
        at: vec![AT; users.len()],
    };
    Ok(rows.load::<(i64, i64)>(conn)?.into_iter().collect())
}

fn insert_lines(
    conn: &mut PgConnection,
    orders: &HashMap<i64, i64>,
    lines: &[Line],
    offers: &HashMap<i64, (String, i64)>,
) -> QueryResult<()> {
    let mut last = (0, 0);
    let mut position = |user: i64| {
        last = if last.0 == user {
            (user, last.1 + 1)
        } else {
            (user, 0)
        };
        last.1
    };
    let offer = |product| offers.get(product).cloned().unwrap_or_default();
    let (name, unit_price) = lines
        .iter()
        .map(|(_, _, product, _)| offer(product))
        .unzip();
    let rows = InsertLines {
        order: lines.iter().map(|line| order(orders, line)).collect(),
        position: lines.iter().map(|(_, user, ..)| position(*user)).collect(),
        user: lines.iter().map(|(_, user, ..)| *user).collect(),
        product: lines.iter().map(|(_, _, product, _)| *product).collect(),
        name,
        unit_price,
        quantity: lines.iter().map(|(.., quantity)| *quantity).collect(),
    };
    rows.execute(conn).map(drop)
}

fn insert_movements(
    conn: &mut PgConnection,
    orders: &HashMap<i64, i64>,
    lines: &[Line],
) -> QueryResult<()> {
    let rows = InsertMovements {
        product: lines.iter().map(|(_, _, product, _)| *product).collect(),
        order: lines.iter().map(|line| order(orders, line)).collect(),
        delta: lines.iter().map(|(.., quantity)| -quantity).collect(),
        actor: lines.iter().map(|(_, user, ..)| *user).collect(),
        at: vec![AT; lines.len()],
    };
    rows.load::<i64>(conn).map(drop)
}

/// The order of a cart line.
fn order(orders: &HashMap<i64, i64>, (_, user, ..): &Line) -> i64 {
    orders.get(user).copied().unwrap_or_default()
}
