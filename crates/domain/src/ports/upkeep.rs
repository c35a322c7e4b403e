use super::StoreError;
use chrono::{DateTime, Utc};

/// What keeps a store in order.
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

    /// Forgets the refresh tokens that ended by themselves before a time; how many they were. None
    /// of them would be taken.
    ///
    /// MUST keep every other one, used ones too (`old_tokens_are_forgotten`).
    ///
    /// # Errors
    /// If the store fails.
    fn forget_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError>;
}
