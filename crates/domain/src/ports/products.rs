use super::{Outcome, StoreError};
use crate::{
    AdjustStock, Adjusted, ChangeProduct, CreateProduct, Movement, Page, PageRequest, Product,
    ProductId, Written,
};

/// Which products a list is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// The archived ones instead of the catalogue.
    pub archived: bool,
}

/// Products, their stock and its ledger.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait ProductRepository: Send + Sync {
    /// A page of products, newest first.
    ///
    /// MUST give the count and the rows of one moment (`products_are_listed_newest_first`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, filter: ProductFilter, page: PageRequest) -> Result<Page<Product>, StoreError>;

    /// A product, archived or not.
    ///
    /// # Errors
    /// If the store fails.
    fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError>;

    /// Creates what [`decide_creation`](crate::decide_creation) allows.
    ///
    /// MUST store an idempotency key with what it names (`one_key_is_one_product`),
    /// write the opening movement with the product (`stock_from_the_start_is_in_the_ledger`)
    /// and let one sku have one holder, whoever races (`one_sku_goes_to_one_product`).
    ///
    /// # Errors
    /// If the store fails.
    fn create(&self, command: CreateProduct) -> Outcome<Written<Product>>;

    /// Changes what [`decide_change`](crate::decide_change) allows.
    ///
    /// MUST lock the product's stock from reading to writing, so that no sale in between is lost
    /// (`setting_stock_races_orders`), and no edit of what others edit (`edits_do_not_overwrite_each_other`).
    ///
    /// # Errors
    /// If the store fails.
    fn change(&self, command: ChangeProduct) -> Outcome<Product>;

    /// Adjusts what [`decide_adjustment`](crate::decide_adjustment) allows.
    ///
    /// MUST lose no adjustment that runs beside orders (`restocking_races_orders`), and count one that
    /// is sent twice under one key once (`one_key_is_one_delivery`).
    ///
    /// # Errors
    /// If the store fails.
    fn adjust_stock(&self, command: AdjustStock) -> Outcome<Written<Adjusted>>;

    /// A page of a product's ledger, newest first; `None` for a product that never was.
    ///
    /// # Errors
    /// If the store fails.
    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError>;
}
