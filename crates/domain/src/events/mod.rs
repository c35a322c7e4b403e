//! Event log: the numbered events of the shop. It is the history of orders and products, the audit
//! log, and the feed that other programs follow.
//!
//! A store appends the events of a decision in the transaction of the decision. An event gets its
//! number, [`EventSeq`](crate::kernel::EventSeq), when it is appended: 1, 2, 3, without gaps, in an
//! order that agrees with the order of commits for any one subject. A number never changes, and no
//! event is inserted before one that was read.

mod columns;
mod log;
mod refusal;
mod repository;
mod service;

pub use columns::EventColumns;
pub use log::{EventFilter, EventQuery, EventRange, FeedId, LoggedEvent, MAX_EVENTS};
pub use refusal::EventRefusal;
pub use repository::EventRepository;
pub use service::{Events, Feed, FeedQuery};

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockEventRepository;
