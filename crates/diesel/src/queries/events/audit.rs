//! Audit of the event log and its sums. The log includes events that have no number yet.

use super::prelude::event_log::{AFTER, BEFORE, EVERY_EVENT};
use super::prelude::*;
use chrono::DateTime;
use diesel::sql_types::BigInt;
use tradepost_domain::inventory::Discrepancy;
use tradepost_domain::kernel::OrderId;
use tradepost_domain::orders::OrderStatus;
use tradepost_domain::reports::SALES_BUCKET;

/// The subject of a discrepancy, and the two numbers that should be equal.
#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = BigInt)]
    subject: i64,
    #[diesel(sql_type = BigInt)]
    stored: i64,
    #[diesel(sql_type = BigInt)]
    proven: i64,
}

/// The number of events and the last number, which are equal as numbers begin at 1 and are unique.
const NUMBERS: &str = "
    SELECT CAST(0 AS BIGINT) AS subject, CAST(count(*) AS BIGINT) AS stored,
           CAST(COALESCE(max(seq), 0) AS BIGINT) AS proven
    FROM events HAVING count(*) <> COALESCE(max(seq), 0)";

/// Orders without exactly one first event, and first events without an order.
fn first_events() -> String {
    format!(
        "SELECT order_id AS subject, CAST(SUM(events) AS BIGINT) AS stored,
                CAST(SUM(orders) AS BIGINT) AS proven
         FROM (
             SELECT id AS order_id, 0 AS events, 1 AS orders FROM orders
             UNION ALL
             SELECT order_id, 1, 0 FROM {EVERY_EVENT} AS events
             WHERE kind IN ('order.placed', 'order.imported')
         ) AS entries
         GROUP BY order_id HAVING SUM(events) <> 1 OR SUM(orders) <> 1
         ORDER BY order_id"
    )
}

/// Orders whose events do not lead from one to the next and to the status of the order, or have
/// another customer or total than the order.
fn chains() -> String {
    format!(
        "SELECT DISTINCT orders.id AS subject, CAST(0 AS BIGINT) AS stored,
                CAST(0 AS BIGINT) AS proven
         FROM (
             SELECT order_id, user_id, amount, status_before, status_after,
                    LAG(status_after) OVER of_order AS previous,
                    LEAD(status_after) OVER of_order AS next
             FROM (
                 SELECT order_id, user_id, amount, seq,
                        CASE WHEN kind = 'order.status' THEN {BEFORE} END AS status_before,
                        CASE kind WHEN 'order.placed' THEN 'pending'
                            WHEN 'order.imported' THEN detail ELSE {AFTER} END AS status_after
                 FROM {EVERY_EVENT} AS events
                 WHERE kind IN ('order.placed', 'order.imported', 'order.status')
             ) AS steps
             WINDOW of_order AS (PARTITION BY order_id ORDER BY seq)
         ) AS chain
         JOIN orders ON orders.id = chain.order_id
         WHERE (status_before IS NULL) <> (previous IS NULL)
            OR status_before <> previous
            OR (next IS NULL AND status_after <> orders.status)
            OR chain.user_id <> orders.user_id OR chain.amount <> orders.total
         ORDER BY orders.id"
    )
}

/// A column of the sales, and the sum of the events.
fn sales(column: &str, of_event: &str) -> String {
    let bucket = SALES_BUCKET.num_microseconds().unwrap_or(1);
    format!(
        "SELECT bucket AS subject, CAST(SUM(stored) AS BIGINT) AS stored,
                CAST(SUM(proven) AS BIGINT) AS proven
         FROM (
             SELECT bucket, {column} AS stored, 0 AS proven FROM sales
             UNION ALL
             SELECT at - ((at % {bucket}) + {bucket}) % {bucket}, 0, {of_event} FROM events
             WHERE kind IN ('order.placed', 'order.imported')
                OR (kind = 'order.status' AND detail LIKE '%>cancelled')
         ) AS entries
         GROUP BY bucket HAVING SUM(stored) <> SUM(proven)
         ORDER BY bucket"
    )
}

