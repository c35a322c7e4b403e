use super::{Outcome, StoreError};
use crate::{ChangeOrder, Order, OrderId, Page, PageRequest, PlaceOrder, Refusal, UserId, Written};

/// Which orders a list is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// One customer's, or everybody's.
    pub user: Option<UserId>,
    /// The deleted ones instead of those in sight.
    pub archived: bool,
}

/// What one request of a batch got. [`Refusal::Contended`] says that somebody else holds what it
/// needs, and that it may be tried again in a moment.
pub type Placement = Result<Written<Order>, Refusal>;

/// Orders.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait OrderRepository: Send + Sync {
    /// A page of orders, newest first.
    ///
    /// MUST give the count and the rows of one moment (`orders_are_listed_newest_first`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, filter: OrderFilter, page: PageRequest) -> Result<Page<Order>, StoreError>;

    /// An order, deleted or not.
    ///
    /// # Errors
    /// If the store fails.
    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError>;

    /// Places what [`decide_placing`](crate::decide_placing) allows: one result for each request,
    /// in the order of the requests.
    ///
    /// MUST commit all orders of the batch, their stock, movements and cart lines together, and
    /// return only after the commit; MUST keep a refused request from harming its neighbours
    /// (`a_refused_neighbour_harms_nobody`); MUST never sell a unit twice (`the_last_unit`) or order
    /// a cart twice (`double_submit_is_one_order`); MUST store an idempotency key with its order, and
    /// give the answer of then to whoever sends it again (`one_key_is_one_order`).
    ///
    /// # Errors
    /// If the store fails: then no request of the batch was placed, unless the kind is
    /// [`OutcomeUnknown`](super::StoreErrorKind::OutcomeUnknown).
    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError>;

    /// Changes what [`decide_order`](crate::decide_order) allows; the order afterwards.
    ///
    /// MUST give stock back exactly once, whoever races (`cancel_races_cancel`), and change what was
    /// seen or nothing (`an_order_is_edited_as_it_was_seen`).
    ///
    /// # Errors
    /// If the store fails.
    fn change(&self, command: ChangeOrder) -> Outcome<Order>;
}
