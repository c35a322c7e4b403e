//! Stock and the ledger.

pub(crate) mod ledger;
pub(crate) mod stock;
