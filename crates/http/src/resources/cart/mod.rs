//! The cart of the caller, and its items.

mod endpoints;
mod fields;
mod response;

pub(crate) use endpoints::ENDPOINTS;
pub(crate) use response::{CartItemResponse, render};
