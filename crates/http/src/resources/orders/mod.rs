//! Orders.

mod endpoints;
pub(crate) mod list;
mod response;

pub(crate) use endpoints::ENDPOINTS;
pub(crate) use response::OrderResponse;
