mod ledger;

use crate::{MemoryStore, page_of};
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, InventoryRepository, Movement, StockState, decide_adjustments,
};
use tradepost_domain::kernel::{Execution, Outcomes, Page, PageRequest, ProductId, StoreError};

impl InventoryRepository for MemoryStore {
    fn adjust_all(&self, commands: &[AdjustStock]) -> Outcomes<Execution<Adjusted>> {
        let mut state = self.lock();
        let floor = StockState {
            acting: state.all_acting(commands.iter().map(|command| command.by)),
            products: state.some_products(commands.iter().map(|command| command.product)),
            keys: state.stored_keys(commands),
        };
        state.apply_slice(commands, decide_adjustments(commands, floor))
    }

    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError> {
        let state = self.lock();
        if !state.products.contains_key(&product) {
            return Ok(None);
        }
        let rows = state.movements.values();
        let rows = rows.filter(|movement| movement.entry.product == product);
        Ok(Some(page_of(rows.rev().collect(), page)))
    }
}
