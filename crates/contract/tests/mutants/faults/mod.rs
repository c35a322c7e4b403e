//! Faults that a store can have. Each is built from correct steps that are not atomic, or that are
//! the wrong ones, as in a careless adapter.

pub(crate) mod attempts;
pub(crate) mod carts;
pub(crate) mod events;
pub(crate) mod imports;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod order_lists;
pub(crate) mod orders;
pub(crate) mod people;
pub(crate) mod product_imports;
pub(crate) mod product_lists;
pub(crate) mod products;
pub(crate) mod quotas;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod slices;
pub(crate) mod staff_sessions;

use std::thread;
use std::time::Duration;

fn a_moment() {
    thread::sleep(Duration::from_millis(1));
}
