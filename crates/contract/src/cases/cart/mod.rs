//! Carts.

pub(crate) mod carts;
