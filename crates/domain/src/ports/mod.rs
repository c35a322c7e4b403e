//! Ports: what the shop needs from the outside, as traits that adapters implement.
//!
//! They are synchronous, object-safe and shared between threads. In their results
//! - `Ok(None)` is absence,
//! - an inner `Err(Refusal)` is the rules' answer: nothing was changed,
//! - an outer `Err(StoreError)` is a failure of the store.
//!
//! What a method MUST do is pinned by the test in `tradepost-contract` that its clause names; every
//! adapter runs that suite.
//!
//! # How to add a write
//! Make its command a value, write its `decide` function with a table of tests, add a method to the
//! port that takes the command, and implement it in each adapter as: lock and load what the command
//! touches, call `decide`, write what it returns, commit.

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

/// What a write gives: its outcome or the rules' refusal, unless the store failed.
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
    /// Taking over another shop.
    pub imports: Arc<dyn ImportRepository>,
    /// Tries at what can be guessed.
    pub attempts: Arc<dyn AttemptRepository>,
    /// The books.
    pub ledger: Arc<dyn Ledger>,
    /// What keeps the store in order.
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
