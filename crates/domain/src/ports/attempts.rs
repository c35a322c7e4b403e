use super::{Outcome, StoreError};
use crate::{Attempt, AttemptKey, KnownNetwork, KnownNetworkKey};
use chrono::{DateTime, Utc};

/// Tries at what can be guessed, counted for all servers of a shop.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait AttemptRepository: Send + Sync {
    /// Whether [`decide_attempt`](crate::decide_attempt) would allow a try now. It counts nothing
    /// (`asking_is_no_try`), and costs no write.
    ///
    /// # Errors
    /// If the store fails.
    fn may_try(&self, attempt: &Attempt, now: DateTime<Utc>) -> Outcome<()>;

    /// Counts a try, if [`decide_attempt`](crate::decide_attempt) allows it.
    ///
    /// MUST have counted it when this returns, and let no more through than are allowed, whoever
    /// races (`tries_at_once_are_counted`); a refused one changes nothing
    /// (`tries_are_counted_under_their_key`), nor does one of another kind
    /// (`what_is_tried_counts_by_itself`).
    ///
    /// # Errors
    /// If the store fails.
    fn count_try(&self, attempt: &Attempt, now: DateTime<Utc>) -> Outcome<()>;

    /// Takes one try back (`a_try_is_given_back`). When the last one was is not taken back: whoever
    /// has to wait before each waits once more; and after the end of a window, the try is one of
    /// the next.
    ///
    /// # Errors
    /// If the store fails.
    fn give_back(&self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Takes all tries under a key back (`tries_are_forgiven`).
    ///
    /// # Errors
    /// If the store fails.
    fn forgive(&self, key: &AttemptKey) -> Result<(), StoreError>;

    /// The network, if the right password of the account came from it and it was not purged since.
    /// Whether it still counts is for [`KnownNetwork::is_current`] to say.
    ///
    /// # Errors
    /// If the store fails.
    fn known_network(&self, key: &KnownNetworkKey) -> Result<Option<KnownNetwork>, StoreError>;

    /// Stores that the right password of an account came from a network
    /// (`known_networks_are_of_one_account`).
    ///
    /// MUST keep the latest [`MAX_KNOWN_NETWORKS`](crate::MAX_KNOWN_NETWORKS) of the account, and no
    /// more (`the_latest_known_networks_are_kept`); when others are stored at the same time, the
    /// next one brings it down to them.
    ///
    /// # Errors
    /// If the store fails.
    fn remember_network(
        &self,
        key: &KnownNetworkKey,
        known: KnownNetwork,
    ) -> Result<(), StoreError>;
}
