//! The cases. A public function in this module that is missing from the list in `suite.rs` is
//! reported as dead code.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod carts;
pub(crate) mod edits;
pub(crate) mod finding;
pub(crate) mod imports;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod lists;
pub(crate) mod names;
pub(crate) mod orders;
pub(crate) mod placing;
pub(crate) mod products;
pub(crate) mod quotas;
pub(crate) mod races;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod stock;
pub(crate) mod walking;
