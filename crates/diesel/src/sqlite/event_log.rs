//! Event log of SQLite: the one writer numbers the events as it inserts them.

use super::{Conn, Database};
use crate::failure::Failure;
use crate::rows::{NewEventRow, micros};
use crate::schema::{events, order_counts, sales};
use diesel::prelude::*;
use diesel::upsert::excluded;
use tradepost_domain::decision::Event;
use tradepost_domain::kernel::StoreError;
use tradepost_domain::reports::Sums;

/// Appends events, and adds them to the sums. SQLite assigns the largest number plus one, which
/// leaves no gap: a transaction that is rolled back takes its numbers with it.
pub(crate) fn append(conn: &mut Conn, new: &[Event]) -> Result<(), Failure> {
    for event in new {
        diesel::insert_into(events::table)
            .values(NewEventRow::from(event))
            .execute(conn)?;
    }
    add_to_sums(conn, &Sums::of(new))
}

fn add_to_sums(conn: &mut Conn, changes: &Sums) -> Result<(), Failure> {
    for (start, change) in &changes.sales {
        diesel::insert_into(sales::table)
            .values((
                sales::bucket.eq(micros(*start)),
                sales::orders.eq(change.orders),
                sales::revenue.eq(change.revenue),
            ))
            .on_conflict(sales::bucket)
            .do_update()
            .set((
                sales::orders.eq(sales::orders + excluded(sales::orders)),
                sales::revenue.eq(sales::revenue + excluded(sales::revenue)),
            ))
            .execute(conn)?;
    }
    for (status, change) in &changes.statuses {
        diesel::insert_into(order_counts::table)
            .values((
                order_counts::status.eq(status.as_str()),
                order_counts::orders.eq(change),
            ))
            .on_conflict(order_counts::status)
            .do_update()
            .set(order_counts::orders.eq(order_counts::orders + excluded(order_counts::orders)))
            .execute(conn)?;
    }
    Ok(())
}

/// Nothing to do: a committed event has its number.
pub(crate) fn settle(_: &Database) -> Result<(), StoreError> {
    Ok(())
}
