//! The services of the domain that the API exposes.

use std::sync::Arc;
use tradepost_batch::Batcher;
use tradepost_domain::cart::Carts;
use tradepost_domain::catalog::Catalogue;
use tradepost_domain::identity::{Accounts, AttemptLimiter};
use tradepost_domain::inventory::Inventory;
use tradepost_domain::kernel::{Currency, MessageSigner};
use tradepost_domain::maintenance::HealthCheck;
use tradepost_domain::orders::Orders;

/// The services that the API exposes.
#[derive(Clone)]
pub struct Services {
    /// Products.
    pub catalogue: Catalogue,
    /// Stock of the products, and its ledger.
    pub inventory: Inventory,
    /// Carts.
    pub carts: Carts,
    /// Orders.
    pub orders: Orders,
    /// Accounts.
    pub accounts: Accounts,
    /// Login throttling.
    pub attempts: AttemptLimiter,
    /// Queue in which orders wait to be placed together.
    pub batcher: Arc<Batcher>,
    /// Signs pagination cursors.
    pub signer: Arc<dyn MessageSigner>,
    /// Health check and pool statistics of the store.
    pub health: Arc<dyn HealthCheck>,
    /// The currency of every price.
    pub currency: Currency,
}
