use crate::identity::{SessionDigest, StaffSession};
use crate::kernel::StoreError;

/// Staff session repository.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// use tradepost_domain::identity::SessionDigest;
///
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert_eq!(store.staff_sessions.find_session(SessionDigest::new([0; 32]))?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait StaffSessionRepository: Send + Sync {
    /// Stores a new session, and ends the sessions of its user that
    /// [`decide_ended_sessions`](crate::identity::decide_ended_sessions) names.
    ///
    /// MUST keep the number of a user's sessions bounded (`staff_sessions_are_bounded`).
    ///
    /// # Errors
    /// If the store fails.
    fn begin_session(&self, session: StaffSession) -> Result<(), StoreError>;

    /// A session by its digest.
    ///
    /// MUST give every stored field unchanged (`a_staff_session_is_found_by_its_digest`).
    ///
    /// # Errors
    /// If the store fails.
    fn find_session(&self, digest: SessionDigest) -> Result<Option<StaffSession>, StoreError>;

    /// Records the use of a session. Does nothing if it has ended.
    ///
    /// MUST NOT restore a session that has ended (`an_ended_staff_session_stays_ended`).
    ///
    /// # Errors
    /// If the store fails.
    fn use_session(&self, session: StaffSession) -> Result<(), StoreError>;

    /// Ends a session. An unknown one has ended already.
    ///
    /// # Errors
    /// If the store fails.
    fn end_session(&self, digest: SessionDigest) -> Result<(), StoreError>;
}
