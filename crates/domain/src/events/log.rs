//! Entries of the event log, and queries on it.

use crate::decision::{Event, EventName};
use crate::kernel::{EventSeq, OrderId, ProductId, UserId};
use chrono::{DateTime, Utc};
use std::fmt;

/// Maximum number of events that one query returns.
pub const MAX_EVENTS: u32 = 1_000;

/// An entry of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its position.
    pub seq: EventSeq,
    /// The event.
    pub event: Event,
}

/// Identity of one event log: lowercase letters and digits, random, so that the positions of two
/// shops are never mistaken for each other. A copy of the database has the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedId(String);

impl FeedId {
    /// The id with this text; `None` unless it has 1 to 32 lowercase letters and digits.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_id = (1..=32).contains(&text.len()) && text.bytes().all(is_plain);
        is_id.then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Conditions on events, all of which have to hold; the default selects every event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The names; empty for every name.
    pub names: Vec<EventName>,
    /// The acting user.
    pub actor: Option<UserId>,
    /// The order.
    pub order: Option<OrderId>,
    /// The product.
    pub product: Option<ProductId>,
    /// The customer of the order, or the user of the account.
    pub user: Option<UserId>,
    /// Start of the time, inclusive.
    pub since: Option<DateTime<Utc>>,
    /// End of the time, exclusive.
    pub until: Option<DateTime<Utc>>,
}

impl EventFilter {
    /// Whether an event is selected.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, actual: Option<T>) -> bool {
            wanted.is_none() || wanted == actual
        }
        let kind = &event.kind;
        (self.names.is_empty() || self.names.contains(&kind.name()))
            && is(self.actor, event.actor)
            && is(self.order, kind.order())
            && is(self.product, kind.product())
            && is(self.user, kind.user())
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at < until)
    }
}

/// The part of the log that a query reads, and its direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventRange {
    /// From the first event, ascending.
    #[default]
    Oldest,
    /// After an event, ascending.
    After(EventSeq),
    /// Before an event, descending.
    Before(EventSeq),
    /// From the last event, descending.
    Newest,
}

impl EventRange {
    /// Whether the query reads towards newer events.
    #[must_use]
    pub fn is_ascending(self) -> bool {
        matches!(self, Self::Oldest | Self::After(_))
    }

    /// Whether an event at this position is in the range.
    #[must_use]
    pub fn contains(self, seq: EventSeq) -> bool {
        match self {
            Self::Oldest | Self::Newest => true,
            Self::After(first) => seq > first,
            Self::Before(last) => seq < last,
        }
    }
}

/// A query on the event log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Conditions.
    pub filter: EventFilter,
    /// Range and direction.
    pub range: EventRange,
    /// Maximum number of events, at most [`MAX_EVENTS`].
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::EventKind;
    use crate::testing::{at, money, product_id, user};

    fn seq(number: i64) -> EventSeq {
        EventSeq::new(number).unwrap()
    }

    #[test]
    fn a_filter_selects_events_for_which_every_condition_holds() {
        let placed = Event {
            kind: EventKind::OrderPlaced {
                order: OrderId::new(4).unwrap(),
                user: user(5),
                total: money(100),
            },
            actor: Some(user(6)),
            at: at(10),
        };
        let all = EventFilter::default();
        let of = |change: fn(&mut EventFilter)| {
            let mut filter = all.clone();
            change(&mut filter);
            filter.matches(&placed)
        };
        assert!(all.matches(&placed));
        assert!(of(
            |all| all.names = vec![EventName::OrderPlaced, EventName::StockOut]
        ));
        assert!(!of(|all| all.names = vec![EventName::StockOut]));
        assert!(of(|all| all.actor = UserId::new(6)));
        assert!(!of(|all| all.actor = UserId::new(5)));
        assert!(of(|all| all.user = UserId::new(5)));
        assert!(!of(|all| all.user = UserId::new(6)));
        assert!(of(|all| all.order = OrderId::new(4)));
        assert!(!of(|all| all.order = OrderId::new(5)));
        assert!(!of(|all| all.product = Some(product_id(4))));
        assert!(of(|all| all.since = Some(at(10))));
        assert!(!of(|all| all.since = Some(at(11))));
        assert!(of(|all| all.until = Some(at(11))));
        assert!(!of(|all| all.until = Some(at(10))));
    }

    #[test]
    fn a_range_excludes_its_bound() {
        for (range, contained, ascending) in [
            (EventRange::Oldest, vec![1, 2, 3], true),
            (EventRange::After(seq(2)), vec![3], true),
            (EventRange::Before(seq(2)), vec![1], false),
            (EventRange::Newest, vec![1, 2, 3], false),
        ] {
            let numbers = (1..=3).filter(|number| range.contains(seq(*number)));
            assert_eq!(numbers.collect::<Vec<_>>(), contained, "{range:?}");
            assert_eq!(range.is_ascending(), ascending, "{range:?}");
        }
    }

    #[test]
    fn a_feed_id_is_of_lowercase_letters_and_digits() {
        assert_eq!(FeedId::new("9f2c51aa").unwrap().to_string(), "9f2c51aa");
        for text in ["", "9F", "a_1", "ä", &"a".repeat(33)] {
            assert_eq!(FeedId::new(text), None, "{text:?}");
        }
    }
}
