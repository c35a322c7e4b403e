use crate::decision::Event;
use crate::events::{EventQuery, FeedId, LoggedEvent};
use crate::kernel::{EventSeq, StoreError};

/// Event repository: the event log.
///
/// A store appends the events of each decision in the transaction of the decision: MUST commit both
/// or neither (`an_event_is_committed_with_its_cause`) and (`a_refusal_has_no_event`); MUST number the
/// events from 1 without gaps (`the_feed_has_no_gaps`), in an order that agrees with the order of
/// commits for any one subject; MUST NOT insert an event before one that was read
/// (`a_late_commit_is_not_missed`).
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert_eq!(store.events.last()?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait EventRepository: Send + Sync {
    /// Events of a range that a filter selects, in the direction of the range.
    ///
    /// MUST return every event that was committed before the call
    /// (`an_event_is_committed_with_its_cause`), and those that the filter selects
    /// (`a_filter_selects_events`). Its cost does not grow with the log, unless the filter has a
    /// time only, or the name of frequent events only.
    ///
    /// # Errors
    /// If the store fails.
    fn read(&self, query: &EventQuery) -> Result<Vec<LoggedEvent>, StoreError>;

    /// Position of the last event, among those that were committed before the call; `None` for an
    /// empty log.
    ///
    /// # Errors
    /// If the store fails.
    fn last(&self) -> Result<Option<EventSeq>, StoreError>;

    /// Identity of the log; random, and the same for as long as the database exists.
    ///
    /// # Errors
    /// If the store fails.
    fn feed_id(&self) -> Result<FeedId, StoreError>;

    /// Appends an event that no decision has, such as [`KeyRotated`](crate::decision::EventKind).
    ///
    /// # Errors
    /// If the store fails.
    fn append(&self, event: Event) -> Result<(), StoreError>;
}
