use crate::inventory::{AdjustStock, Adjusted, InventoryRepository, Movement, StockDelta};
use crate::kernel::{
    Actor, Clock, Error, Execution, Idempotent, Note, Page, PageRequest, ProductId, Refusal,
};
use std::sync::Arc;

/// Inventory service: adjustments of stock, and the ledger of a product.
#[derive(Clone)]
pub struct Inventory {
    inventory: Arc<dyn InventoryRepository>,
    clock: Arc<dyn Clock>,
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
