//! Products and searches.

pub(crate) mod products;
pub(crate) mod search;
