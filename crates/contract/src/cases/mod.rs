//! The cases, in folders by context. A public function in this module that is missing from the list
//! in `suite.rs` is reported as dead code.

mod cart;
mod catalog;
mod events;
mod identity;
mod import;
mod inventory;
mod kernel;
pub(crate) mod orders;
pub(crate) mod races;

pub(crate) use cart::carts;
pub(crate) use catalog::{products, search};
pub(crate) use events::{log, reports};
pub(crate) use identity::{accounts, attempts, names, roles, sessions, staff_sessions};
pub(crate) use import::imports;
pub(crate) use inventory::{ledger, stock};
pub(crate) use kernel::{cursor_pagination, idempotency, lists, preconditions};
pub(crate) use orders::{placement, quotas};
