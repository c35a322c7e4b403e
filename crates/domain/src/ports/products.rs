use super::{Outcome, StoreError};
use crate::{
    AdjustStock, Adjusted, ChangeProduct, CreateProduct, Keyset, Movement, Page, PageRequest,
    Product, ProductField, ProductFilter, ProductId, ProductList, Slice, Span, Written,
};

/// Products, their stock and its ledger.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait ProductRepository: Send + Sync {
    /// A page of a list of products.
    ///
    /// MUST give the count and the rows of one moment (`lists_are_of_one_moment`), also of a search
    /// (`a_search_is_of_one_moment`), of those that the filter [matches](ProductFilter::matches)
    /// (`products_are_filtered`), in the order that [`Sorting::compare`](crate::Sorting::compare)
    /// says (`products_are_sorted`), by default newest first (`products_are_listed_newest_first`);
    /// MUST find words in every script (`words_are_found_in_every_script`), only what has all of
    /// them (`every_word_has_to_be_found`), and in what a product says by now (`an_edit_is_found`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError>;

    /// A part of a list of products.
    ///
    /// MUST cost the same wherever in the list it is, and give every row that stays where it is
    /// exactly once to whoever goes from part to part (`every_product_is_walked_past_once`), of the
    /// rows that the filter matches (`filtered_products_are_walked`).
    ///
    /// # Errors
    /// If the store fails.
    fn slice(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &Span,
    ) -> Result<Slice<Product>, StoreError>;

    /// Those of these products that there are, archived or not, in no particular order.
    ///
    /// MUST give each product once (`products_are_found_together`).
    ///
    /// # Errors
    /// If the store fails.
    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError>;

    /// Creates what [`decide_creation`](crate::decide_creation) allows.
    ///
    /// MUST decide by the account of the acting user under a lock that lasts until
    /// the commit (`a_product_is_created_by_current_staff`), store an idempotency key with what it
    /// names (`one_key_is_one_product`),
    /// write the opening movement with the product (`stock_from_the_start_is_in_the_ledger`)
    /// and let one sku have one holder, whoever races (`one_sku_goes_to_one_product`).
    ///
    /// # Errors
    /// If the store fails.
    fn create(&self, command: CreateProduct) -> Outcome<Written<Product>>;

    /// Changes what [`decide_change`](crate::decide_change) allows.
    ///
    /// MUST decide by the account of the acting user, as [`create`](Self::create) does
    /// (`a_product_is_changed_by_current_staff`), and lock the product's stock from reading to writing, so that no sale in between is lost
    /// (`setting_stock_races_orders`), and no edit of what others edit (`edits_do_not_overwrite_each_other`).
    ///
    /// # Errors
    /// If the store fails.
    fn change(&self, command: ChangeProduct) -> Outcome<Product>;

    /// Adjusts what [`decide_adjustment`](crate::decide_adjustment) allows.
    ///
    /// MUST decide by the account of the acting user, as [`create`](Self::create) does
    /// (`stock_is_adjusted_by_current_staff`), lose no adjustment that runs beside orders (`restocking_races_orders`), and count one that
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
