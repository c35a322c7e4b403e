//! The sequencer of the event log.

use super::*;
use tradepost_domain::events::{EventQuery, EventRepository, LoggedEvent, MAX_EVENTS};

/// Inserts the event of an order into the outbox.
fn event(order: i64) -> String {
    format!(
        "INSERT INTO outbox (kind, order_id, user_id, detail, amount, at)
         VALUES ('order.imported', {order}, 1, 'pending', 0, 0)"
    )
}

/// The orders of the events, in the order of the log, whose positions have no gap.
fn log(database: &Database) -> Vec<i64> {
    let query = EventQuery {
        limit: MAX_EVENTS,
        ..EventQuery::default()
    };
    let events = EventRepository::read(database, &query).unwrap();
    for (expected, logged) in (1..).zip(&events) {
        assert_eq!(logged.seq.get(), expected);
    }
    let order = |logged: &LoggedEvent| logged.event.kind.order().unwrap().get();
    events.iter().map(order).collect()
}

#[test]
fn a_transaction_that_commits_late_gets_a_later_number() {
    let (database, name) = database();
    let (mut older, mut younger) = (other(&name), other(&name));
    older
        .batch_execute(&format!("BEGIN; {}", event(1)))
        .unwrap();
    younger.batch_execute(&event(2)).unwrap();
    assert_eq!(log(&database), [2]);
    older.batch_execute("COMMIT").unwrap();
    assert_eq!(log(&database), [2, 1]);
}

#[test]
fn a_transaction_that_is_rolled_back_leaves_no_gap() {
    let (database, name) = database();
    let mut session = other(&name);
    for end in ["COMMIT", "ROLLBACK", "COMMIT"] {
        session
            .batch_execute(&format!("BEGIN; {}; {end}", event(1)))
            .unwrap();
    }
    assert_eq!(log(&database), [1, 1]);
}

#[test]
fn two_sequencers_give_one_order() {
    const WRITERS: i64 = 4;
    const EVENTS: i64 = 150;
    let (database, name) = database();
    let another = open(&SERVER.0.url(&name));
    let writing = AtomicUsize::new(usize::try_from(WRITERS).unwrap());
    let write = |writer: i64| {
        let mut session = other(&name);
        for number in 0..EVENTS {
            let order = writer * EVENTS + number + 1;
            session.batch_execute(&event(order)).unwrap();
        }
        writing.fetch_sub(1, Ordering::SeqCst);
    };
    let sequence = |database: &Database| {
        while writing.load(Ordering::SeqCst) > 0 {
            event_log::settle(database).unwrap();
        }
    };
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let write = &write;
            scope.spawn(move || write(writer));
        }
        for database in [&*database, &another] {
            let sequence = &sequence;
            scope.spawn(move || sequence(database));
        }
    });
    let orders = log(&database);
    assert_eq!(orders, log(&another));
    // The events of each session are in the order of its commits.
    for writer in 0..WRITERS {
        let own = writer * EVENTS + 1..=(writer + 1) * EVENTS;
        let found = orders.iter().copied().filter(|order| own.contains(order));
        assert_eq!(found.collect::<Vec<_>>(), own.clone().collect::<Vec<_>>());
    }
    assert_eq!(orders.len(), usize::try_from(WRITERS * EVENTS).unwrap());
}

/// The lock of a sequencer ends with its session.
#[test]
fn the_end_of_a_sequencer_holds_up_no_other() {
    let (database, name) = database();
    let mut stuck = other(&name);
    stuck
        .batch_execute("BEGIN; SELECT pg_advisory_xact_lock(1414546774)")
        .unwrap();
    sql(&name, &event(1));
    let reader = Arc::clone(&database);
    let reading = thread::spawn(move || log(&reader));
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    while sql(&name, waits).trim() == "0" {
        sleep(Duration::from_millis(5));
    }
    drop(stuck);
    assert_eq!(reading.join().unwrap(), [1]);
}

/// The sequencer of a server numbers events without a reader.
#[test]
fn a_server_numbers_events_in_the_background() {
    let (database, name) = database();
    event_log::start_sequencer(&database).unwrap();
    sql(&name, &event(1));
    while sql(&name, "SELECT count(*) FROM events").trim() == "0" {
        sleep(Duration::from_millis(5));
    }
    assert_eq!(sql(&name, "SELECT count(*) FROM outbox").trim(), "0");
}
