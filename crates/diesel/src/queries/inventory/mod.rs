//! Stock and its ledger, always written together.

pub(crate) mod audit;

use super::prelude::{self, *};
use crate::rows::NewMovementRow;
use std::collections::BTreeMap;
use tradepost_domain::inventory::NewMovement;
use tradepost_domain::kernel::{MovementId, ProductId};

/// Inserts movements, and changes stock on hand by them; returns the ids of the movements.
pub(super) fn record(
    conn: &mut Conn,
    movements: &[NewMovement],
) -> QueryResult<Vec<Option<MovementId>>> {
    if movements.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::insert_movements(conn, movements.iter().map(NewMovementRow::from))?;
    let mut changes = BTreeMap::<ProductId, i64>::new();
    for movement in movements {
        *changes.entry(movement.product).or_default() += movement.delta.units();
    }
    if bulk::change_stock(conn, &changes)? != changes.len() {
        return Err(diesel::result::Error::NotFound);
    }
    Ok(ids.into_iter().map(MovementId::new).collect())
}
