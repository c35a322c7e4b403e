//! Orders: status machine, placement, quotas, the repository port and the order service.

mod filter;
pub(crate) mod order;
mod placement;
mod quota;
mod refusal;
mod repository;
mod service;
mod slice;
mod status;

pub use filter::{OrderField, OrderFilter, OrderList};
pub use order::{ChangeOrder, Order, OrderAction, OrderItem, decide_order};
pub use placement::{
    NewOrder, PlaceOrder, PlacementId, PlacementState, ProductSnapshot, decide_placement,
};
pub use quota::{ORDER_QUOTA_WINDOW, OrderQuota, OrderUsage, decide_order_quota};
pub use refusal::OrderRefusal;
pub use repository::{OrderRepository, Placement};
pub use service::Orders;
pub use slice::{OrdersState, decide_orders};
pub use status::OrderStatus;

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockOrderRepository;
