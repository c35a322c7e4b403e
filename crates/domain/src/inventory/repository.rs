#[cfg(doc)]
use crate::catalog::ProductRepository;
use crate::inventory::{AdjustStock, Adjusted, Movement};
use crate::kernel::{Error, Execution, Page, PageRequest, ProductId, StoreError};

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
    /// Adjusts stock as [`decide_adjustment`](crate::inventory::decide_adjustment) allows.
    ///
    /// MUST decide by the account of the acting user, as
    /// [`ProductRepository::create`] does
    /// (`stock_is_adjusted_by_current_staff`), lose no adjustment that runs beside orders
    /// (`restocking_races_orders`), and execute a command that is sent twice under one key once
    /// (`one_key_is_one_delivery`).
    ///
    /// # Errors
    /// If the store fails.
    fn adjust_stock(&self, command: AdjustStock) -> Result<Execution<Adjusted>, Error>;

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
