//! Event log.

mod audit;
mod select;

use super::prelude::{self, *};
use crate::rows::EventRow;
use crate::schema::{events, shop};
pub(super) use audit::audit;
use select::Selection;
use tradepost_domain::decision::Event;
use tradepost_domain::events::{EventQuery, EventRepository, FeedId, LoggedEvent};
use tradepost_domain::kernel::EventSeq;

/// Appends events to the log, in the transaction of their cause.
pub(super) fn append(conn: &mut Conn, new: &[Event]) -> Result<(), Failure> {
    if new.is_empty() {
        return Ok(());
    }
    event_log::append(conn, new)
}

impl EventRepository for Database {
    fn read(&self, query: &EventQuery) -> Result<Vec<LoggedEvent>, StoreError> {
        let currency = self.currency();
        event_log::settle(self)?;
        self.read(|conn| {
            let rows = Selection::of(query).query().load::<EventRow>(conn)?;
            all(rows, |row| row.event(currency))
        })
    }

    fn last(&self) -> Result<Option<EventSeq>, StoreError> {
        event_log::settle(self)?;
        self.read(|conn| {
            let last: Option<i64> = events::table
                .select(diesel::dsl::max(events::seq))
                .get_result(conn)?;
            Ok(last.and_then(EventSeq::new))
        })
    }

    fn feed_id(&self) -> Result<FeedId, StoreError> {
        self.read(|conn| {
            let feed: String = shop::table.find(1).select(shop::feed).first(conn)?;
            Ok(FeedId::new(&feed).ok_or_else(|| StoreError::corrupt("shop", "feed", 1))?)
        })
    }

    fn append(&self, event: Event) -> Result<(), StoreError> {
        self.write(move |conn| append(conn, std::slice::from_ref(&event)))
    }
}
