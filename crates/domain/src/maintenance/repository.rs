use crate::kernel::StoreError;
use crate::maintenance::ClockReading;
use chrono::{DateTime, TimeDelta, Utc};

/// Retention of records: purges, and the clock readings that decide them. Purges work in small
/// batches, so that they hold up no other transaction; rows locked by another transaction are
/// skipped until the next run.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert_eq!(store.retention.purge_attempts(at(0))?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait Retention: Send + Sync {
    /// Purges idempotency keys from before a time, which is at least [`IDEMPOTENCY_KEY_TTL`](crate::kernel::IDEMPOTENCY_KEY_TTL)
    /// ago; returns their number. From then on their commands would be executed again.
    ///
    /// MUST keep those from then and later (`old_keys_are_purged`).
    ///
    /// # Errors
    /// If the store fails.
    fn purge_idempotency_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Purges refresh tokens that expired or were used before a time; returns their number. None of
    /// them would be accepted.
    ///
    /// MUST keep every other one (`expired_tokens_are_purged`).
    ///
    /// # Errors
    /// If the store fails.
    fn purge_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Purges attempt counts from before a time, which is at least
    /// [`ATTEMPT_LIFE`](crate::identity::ATTEMPT_LIFE) ago; returns their number.
    ///
    /// MUST keep those from then and later (`old_attempts_are_purged`).
    ///
    /// # Errors
    /// If the store fails.
    fn purge_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Stores a reading of a server's clock, and deletes readings with an uptime below `keep_from`.
    ///
    /// MUST keep every other one (`clock_readings_are_kept`).
    ///
    /// # Errors
    /// If the store fails.
    fn record_clock(&self, reading: ClockReading, keep_from: TimeDelta) -> Result<(), StoreError>;

    /// The stored readings, in any order.
    ///
    /// # Errors
    /// If the store fails.
    fn clock_readings(&self) -> Result<Vec<ClockReading>, StoreError>;

    /// Purges known networks from before a time, which is at least
    /// [`KNOWN_NETWORK_LIFE`](crate::identity::KNOWN_NETWORK_LIFE) ago; returns their number.
    ///
    /// MUST keep those from then and later (`old_known_networks_are_purged`).
    ///
    /// # Errors
    /// If the store fails.
    fn purge_known_networks(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Purges staff sessions that expired before a time; returns their number.
    ///
    /// MUST keep every other one (`expired_staff_sessions_are_purged`).
    ///
    /// # Errors
    /// If the store fails.
    fn purge_staff_sessions(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
