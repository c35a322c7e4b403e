//! Stock and its ledger, always written together.

pub(crate) mod audit;
mod checks;

use super::prelude::{self, *};
use super::slices::{ActingLocks, Free, Results};
use super::{catalog, identity, slices};
use crate::rows::{MovementRow, NewMovementRow, StockAfterRow};
use crate::schema::{products, stock_movements};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::decision::KeyedCommand;
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, InventoryRepository, Movement, NewMovement, StockAfter, StockState,
    decide_adjustments,
};
use tradepost_domain::kernel::{
    Currency, Execution, MovementId, Outcomes, Page, PageRequest, ProductId,
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
    fn adjust_all(&self, commands: &[AdjustStock]) -> Outcomes<Execution<Adjusted>> {
        let currency = self.currency();
        slices::run(self, commands, move |conn, commands| {
            adjust(conn, commands, currency)
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

fn adjust(
    conn: &mut Conn,
    commands: &[AdjustStock],
    currency: Currency,
) -> Results<Execution<Adjusted>> {
    let keyed = commands.iter().filter_map(KeyedCommand::key);
    let acting = ActingLocks::take(
        conn,
        commands.iter().map(|command| command.by),
        keyed.map(|(user, _)| user),
    )?;
    let wanted: BTreeSet<ProductId> = commands.iter().map(|command| command.product).collect();
    let locked = locks::skip_locked_stock(conn, &wanted)?;
    let products = catalog::some(conn, &wanted, currency)?;
    let free = Free::of(commands, |command| {
        let product = &command.product;
        // A product that does not exist has no row to lock.
        let is_locked = locked.contains(product) || !products.contains_key(product);
        is_locked && acting.cover(command.by, command.key.is_some())
    });
    let state = StockState {
        acting: identity::accounts(conn, &acting.acting())?,
        keys: slices::stored_keys(conn, &free.commands)?,
        products,
    };
    let kept = state.keys.kept.clone();
    let decision = decide_adjustments(&free.commands, state);
    let results = slices::apply_keyed(conn, &free.commands, decision, kept)?;
    Ok(free.spread(results))
}
