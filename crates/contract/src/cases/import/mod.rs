//! Imports of another shop.

pub(crate) mod imports;
