//! Ports: the shop's interfaces to stores, clock, randomness and cryptography, as traits that
//! adapters implement.
//!
//! They are synchronous, object-safe and shared between threads. In their results
//! - `Ok(None)` is absence,
//! - `Err(StoreError)`, of a method that only reads, is a failure of the store,
//! - `Err(Error::Refused)`, of a write, is a rejection by the rules: nothing was changed.
//!
//! A write of several commands has one result for each of them.
//!
//! Each MUST clause of a method names the test of `tradepost-contract` that pins it; every adapter
//! runs that suite.
//!
//! # How to add a write
//! Make its command a value, write its `decide` function with a table of tests, add a method to the
//! port that takes the command, and implement it in each adapter as: lock and load the state that
//! the command needs, call `decide`, write the decision, commit.

use crate::cart::CartRepository;
use crate::catalog::ProductRepository;
use crate::identity::{AccountRepository, AttemptRepository};
use crate::import::ImportRepository;
use crate::inventory::Ledger;
use crate::maintenance::Upkeep;
use crate::orders::OrderRepository;
use std::sync::Arc;

/// The ports of one store, each shared.
#[derive(Clone)]
pub struct Stores {
    /// Products, their stock and its ledger.
    pub products: Arc<dyn ProductRepository>,
    /// Carts.
    pub carts: Arc<dyn CartRepository>,
    /// Orders.
    pub orders: Arc<dyn OrderRepository>,
    /// Accounts.
    pub accounts: Arc<dyn AccountRepository>,
    /// Import of another shop.
    pub imports: Arc<dyn ImportRepository>,
    /// Counts of attempts at limited actions.
    pub attempts: Arc<dyn AttemptRepository>,
    /// Ledger audit.
    pub ledger: Arc<dyn Ledger>,
    /// Health check, retention and pool statistics.
    pub upkeep: Arc<dyn Upkeep>,
}

impl Stores {
    /// The ports of a store that implements them all.
    #[must_use]
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: ProductRepository
            + CartRepository
            + OrderRepository
            + AccountRepository
            + ImportRepository
            + AttemptRepository
            + Ledger
            + Upkeep
            + 'static,
    {
        Self {
            products: store.clone(),
            carts: store.clone(),
            orders: store.clone(),
            accounts: store.clone(),
            imports: store.clone(),
            attempts: store.clone(),
            ledger: store.clone(),
            upkeep: store,
        }
    }
}
