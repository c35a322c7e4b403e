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
use crate::events::EventRepository;
use crate::identity::{AccountRepository, AttemptRepository, StaffSessionRepository};
use crate::import::ImportRepository;
use crate::inventory::{InventoryRepository, Ledger};
use crate::maintenance::{HealthCheck, Retention};
use crate::orders::OrderRepository;
use crate::reports::SalesReport;
use std::sync::Arc;

/// A store: every port. Implemented by each type that implements them all.
pub trait Store:
    ProductRepository
    + InventoryRepository
    + CartRepository
    + OrderRepository
    + EventRepository
    + SalesReport
    + AccountRepository
    + StaffSessionRepository
    + ImportRepository
    + AttemptRepository
    + Ledger
    + HealthCheck
    + Retention
{
}

impl<S> Store for S where
    S: ProductRepository
        + InventoryRepository
        + CartRepository
        + OrderRepository
        + EventRepository
        + SalesReport
        + AccountRepository
        + StaffSessionRepository
        + ImportRepository
        + AttemptRepository
        + Ledger
        + HealthCheck
        + Retention
{
}

/// The ports of a store, each by its name. Ports of different stores can be combined, such as a mock
/// and a store in memory: `Stores { products: Arc::new(mock), ..stores }`.
#[derive(Clone)]
pub struct Stores {
    /// Products.
    pub products: Arc<dyn ProductRepository>,
    /// Stock of the products, and its ledger.
    pub inventory: Arc<dyn InventoryRepository>,
    /// Carts.
    pub carts: Arc<dyn CartRepository>,
    /// Orders.
    pub orders: Arc<dyn OrderRepository>,
    /// Event log.
    pub events: Arc<dyn EventRepository>,
    /// Sums of orders, and products low in stock.
    pub reports: Arc<dyn SalesReport>,
    /// Accounts.
    pub accounts: Arc<dyn AccountRepository>,
    /// Sessions of staff in the admin interface.
    pub staff_sessions: Arc<dyn StaffSessionRepository>,
    /// Import of another shop.
    pub imports: Arc<dyn ImportRepository>,
    /// Counts of attempts at limited actions.
    pub attempts: Arc<dyn AttemptRepository>,
    /// Ledger audit.
    pub ledger: Arc<dyn Ledger>,
    /// Health check and pool statistics.
    pub health: Arc<dyn HealthCheck>,
    /// Retention: purges and clock readings.
    pub retention: Arc<dyn Retention>,
}

impl Stores {
    /// The ports of this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            products: store.clone(),
            inventory: store.clone(),
            carts: store.clone(),
            orders: store.clone(),
            events: store.clone(),
            reports: store.clone(),
            accounts: store.clone(),
            staff_sessions: store.clone(),
            imports: store.clone(),
            attempts: store.clone(),
            ledger: store.clone(),
            health: store.clone(),
            retention: store,
        }
    }
}

impl<S: Store + 'static> From<S> for Stores {
    fn from(store: S) -> Self {
        Self::new(Arc::new(store))
    }
}

impl From<Arc<dyn Store>> for Stores {
    fn from(store: Arc<dyn Store>) -> Self {
        Self::new(store)
    }
}
