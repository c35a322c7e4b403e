//! Health, retention and pool statistics.

mod retention;
mod upkeep;

pub use retention::{ClockReading, decide_purge, latest_uptime};
pub use upkeep::{PoolStats, Upkeep};

#[cfg(any(test, feature = "mocks"))]
pub use upkeep::MockUpkeep;
