use crate::{MemoryStore, State, next};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use tradepost_domain::decision::Event;
use tradepost_domain::events::{EventQuery, EventRepository, FeedId, LoggedEvent};
use tradepost_domain::kernel::{EventSeq, StoreError, StoreErrorKind};

impl EventRepository for MemoryStore {
    fn read(&self, query: &EventQuery) -> Result<Vec<LoggedEvent>, StoreError> {
        let state = self.lock();
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let selected = |logged: &&LoggedEvent| {
            query.range.contains(logged.seq) && query.filter.matches(&logged.event)
        };
        let events = state.events.iter();
        Ok(if query.range.is_ascending() {
            events.filter(selected).take(limit).cloned().collect()
        } else {
            events.rev().filter(selected).take(limit).cloned().collect()
        })
    }

    fn last(&self) -> Result<Option<EventSeq>, StoreError> {
        Ok(self.lock().events.last().map(|logged| logged.seq))
    }

    fn feed_id(&self) -> Result<FeedId, StoreError> {
        FeedId::new(&self.feed).ok_or_else(|| StoreError::new(StoreErrorKind::Other))
    }

    fn append(&self, event: Event) -> Result<(), StoreError> {
        let mut state = self.lock();
        let logged = state.numbered_events([event])?;
        state.log(logged);
        Ok(())
    }
}

/// A random feed id.
pub(crate) fn new_feed() -> String {
    // Each `RandomState` has keys of its own.
    format!("{:016x}", RandomState::new().hash_one(()))
}

impl State {
    /// The entries of events that are appended next. Their numbers are not used up: unlike an id,
    /// the number of a command that panics is given to the next event.
    pub(crate) fn numbered_events(
        &self,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        let mut last = self.events.last().map_or(0, |logged| logged.seq.get());
        let mut number = |event| {
            let seq = next(&mut last, EventSeq::new)?;
            Ok(LoggedEvent { seq, event })
        };
        events.into_iter().map(&mut number).collect()
    }

    /// Appends events, and adds them to the sums.
    pub(crate) fn log(&mut self, events: Vec<LoggedEvent>) {
        self.add_to_sums(events.iter().map(|logged| &logged.event));
        self.events.extend(events);
    }
}
