//! Stock and its ledger, always written together.

pub(crate) mod audit;

use super::prelude::{self, *};
use super::{catalog, idempotency, identity};
use crate::rows::{MovementRow, NewMovementRow, StockAfterRow};
use crate::schema::{products, stock_movements};
use std::collections::BTreeMap;
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, InventoryRepository, Movement, NewMovement, StockAfter,
    decide_adjustment,
};
use tradepost_domain::kernel::{
    Execution, MAX_STORED_RESPONSE_BYTES_OF_STAFF, MovementId, Page, PageRequest, ProductId,
};

/// Inserts movements, and changes stock on hand by them; returns the ids of the movements, and the
/// levels afterwards.
pub(super) fn record(
    conn: &mut Conn,
    movements: &[NewMovement],
) -> Result<(Vec<Option<MovementId>>, Levels), Failure> {
    if movements.is_empty() {
        return Ok((Vec::new(), Levels::new()));
    }
    let ids = bulk::insert_movements(conn, movements.iter().map(NewMovementRow::from))?;
    let mut changes = BTreeMap::<ProductId, i64>::new();
    for movement in movements {
        *changes.entry(movement.product).or_default() += movement.delta.units();
    }
    let levels = all(bulk::change_stock(conn, &changes)?, StockAfterRow::after)?;
    let levels: Levels = levels.into_iter().collect();
    if levels.len() != changes.len() {
        return Err(diesel::result::Error::NotFound.into());
    }
    Ok((ids.into_iter().map(MovementId::new).collect(), levels))
}

/// Levels of stock after movements.
type Levels = BTreeMap<ProductId, StockAfter>;

impl InventoryRepository for Database {
    fn adjust_stock(&self, command: AdjustStock) -> Result<Execution<Adjusted>, Error> {
        let (currency, quota) = (self.currency(), MAX_STORED_RESPONSE_BYTES_OF_STAFF);
        self.command(move |conn| {
            let (by, key) = (command.by, command.key.as_ref());
            let acting = identity::acting(conn, by)?;
            idempotency::once(conn, by, key, quota, command.at, |conn| {
                locks::lock_stock_or_abort(conn, &[command.product])?;
                let product = catalog::find(conn, command.product, currency)?;
                apply(
                    conn,
                    decide_adjustment(&command, acting.as_ref(), product.as_ref())?,
                )
            })
        })
    }

    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError> {
        self.snapshot(|conn| {
            let known: Option<i64> = products::table
                .find(product.get())
                .select(products::id)
                .first(conn)
                .optional()?;
            if known.is_none() {
                return Ok(None);
            }
            let of_product = stock_movements::product_id.eq(product.get());
            let count = stock_movements::table
                .filter(of_product)
                .count()
                .get_result(conn)?;
            let items = stock_movements::table
                .filter(of_product)
                .order(stock_movements::id.desc())
                .offset(offset(page))
                .limit(i64::from(page.size()))
                .select(MovementRow::as_select())
                .load(conn)?;
            Ok(Some(Page {
                count: row_count(count),
                items: all(items, MovementRow::movement)?,
            }))
        })
    }
}
