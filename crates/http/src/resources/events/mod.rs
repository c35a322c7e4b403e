//! The event log: the feed, and the histories of orders and products.

mod endpoints;
mod response;

pub(crate) use endpoints::ENDPOINTS;
