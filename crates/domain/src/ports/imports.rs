use super::StoreError;
use crate::{Ground, ImportRefusal, ImportShop};
use std::sync::Arc;

/// Nothing more if it was taken over, or why not, unless the store failed.
pub type Imported = Result<Result<(), ImportRefusal>, StoreError>;

/// Taking over another shop.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait ImportRepository: Send + Sync {
    /// What [`decide_import`](crate::decide_import) has to know of this shop.
    ///
    /// # Errors
    /// If the store fails.
    fn ground(&self) -> Result<Ground, StoreError>;

    /// Takes over what [`decide_import`](crate::decide_import) allows.
    ///
    /// MUST keep every id and every value (`a_shop_is_taken_over_as_it_was`), the adjustments of
    /// totals among them (`an_adjusted_total_is_kept`), write the ledger of
    /// what was sold (`what_was_sold_is_in_the_ledger`), give later ids beyond those that it wrote
    /// (`later_ids_go_on_from_there`), write all or nothing (`a_refused_import_writes_nothing`), and
    /// let no other write of a product, order or user in between
    /// (`an_import_races_a_registration`).
    ///
    /// # Errors
    /// If the store fails.
    fn import(&self, command: Arc<ImportShop>) -> Imported;
}
