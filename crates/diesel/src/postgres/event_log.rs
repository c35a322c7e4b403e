//! Event log of PostgreSQL: an outbox, and a sequencer that numbers its rows.
//!
//! A sequence cannot number the log: its numbers have gaps after a rollback, and a reader at 10
//! would miss a 9 that commits later. A counter in a row would have all transactions wait for each
//! other. So a transaction inserts its events into `outbox`, and the sequencer moves the rows that
//! it can see into `events`. A row that commits later gets a later number. The order of the outbox
//! ids is right for each subject: a transaction inserts an event while it holds the lock of the
//! subject, so the ids of one subject ascend in the order of the commits.
//!
//! The sequencer runs in a thread of each server, and before each read of the log, so that a reader
//! finds every event that was committed before. An advisory lock makes sure that one runs at a time.

use super::bulk::{InsertOutbox, add_to_sums};
use super::{Conn, Database, Flag};
use crate::failure::Failure;
use crate::rows::{EventRow, NewEventRow};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tradepost_domain::decision::{Event, EventName};
use tradepost_domain::kernel::{Currency, StoreError};
use tradepost_domain::reports::Sums;

/// Rows that one transaction moves: enough to make the cost of a round trip small.
const BATCH: usize = 1_000;

/// Interval of the sequencer of a server. A reader does not wait for it.
const INTERVAL: Duration = Duration::from_millis(100);

/// The whole log, as a table: the events that have no number yet follow the others.
pub(crate) const EVERY_EVENT: &str = "(
    SELECT seq, kind, order_id, user_id, detail, amount, at FROM events
    UNION ALL
    SELECT 4611686018427387904 + id, kind, order_id, user_id, detail, amount, at FROM outbox
)";

/// The status before and afterwards, in the detail of `order.status`.
pub(crate) const BEFORE: &str = "split_part(detail, '>', 1)";
pub(crate) const AFTER: &str = "split_part(detail, '>', 2)";

/// Appends events to the outbox. The statement that inserts an order also inserts its
/// `order.placed`.
pub(crate) fn append(conn: &mut Conn, new: &[Event]) -> Result<(), Failure> {
    let new = new.iter();
    let new = new.filter(|event| event.kind.name() != EventName::OrderPlaced);
    let mut rows = new.map(NewEventRow::from).peekable();
    if rows.peek().is_some() {
        rows.collect::<InsertOutbox>().execute(conn)?;
    }
    Ok(())
}

/// Moves every committed event into the log. A server that accepts no writes has nothing to move:
/// its log follows that of its primary.
pub(crate) fn settle(database: &Database) -> Result<(), StoreError> {
    while database.read(has_outbox)? {
        let currency = database.currency();
        let moved = database.write(move |conn| move_batch(conn, currency))?;
        if moved < BATCH {
            break;
        }
    }
    Ok(())
}

fn has_outbox(conn: &mut Conn) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT FROM outbox) AND NOT pg_is_in_recovery()
                AND current_setting('transaction_read_only') = 'off' AS value";
    Ok(diesel::sql_query(sql).get_result::<Flag>(conn)?.value)
}

/// Moves the oldest rows of the outbox, and adds them to the sums.
fn move_batch(conn: &mut Conn, currency: Currency) -> Result<usize, Failure> {
    // "TPEV". In a statement of its own: the next one has to see the rows of the previous holder.
    conn.batch_execute("SELECT pg_advisory_xact_lock(1414546774)")?;
    let sql = format!(
        "WITH taken AS (
            DELETE FROM outbox WHERE id = ANY (ARRAY (SELECT id FROM outbox ORDER BY id LIMIT {BATCH}))
            RETURNING *
        )
        INSERT INTO events (seq, kind, order_id, product_id, user_id, actor_id, detail, amount, at)
        SELECT top.seq + row_number() OVER (ORDER BY taken.id), taken.kind, taken.order_id,
            taken.product_id, taken.user_id, taken.actor_id, taken.detail, taken.amount, taken.at
        FROM taken, (SELECT COALESCE(max(seq), 0) AS seq FROM events) AS top
        RETURNING *"
    );
    let rows: Vec<EventRow> = diesel::sql_query(sql).load(conn)?;
    let moved = rows.len();
    let events = rows.into_iter().map(|row| Ok(row.event(currency)?.event));
    let events: Vec<Event> = events.collect::<Result<_, StoreError>>()?;
    add_to_sums(conn, &Sums::of(&events))?;
    Ok(moved)
}

/// Starts the sequencer of a server. Its thread ends with the database.
pub(crate) fn start_sequencer(database: &Arc<Database>) -> std::io::Result<()> {
    let database = Arc::downgrade(database);
    let thread = thread::Builder::new().name("event-sequencer".to_owned());
    thread
        .spawn(move || {
            loop {
                thread::sleep(INTERVAL);
                let Some(database) = database.upgrade() else {
                    return;
                };
                // The next run finds the same rows. The pool reports a lost connection.
                let _ = settle(&database);
            }
        })
        .map(drop)
}
