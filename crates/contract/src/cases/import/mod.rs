//! Imports of another shop, and of products from a file.

pub(crate) mod imports;
pub(crate) mod product_imports;
