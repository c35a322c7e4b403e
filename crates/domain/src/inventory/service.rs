use crate::inventory::{AdjustStock, Adjusted, InventoryRepository, Movement, StockDelta};
use crate::kernel::System;
use crate::kernel::{
    Actor, Clock, Error, Execution, Idempotent, Note, Page, PageRequest, ProductId, Refusal,
};
use crate::{Service, ServicesConfig, Stores};
use std::sync::Arc;

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
        let by = Some(actor.staff()?);
        let command = AdjustStock {
            product,
            delta,
            note,
            key,
            by,
            at: self.clock.now(),
        };
        self.inventory.adjust_stock(command)
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
