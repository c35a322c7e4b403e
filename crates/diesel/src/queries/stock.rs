//! Stock and its ledger, always written together.

use super::super::{Conn, bulk};
use crate::schema::stock;
use diesel::prelude::*;
use std::collections::BTreeMap;
use tradepost_domain::inventory::NewMovement;
use tradepost_domain::kernel::{MovementId, ProductId};

/// Inserts a product's stock row; its opening movement, if any, is recorded after it.
pub(super) fn open(conn: &mut Conn, product: ProductId) -> QueryResult<()> {
    diesel::insert_into(stock::table)
        .values((stock::product_id.eq(product.get()), stock::on_hand.eq(0)))
        .execute(conn)
        .map(drop)
}

/// Inserts movements, and changes stock on hand by them; returns the ids of the movements.
pub(super) fn record(
    conn: &mut Conn,
    movements: &[NewMovement],
) -> QueryResult<Vec<Option<MovementId>>> {
    if movements.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::movements(conn, movements)?;
    let mut changes = BTreeMap::<ProductId, i64>::new();
    for movement in movements {
        *changes.entry(movement.product).or_default() += movement.delta.units();
    }
    if bulk::change_stock(conn, &changes)? != changes.len() {
        return Err(diesel::result::Error::NotFound);
    }
    Ok(ids.into_iter().map(MovementId::new).collect())
}
