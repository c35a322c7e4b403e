use crate::inventory::{AdjustStock, Adjusted, InventoryRepository, Movement, StockDelta};
use crate::kernel::System;
use crate::kernel::{
    Actor, Clock, Error, Execution, Idempotent, Note, Page, PageRequest, ProductId, Refusal,
    executed, settle, settle_one,
};
use crate::{Service, ServicesConfig, Stores};
use std::sync::Arc;

/// A change of the stock of a product by a relative amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockAdjustment {
    /// The product.
    pub product: ProductId,
    /// The change in units.
    pub delta: StockDelta,
    /// Free-text reason.
    pub note: Option<Note>,
}

/// Inventory service: adjustments of stock, and the ledger of a product.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// # let mug = ProductBuilder::new(1).price(1_250).stock(7).draft();
/// # let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
/// let delivery = StockDelta::requested(20)?;
/// let adjusted = shop.inventory.adjust_stock(grace, mug.id, delivery, None, None)?.executed()?;
/// assert_eq!(adjusted.level.units(), 27);
///
/// // Every unit is explained: the opening stock, and the delivery.
/// let ledger = shop.inventory.movements(grace, mug.id, page(1, 10))?;
/// assert_eq!(ledger.count, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Inventory {
    inventory: Arc<dyn InventoryRepository>,
    clock: Arc<dyn Clock>,
}

impl Service for Inventory {
    fn of(stores: &Stores, system: &System, _: &ServicesConfig) -> Self {
        Self::new(stores.inventory.clone(), system.clock.clone())
    }
}

impl Inventory {
    /// The service over these ports.
    #[must_use]
    pub fn new(inventory: Arc<dyn InventoryRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { inventory, clock }
    }

    /// Builds the command that adjusts stock, for a slice of [`InventoryRepository::adjust_all`].
    ///
    /// # Errors
    /// For actors other than staff.
    pub fn adjusting(
        &self,
        actor: Actor,
        adjustment: StockAdjustment,
        key: Option<Idempotent<Adjusted>>,
    ) -> Result<AdjustStock, Refusal> {
        let by = Some(actor.staff()?);
        let StockAdjustment {
            product,
            delta,
            note,
        } = adjustment;
        Ok(AdjustStock {
            product,
            delta,
            note,
            key,
            by,
            at: self.clock.now(),
        })
    }

    /// Adjusts stock by relative amounts, in one slice: one result for each, in order.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails for the whole slice.
    pub fn adjust_all(
        &self,
        actor: Actor,
        adjustments: Vec<StockAdjustment>,
    ) -> Result<Vec<Result<Adjusted, Error>>, Error> {
        let command = |adjustment| self.adjusting(actor, adjustment, None);
        let commands = adjustments.into_iter().map(command);
        let commands = commands.collect::<Result<Vec<_>, _>>()?;
        let adjusted = settle(commands, |slice| self.inventory.adjust_all(slice))?;
        Ok(adjusted.into_iter().map(executed).collect())
    }

    /// Adjusts stock by a relative amount.
    ///
    /// # Errors
    /// For actors other than staff; see [`decide_adjustment`](crate::inventory::decide_adjustment); if the
    /// store fails.
    pub fn adjust_stock(
        &self,
        actor: Actor,
        product: ProductId,
        delta: StockDelta,
        note: Option<Note>,
        key: Option<Idempotent<Adjusted>>,
    ) -> Result<Execution<Adjusted>, Error> {
        let adjustment = StockAdjustment {
            product,
            delta,
            note,
        };
        let command = self.adjusting(actor, adjustment, key)?;
        settle_one(command, |slice| self.inventory.adjust_all(slice))
    }

    /// A page of a product's ledger, newest first.
    ///
    /// # Errors
    /// For actors other than staff; [`Refusal::NotFound`]; if the store fails.
    pub fn movements(
        &self,
        actor: Actor,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Page<Movement>, Error> {
        actor.staff()?;
        let movements = self
            .inventory
            .movements(product, page)?
            .ok_or(Refusal::NotFound)?;
        Ok(movements.existing(page)?)
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