const ORDERS_OF_EVENT: &str = "CASE WHEN kind = 'order.status' THEN 0 ELSE 1 END";

const REVENUE_OF_EVENT: &str = "CASE WHEN kind = 'order.status' THEN -amount
    WHEN kind = 'order.imported' AND detail = 'cancelled' THEN 0 ELSE amount END";

/// The number of orders of each status, and that of the events. The subject is the position of the
/// status in [`OrderStatus::ALL`].
fn counts() -> String {
    let positions = (0_i32..).zip(OrderStatus::ALL);
    let statuses = positions.map(|(position, status)| {
        format!(
            "SELECT {position} AS position, '{}' AS status",
            status.as_str()
        )
    });
    let statuses: Vec<_> = statuses.collect();
    let statuses = statuses.join(" UNION ALL ");
    format!(
        "SELECT CAST(position AS BIGINT) AS subject, CAST(SUM(stored) AS BIGINT) AS stored,
                CAST(SUM(proven) AS BIGINT) AS proven
         FROM (
             SELECT status, orders AS stored, 0 AS proven FROM order_counts
             UNION ALL
             SELECT CASE kind WHEN 'order.placed' THEN 'pending' WHEN 'order.imported' THEN detail
                        ELSE {AFTER} END, 0, 1
             FROM events WHERE kind IN ('order.placed', 'order.imported', 'order.status')
             UNION ALL
             SELECT {BEFORE}, 0, -1 FROM events WHERE kind = 'order.status'
         ) AS entries
         JOIN ({statuses}) AS statuses ON statuses.status = entries.status
         GROUP BY position HAVING SUM(stored) <> SUM(proven)
         ORDER BY position"
    )
}

/// Adds every discrepancy of the event log and its sums.
pub(in super::super) fn audit(conn: &mut Conn, into: &mut Vec<Discrepancy>) -> Result<(), Failure> {
    let order = |number| {
        OrderId::new(number).ok_or_else(|| StoreError::corrupt("events", "order_id", number))
    };
    collect(conn, NUMBERS, into, |finding| {
        Ok(Discrepancy::EventNumbers {
            events: finding.stored,
            last: finding.proven,
        })
    })?;
    collect(conn, &first_events(), into, |finding| {
        Ok(Discrepancy::FirstEvents {
            order: order(finding.subject)?,
            events: finding.stored,
            orders: finding.proven,
        })
    })?;
    collect(conn, &chains(), into, |finding| {
        Ok(Discrepancy::EventChain {
            order: order(finding.subject)?,
        })
    })?;
    for (unit, column, of_event) in [
        ("orders", "orders", ORDERS_OF_EVENT),
        ("minor units", "revenue", REVENUE_OF_EVENT),
    ] {
        collect(conn, &sales(column, of_event), into, |finding| {
            let start = DateTime::from_timestamp_micros(finding.subject);
            Ok(Discrepancy::Sales {
                start: start
                    .ok_or_else(|| StoreError::corrupt("sales", "bucket", finding.subject))?,
                unit,
                kept: finding.stored,
                counted: finding.proven,
            })
        })?;
    }
    collect(conn, &counts(), into, |finding| {
        let position = usize::try_from(finding.subject).unwrap_or(usize::MAX);
        let status = OrderStatus::ALL.get(position).copied();
        Ok(Discrepancy::OrderCount {
            status: status
                .ok_or_else(|| StoreError::corrupt("order_counts", "status", finding.subject))?,
            kept: finding.stored,
            counted: finding.proven,
        })
    })
}

fn collect(
    conn: &mut Conn,
    sql: &str,
    into: &mut Vec<Discrepancy>,
    discrepancy: impl Fn(Finding) -> Result<Discrepancy, StoreError>,
) -> Result<(), Failure> {
    for finding in diesel::sql_query(sql).load::<Finding>(conn)? {
        into.push(discrepancy(finding)?);
    }
    Ok(())
}
