//! Placement, quotas and changes of orders.

mod changes;
pub(crate) mod placement;
pub(crate) mod quotas;

pub use changes::*;
