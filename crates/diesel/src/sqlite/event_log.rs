//! Event log of SQLite: the one writer numbers the events as it inserts them.

use super::bulk::{AddOrders, AddSales};
use super::{Conn, Database};
use crate::failure::Failure;
use crate::rows::{NewEventRow, micros};
use crate::schema::events;
use diesel::prelude::*;
use tradepost_domain::decision::Event;
use tradepost_domain::kernel::StoreError;
use tradepost_domain::reports::Sums;

/// The whole log, as a table.
pub(crate) const EVERY_EVENT: &str = "events";

/// The status before and afterwards, in the detail of `order.status`.
pub(crate) const BEFORE: &str = "substr(detail, 1, instr(detail, '>') - 1)";
pub(crate) const AFTER: &str = "substr(detail, instr(detail, '>') + 1)";

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
        let add = AddSales {
            bucket: micros(*start),
            orders: change.orders,
            revenue: change.revenue,
        };
        add.execute(conn)?;
    }
    for (status, change) in &changes.statuses {
        let add = AddOrders {
            status: status.as_str(),
            orders: *change,
        };
        add.execute(conn)?;
    }
    Ok(())
}

/// Nothing to do: a committed event has its number.
pub(crate) fn settle(_: &Database) -> Result<(), StoreError> {
    Ok(())
}
