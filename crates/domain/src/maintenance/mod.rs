//! Health check and pool statistics of a store, and retention of its records.

mod health;
mod repository;
mod retention;

pub use health::{HealthCheck, PoolStats};
pub use repository::Retention;
pub use retention::{ClockReading, decide_purge, latest_uptime};

#[cfg(any(test, feature = "test-support"))]
pub use {health::MockHealthCheck, repository::MockRetention};
