use crate::identity::{Attempt, AttemptKey, KnownNetwork, KnownNetworkKey};
use crate::kernel::{Error, StoreError};
use chrono::{DateTime, Utc};

/// Attempt repository: counts of attempts at limited actions, shared by all servers of a shop.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// use tradepost_domain::identity::{AttemptSettings, ClientNetwork, LoginName};
///
/// let client = ClientNetwork::new([192, 0, 2, 7].into());
/// let settings = AttemptSettings::default();
/// for attempt in settings.sign_in(&LoginName::new("ada"), client, false) {
///     store.attempts.count_attempt(&attempt, at(0))?;
///     store.attempts.release(&attempt.key)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait AttemptRepository: Send + Sync {
    /// Whether [`decide_attempt`](crate::identity::decide_attempt) would allow an attempt now. It counts
    /// nothing (`checking_a_limit_counts_no_attempt`), and writes nothing.
    ///
    /// # Errors
    /// If the store fails.
    fn check_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error>;

    /// Counts an attempt, if [`decide_attempt`](crate::identity::decide_attempt) allows it.
    ///
    /// MUST have stored the count on return, and allow no more attempts than the limit, also under
    /// concurrency (`concurrent_attempts_are_counted`); a refused attempt changes nothing
    /// (`attempts_are_counted_per_key`), nor does one of another kind
    /// (`limited_actions_are_counted_separately`).
    ///
    /// # Errors
    /// If the store fails.
    fn count_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error>;

    /// Releases one attempt (`an_attempt_can_be_released`). The time of the last attempt is not restored:
    /// under a backoff the wait applies once more; and after the end of a window, the attempt
    /// counts for the next one.
    ///
    /// # Errors
    /// If the store fails.
    fn release(&self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Resets the count under a key (`attempts_can_be_reset`).
    ///
    /// # Errors
    /// If the store fails.
    fn reset(&self, key: &AttemptKey) -> Result<(), StoreError>;

    /// The record of a network from which the correct password of the account came, unless it was
    /// purged. [`KnownNetwork::is_current`] tells whether it still counts.
    ///
    /// # Errors
    /// If the store fails.
    fn known_network(&self, key: &KnownNetworkKey) -> Result<Option<KnownNetwork>, StoreError>;

    /// Stores that the correct password of an account came from a network
    /// (`known_networks_are_of_one_account`).
    ///
    /// MUST keep the latest [`MAX_KNOWN_NETWORKS`](crate::identity::MAX_KNOWN_NETWORKS) of the account, and
    /// no more (`the_latest_known_networks_are_kept`); concurrent calls may exceed the maximum
    /// until the next call.
    ///
    /// # Errors
    /// If the store fails.
    fn remember_network(
        &self,
        key: &KnownNetworkKey,
        known: KnownNetwork,
    ) -> Result<(), StoreError>;
}
