//! Stock and its ledger, always written together.

use super::super::Conn;
use crate::rows::micros;
use crate::schema::{stock, stock_movements};
use diesel::prelude::*;
use std::collections::BTreeMap;
use tradepost_domain::{NewMovement, ProductId};

/// The first row of a product's stock; its opening movement, if any, is recorded after it.
pub(super) fn open(conn: &mut Conn, product: ProductId) -> QueryResult<()> {
    diesel::insert_into(stock::table)
        .values((stock::product_id.eq(product.get()), stock::on_hand.eq(0)))
        .execute(conn)
        .map(drop)
}

/// Writes movements, and changes what is on hand by them.
pub(super) fn record(conn: &mut Conn, movements: &[NewMovement]) -> QueryResult<()> {
    let mut changes = BTreeMap::<ProductId, i64>::new();
    for movement in movements {
        insert(conn, movement)?;
        *changes.entry(movement.product).or_default() += movement.delta.units();
    }
    for (product, change) in changes {
        let changed = diesel::update(stock::table.find(product.get()))
            .set(stock::on_hand.eq(stock::on_hand + change))
            .execute(conn)?;
        if changed != 1 {
            return Err(diesel::result::Error::NotFound);
        }
    }
    Ok(())
}

fn insert(conn: &mut Conn, movement: &NewMovement) -> QueryResult<()> {
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
        .execute(conn)
        .map(drop)
}
