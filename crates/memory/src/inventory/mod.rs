mod ledger;

use crate::idempotency::kept;
use crate::{MemoryStore, page_of};
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, InventoryRepository, Movement, decide_adjustment,
};
use tradepost_domain::kernel::{
    Error, Execution, MAX_STORED_RESPONSE_BYTES_OF_STAFF, Page, PageRequest, ProductId, StoreError,
};

impl InventoryRepository for MemoryStore {
    fn adjust_stock(&self, command: AdjustStock) -> Result<Execution<Adjusted>, Error> {
        let mut state = self.lock();
        let quota = MAX_STORED_RESPONSE_BYTES_OF_STAFF;
        if let Some(answer) = state.replay(command.by, command.key.as_ref(), quota)? {
            return Ok(Execution::Replayed(answer));
        }
        let before = state.products.get(&command.product);
        let decision = decide_adjustment(&command, state.acting(command.by), before)?;
        let keep = |adjusted: &Adjusted| kept(command.by, command.key, adjusted, command.at);
        Ok(Execution::Executed(state.apply_keeping(decision, keep)?))
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
