use super::StoreError;
use crate::ClockReading;
use chrono::{DateTime, TimeDelta, Utc};

/// How the connections of a pool are used, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolUse {
    /// What they are for, in a word.
    pub name: &'static str,
    /// Connections that somebody has.
    pub busy: u32,
    /// Connections that wait for somebody.
    pub idle: u32,
    /// The most connections that there may be.
    pub most: u32,
}

/// What keeps a store in order. Whatever it forgets, it forgets a few at a time, so that nobody is
/// held up; what somebody else is at work on, the next time.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Upkeep: Send + Sync {
    /// Whether the store answers, and has the schema that this program expects.
    ///
    /// # Errors
    /// If the store fails; [`SchemaMismatch`](super::StoreErrorKind::SchemaMismatch) if it answers,
    /// but is of another version.
    fn check(&self) -> Result<(), StoreError>;

    /// Forgets the idempotency keys from before a time, which is at least
    /// [`KEY_LIFE`](crate::KEY_LIFE) ago; how many they were. Their commands would be carried out
    /// again from then on.
    ///
    /// MUST keep those from then and later (`old_keys_are_forgotten`).
    ///
    /// # Errors
    /// If the store fails.
    fn forget_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Forgets the refresh tokens that ended by themselves before a time, and those that were used
    /// before it; how many they were. None of them would be taken.
    ///
    /// MUST keep every other one (`old_tokens_are_forgotten`).
    ///
    /// # Errors
    /// If the store fails.
    fn forget_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Forgets the counts of tries from before a time, which is at least
    /// [`ATTEMPT_LIFE`](crate::ATTEMPT_LIFE) ago; how many they were.
    ///
    /// MUST keep those from then and later (`old_tries_are_forgotten`).
    ///
    /// # Errors
    /// If the store fails.
    fn forget_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// Stores a reading of a server's clock, and deletes those whose uptime is less than
    /// `keep_from`.
    ///
    /// MUST keep every other one (`clock_readings_are_kept`).
    ///
    /// # Errors
    /// If the store fails.
    fn record_clock(&self, reading: ClockReading, keep_from: TimeDelta) -> Result<(), StoreError>;

    /// The readings that are kept, in any order.
    ///
    /// # Errors
    /// If the store fails.
    fn clock_readings(&self) -> Result<Vec<ClockReading>, StoreError>;

    /// Purges the known networks from before a time, which is at least
    /// [`KNOWN_NETWORK_LIFE`](crate::KNOWN_NETWORK_LIFE) ago; how many there were.
    ///
    /// MUST keep those from then and later (`old_known_networks_are_purged`).
    ///
    /// # Errors
    /// If the store fails.
    fn forget_known_networks(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;

    /// How its connections are used, without asking the database; none for a store that has none.
    fn pools(&self) -> Vec<PoolUse> {
        Vec::new()
    }
}
