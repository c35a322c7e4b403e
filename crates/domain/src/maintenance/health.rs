use crate::kernel::StoreError;

/// Connection pool statistics, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolStats {
    /// Name of the pool, in one word.
    pub name: &'static str,
    /// Connections in use.
    pub busy: u32,
    /// Idle connections.
    pub idle: u32,
    /// Maximum number of connections.
    pub most: u32,
}

/// Health of a store: reachability and pool statistics.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert!(store.health.check().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait HealthCheck: Send + Sync {
    /// Health check: whether the store is reachable and has the schema version of this program.
    ///
    /// # Errors
    /// If the store fails; [`SchemaMismatch`](crate::kernel::StoreErrorKind::SchemaMismatch) if it is
    /// reachable, but has a schema of another version.
    fn check(&self) -> Result<(), StoreError>;

    /// Statistics of its connection pools, without a query; empty for a store without pools.
    fn pools(&self) -> Vec<PoolStats> {
        Vec::new()
    }
}
