use crate::import::{ExistingData, ImportRefusal, ImportShop};
use crate::kernel::StoreError;
use std::sync::Arc;

/// Result of an import: success or its errors, unless the store failed.
pub type Imported = Result<Result<(), ImportRefusal>, StoreError>;

/// Import repository: takes over another shop.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// // Only an empty shop takes over another one.
/// assert_eq!(store.imports.existing_data()?, Default::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait ImportRepository: Send + Sync {
    /// The existing data of this shop, for [`decide_import`](crate::import::decide_import).
    ///
    /// # Errors
    /// If the store fails.
    fn existing_data(&self) -> Result<ExistingData, StoreError>;

    /// Imports a shop as [`decide_import`](crate::import::decide_import) allows.
    ///
    /// MUST keep every id and every value (`an_import_keeps_ids_and_values`), the adjustments of
    /// totals included (`an_adjusted_total_is_kept`), write the ledger of the sales
    /// (`past_sales_are_in_the_ledger`), assign later ids above the imported ones
    /// (`ids_continue_after_an_import`), write all or nothing (`a_refused_import_writes_nothing`),
    /// and exclude concurrent writes of products, orders and users
    /// (`an_import_races_a_registration`).
    ///
    /// # Errors
    /// If the store fails.
    fn import(&self, command: Arc<ImportShop>) -> Imported;
}
