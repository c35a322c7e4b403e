//! What a store can do wrong. Each fault is built from honest steps that are not one step, or not
//! the right ones, as a careless adapter would.

pub(crate) mod attempts;
pub(crate) mod carts;
pub(crate) mod imports;
pub(crate) mod keys;
pub(crate) mod orders;
pub(crate) mod people;
pub(crate) mod products;
pub(crate) mod quotas;
pub(crate) mod roles;
pub(crate) mod sessions;

use std::thread;
use std::time::Duration;

fn a_moment() {
    thread::sleep(Duration::from_millis(1));
}
