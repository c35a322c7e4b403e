//! Products and searches.

pub(crate) mod products;
pub(crate) mod products_together;
pub(crate) mod search;
