//! Ports: the shop's interfaces to stores, clock, randomness and cryptography, as traits that
//! adapters implement.
//!
//! They are synchronous, object-safe and shared between threads. In their results
//! - `Ok(None)` is absence,
//! - an inner `Err(Refusal)` is a rejection by the rules: nothing was changed,
//! - an outer `Err(StoreError)` is a failure of the store.
//!
//! Each MUST clause of a method names the test of `tradepost-contract` that pins it; every adapter
//! runs that suite.
//!
//! # How to add a write
//! Make its command a value, write its `decide` function with a table of tests, add a method to the
//! port that takes the command, and implement it in each adapter as: lock and load the state that
//! the command needs, call `decide`, write the decision, commit.

mod accounts;
mod attempts;
mod carts;
mod imports;
mod ledger;
mod orders;
mod outside;
mod products;
mod store_error;
mod upkeep;

use std::sync::Arc;

pub use accounts::{AccountRepository, UserFilter};
pub use attempts::AttemptRepository;
pub use carts::CartRepository;
pub use imports::{ImportRepository, Imported};
pub use ledger::{Audit, Discrepancy, Ledger};
pub use orders::{OrderRepository, Placement};
pub use outside::{
    Clock, HashingFailed, NoRandomness, PasswordHasher, PlacementIds, Seal, TokenService,
};
pub use products::ProductRepository;
pub use store_error::{StoreError, StoreErrorKind};
pub use upkeep::{PoolUse, Upkeep};

#[cfg(any(test, feature = "mocks"))]
pub use {
    accounts::MockAccountRepository,
    attempts::MockAttemptRepository,
    carts::MockCartRepository,
    imports::MockImportRepository,
    ledger::MockLedger,
    orders::MockOrderRepository,
    outside::{MockClock, MockPasswordHasher, MockPlacementIds, MockSeal, MockTokenService},
    products::MockProductRepository,
    upkeep::MockUpkeep,
};

/// Result of a write: its outcome or a refusal by the rules, unless the store failed.
pub type Outcome<T> = Result<Result<T, crate::Refusal>, StoreError>;

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
