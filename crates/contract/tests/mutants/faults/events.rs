use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_domain::decision::{Event, EventKind};
use tradepost_domain::events::{EventFilter, EventQuery, EventRepository, LoggedEvent};
use tradepost_domain::inventory::{AdjustStock, Adjusted, InventoryRepository};
use tradepost_domain::kernel::{Error, EventSeq, Execution, StoreError};
use tradepost_domain::reports::SalesReport;
use tradepost_memory::MemoryStore as Store;

/// Appends the event before the decision, and not in its transaction.
fn adjusts_with_an_early_event(
    store: &Store,
    command: AdjustStock,
) -> Result<Execution<Adjusted>, Error> {
    store.append(Event {
        kind: EventKind::KeyRotated,
        actor: None,
        at: command.at,
    })?;
    store.adjust_stock(command)
}

/// Numbers events by a sequence that has gaps.
fn leaves_gaps(store: &Store, query: &EventQuery) -> Result<Vec<LoggedEvent>, StoreError> {
    let double = |event: LoggedEvent| {
        let seq = EventSeq::new(event.seq.get() * 2)?;
        Some(LoggedEvent { seq, ..event })
    };
    let events = store.read(query)?;
    Ok(events.into_iter().filter_map(double).collect())
}

/// Reads on from the last event, and so misses those that became visible meanwhile.
fn misses_late_events(store: &Store, query: &EventQuery) -> Result<Vec<LoggedEvent>, StoreError> {
    let mut events = store.read(query)?;
    if query.range.is_ascending() && events.len() > 1 {
        events.remove(0);
    }
    Ok(events)
}

fn ignores_the_filter(store: &Store, query: &EventQuery) -> Result<Vec<LoggedEvent>, StoreError> {
    store.read(&EventQuery {
        filter: EventFilter::default(),
        ..query.clone()
    })
}

pub(crate) const ROWS: &[Row] = &[
    (
        "appends an event before its decision",
        Behaviour {
            adjust: adjusts_with_an_early_event,
            ..HONEST
        },
        &["a_refusal_has_no_event"],
    ),
    (
        "numbers events with gaps",
        Behaviour {
            read_events: leaves_gaps,
            ..HONEST
        },
        &["the_feed_has_no_gaps"],
    ),
    (
        "skips an event of the feed",
        Behaviour {
            read_events: misses_late_events,
            ..HONEST
        },
        &[
            "an_event_is_committed_with_its_cause",
            "a_late_commit_is_not_missed",
        ],
    ),
    (
        "reads events without their filter",
        Behaviour {
            read_events: ignores_the_filter,
            ..HONEST
        },
        &["a_filter_selects_events"],
    ),
    (
        "has sums of sales for a part of the time only",
        Behaviour {
            sales: |store, since, _| store.sales(since, since),
            ..HONEST
        },
        &["sales_are_sums_of_orders"],
    ),
    (
        "lists no product with low stock",
        Behaviour {
            low_stock: |store, _| store.low_stock(0),
            ..HONEST
        },
        &["low_stock_is_listed"],
    ),
];
