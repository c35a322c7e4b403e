//! Writing many rows: one after the other, as SQLite is in this process and keeps each statement
//! prepared. One statement for many rows would have to be prepared anew for each number of rows.

use super::Conn;
use super::queries::NewKey;
use crate::rows::micros;
use crate::schema::{idempotency_keys, order_lines, orders, stock, stock_movements};
use diesel::prelude::*;
use std::collections::BTreeMap;
use tradepost_domain::{NewMovement, NewOrder, OrderId, OrderStatus, ProductId};

/// Inserts orders; their ids, in the same order.
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

/// Inserts the lines of orders.
pub(crate) fn lines(conn: &mut Conn, ids: &[OrderId], new: &[&NewOrder]) -> QueryResult<()> {
    for (id, order) in ids.iter().zip(new) {
        for (position, line) in (0_i64..).zip(&order.lines) {
            diesel::insert_into(order_lines::table)
                .values((
                    order_lines::order_id.eq(id.get()),
                    order_lines::position.eq(position),
                    order_lines::user_id.eq(order.user.get()),
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

/// Inserts movements; their ids, in the same order.
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

/// Changes what is on hand; how many products that were.
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
            ))
            .execute(conn)?;
    }
    Ok(())
}
