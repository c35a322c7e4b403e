use crate::kernel::{
    CursorPage, CursorRequest, Error, Execution, Keyset, OrderId, Outcomes, Page, PageRequest,
    Refusal, StoreError, single,
};
use crate::orders::{ChangeOrder, Order, OrderField, OrderFilter, OrderList, PlaceOrder};

/// Result of one request of a batch. [`Refusal::LockConflict`] reports a lock conflict with another
/// transaction, or that the commit of the batch was lost and nothing of it was stored: retry after
/// a short pause.
pub type Placement = Result<Execution<Order>, Refusal>;

/// Order repository.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert_eq!(store.orders.list(&OrderList::default(), page(1, 10))?.count, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait OrderRepository: Send + Sync {
    /// A page of a list of orders.
    ///
    /// MUST read the count and the rows in one snapshot (`lists_are_read_from_one_snapshot`), of the orders
    /// that the filter [matches](OrderFilter::matches) (`orders_are_filtered`), ordered by
    /// [`Sorting::compare`](crate::kernel::Sorting::compare) (`orders_are_sorted`), by default newest first
    /// (`orders_are_listed_newest_first`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, list: &OrderList, page: PageRequest) -> Result<Page<Order>, StoreError>;

    /// A cursor page of a list of orders.
    ///
    /// MUST cost the same at every position of the list, and give every row that keeps its position
    /// exactly once to a client that follows the cursors (`cursor_pages_list_every_order_once`).
    ///
    /// # Errors
    /// If the store fails.
    fn cursor_page(
        &self,
        filter: &OrderFilter,
        keyset: Keyset<OrderField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Order>, StoreError>;

    /// An order by id, deleted or not.
    ///
    /// # Errors
    /// If the store fails.
    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError>;

    /// Places the orders that [`decide_placement`](crate::orders::decide_placement) allows: one result for each
    /// request, in the order of the requests.
    ///
    /// MUST decide by the accounts of the customers under a lock held until the commit
    /// (`a_deactivated_customer_places_no_order`); MUST commit all orders of the batch, their
    /// stock, movements and cart lines together, and return only after the commit; MUST keep a
    /// refused request from affecting its neighbours (`a_refused_request_does_not_affect_its_neighbours`); MUST
    /// never sell a unit twice (`the_last_unit`) or order a cart twice
    /// (`double_submit_is_one_order`); MUST store an idempotency key with its order, and replay the
    /// stored response to a repeated request (`one_key_is_one_order`); MUST count each customer's
    /// usage of a quota under the lock of the customer (`open_orders_are_bounded`) and
    /// (`orders_within_an_hour_are_bounded`), between [`PlaceOrder::quota_since`] and
    /// [`PlaceOrder::quota_until`] (`orders_from_the_future_use_no_quota`), by indexes: the cost of
    /// an order does not grow with the number of the customer's orders.
    ///
    /// # Errors
    /// If the store fails: then no request of the batch was placed, unless the kind is
    /// [`OutcomeUnknown`](crate::kernel::StoreErrorKind::OutcomeUnknown).
    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError>;

    /// Changes orders as [`decide_orders`](crate::orders::decide_orders) allows: one result for
    /// each command, in order, with the order afterwards.
    ///
    /// MUST commit all changes of the slice together, and return only after the commit; MUST keep a
    /// refused command from affecting its neighbours, and let each command see the earlier ones
    /// (`order_changes_of_a_slice_see_each_other`); MUST decide by the account of the acting user under a lock held until the commit: whether
    /// they are staff (`an_order_is_changed_by_current_staff`) and whether they are active
    /// (`a_deactivated_customer_cancels_no_order`); MUST return stock exactly once, also under
    /// concurrency (`cancel_races_cancel`), and honour the precondition
    /// (`an_order_edit_checks_its_precondition`).
    ///
    /// # Errors
    /// As [`place`](Self::place).
    fn change_all(&self, commands: &[ChangeOrder]) -> Outcomes<Order>;

    /// Changes an order: a slice of one.
    ///
    /// # Errors
    /// The refusal, or the failure of the store.
    fn change(&self, command: ChangeOrder) -> Result<Order, Error> {
        single(self.change_all(&[command]))
    }
}
