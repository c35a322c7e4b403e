//! The shop behind the API.

use std::sync::Arc;
use tradepost_batch::Batchers;
use tradepost_domain::Services;
use tradepost_domain::kernel::{Currency, MessageSigner};
use tradepost_domain::maintenance::HealthCheck;

/// The services that the API exposes, and what HTTP needs beside them.
#[derive(Clone)]
pub struct Backend {
    /// The services of the shop.
    pub services: Services,
    /// Queues in which commands wait to be executed together.
    pub batchers: Batchers,
    /// Signs pagination cursors.
    pub signer: Arc<dyn MessageSigner>,
    /// Health check and pool statistics of the store.
    pub health: Arc<dyn HealthCheck>,
    /// The currency of every price.
    pub currency: Currency,
}
