#[cfg(doc)]
use crate::catalog::ProductRepository;
use crate::inventory::{AdjustStock, Adjusted, Movement};
use crate::kernel::{Error, Execution, Outcomes, Page, PageRequest, ProductId, StoreError, single};

/// Inventory repository: the stock of products, and the ledger of its movements.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert_eq!(store.inventory.movements(product_id(1), page(1, 10))?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait InventoryRepository: Send + Sync {
    /// Adjusts stock as [`decide_adjustments`](crate::inventory::decide_adjustments) allows: one
    /// result for each command, in order.
    ///
    /// MUST commit all adjustments of the slice together, and return only after the commit; MUST
    /// keep a refused command from affecting its neighbours, and let each command see the earlier
    /// ones (`adjustments_of_a_slice_see_each_other`); MUST decide by the account of the acting user, as
    /// [`ProductRepository::create`] does
    /// (`stock_is_adjusted_by_current_staff`), lose no adjustment that runs beside orders
    /// (`restocking_races_orders`), and execute a command that is sent twice under one key once
    /// (`one_key_is_one_delivery`).
    ///
    /// # Errors
    /// If the store fails: then no command of the slice was executed, unless the kind is
    /// [`OutcomeUnknown`](crate::kernel::StoreErrorKind::OutcomeUnknown).
    fn adjust_all(&self, commands: &[AdjustStock]) -> Outcomes<Execution<Adjusted>>;

    /// Adjusts the stock of a product: a slice of one.
    ///
    /// # Errors
    /// The refusal, or the failure of the store.
    fn adjust_stock(&self, command: AdjustStock) -> Result<Execution<Adjusted>, Error> {
        single(self.adjust_all(&[command]))
    }

    /// A page of a product's ledger, newest first; `None` for an unknown product.
    ///
    /// # Errors
    /// If the store fails.
    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError>;
}
