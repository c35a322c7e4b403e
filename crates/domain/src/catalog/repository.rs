use crate::catalog::{
    ChangeProduct, CreateProduct, Product, ProductField, ProductFilter, ProductList,
};
use crate::kernel::{
    AllOrNone, CursorPage, CursorRequest, Error, Execution, Keyset, Outcomes, Page, PageRequest,
    ProductId, StoreError, single,
};

/// Product repository.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::catalog::MockProductRepository;
///
/// let mut products = MockProductRepository::new();
/// products.expect_find_all().returning(|_| Ok(vec![product(1, 1_250, 7)]));
/// assert_eq!(products.find_all(&[product_id(1)])?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait ProductRepository: Send + Sync {
    /// A page of a list of products.
    ///
    /// MUST read the count and the rows in one snapshot (`lists_are_read_from_one_snapshot`), also for a
    /// search (`a_search_is_read_from_one_snapshot`), of the products that the filter
    /// [matches](ProductFilter::matches) (`products_are_filtered`), ordered by
    /// [`Sorting::compare`](crate::kernel::Sorting::compare) (`products_are_sorted`), by default newest
    /// first (`products_are_listed_newest_first`); MUST find words in every script
    /// (`words_are_found_in_every_script`), only products that contain all of them
    /// (`every_word_has_to_be_found`), and search the current text of a product
    /// (`an_edit_is_found`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError>;

    /// A cursor page of a list of products.
    ///
    /// MUST cost the same at every position of the list, and give every row that keeps its position
    /// exactly once to a client that follows the cursors (`cursor_pages_list_every_product_once`), of
    /// the rows that the filter matches (`cursor_pages_respect_the_filter`).
    ///
    /// # Errors
    /// If the store fails.
    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError>;

    /// The products with these ids, archived or not, in no particular order; unknown ids are left
    /// out.
    ///
    /// MUST give each product once (`products_are_found_together`).
    ///
    /// # Errors
    /// If the store fails.
    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError>;

    /// Creates products as [`decide_creations`](crate::catalog::decide_creations) allows: one
    /// result for each command, in order.
    ///
    /// MUST commit all products of the slice together, and return only after the commit; MUST keep
    /// a refused command from affecting its neighbours, and let each command see the earlier ones
    /// (`product_changes_of_a_slice_see_each_other`); MUST decide by the account of the acting user under a lock held until the commit
    /// (`a_product_is_created_by_current_staff`), store an idempotency key with its product
    /// (`one_key_is_one_product`), write the opening movement with the product
    /// (`stock_from_the_start_is_in_the_ledger`) and keep skus unique, also under concurrency
    /// (`one_sku_goes_to_one_product`).
    ///
    /// # Errors
    /// If the store fails: then no command of the slice was executed, unless the kind is
    /// [`OutcomeUnknown`](crate::kernel::StoreErrorKind::OutcomeUnknown).
    fn create_all(&self, commands: &[CreateProduct]) -> Outcomes<Execution<Product>>;

    /// Creates a product: a slice of one.
    ///
    /// # Errors
    /// The refusal, or the failure of the store.
    fn create(&self, command: CreateProduct) -> Result<Execution<Product>, Error> {
        single(self.create_all(&[command]))
    }

    /// Changes products as [`decide_changes`](crate::catalog::decide_changes) allows: one result
    /// for each command, in order, as [`create_all`](Self::create_all) does.
    ///
    /// MUST decide by the account of the acting user, as [`create_all`](Self::create_all) does
    /// (`a_product_is_changed_by_current_staff`), and lock the product's stock from reading to
    /// writing, so that no concurrent sale is lost (`setting_stock_races_orders`), nor a concurrent
    /// edit (`edits_do_not_overwrite_each_other`).
    ///
    /// # Errors
    /// As [`create_all`](Self::create_all).
    fn change_all(&self, commands: &[ChangeProduct]) -> Outcomes<Product>;

    /// Changes products as [`decide_changes_together`](crate::catalog::decide_changes_together)
    /// allows: all of them in one transaction, or none.
    ///
    /// MUST change nothing if one command is refused or a row of it is locked
    /// (`products_are_changed_together_or_not_at_all`), also beside orders
    /// (`changes_together_race_orders`); otherwise as [`change_all`](Self::change_all).
    ///
    /// # Errors
    /// As [`create_all`](Self::create_all).
    fn change_together(&self, commands: &[ChangeProduct]) -> AllOrNone<Product>;

    /// Changes a product: a slice of one.
    ///
    /// # Errors
    /// The refusal, or the failure of the store.
    fn change(&self, command: ChangeProduct) -> Result<Product, Error> {
        single(self.change_all(&[command]))
    }
}
