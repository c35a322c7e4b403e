//! Statements of the event log.

use super::super::Conn;
use super::names;
use crate::rows::columns::{Columns, Parameters};
use crate::rows::{NewEventRow, micros};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text};
use tradepost_domain::reports::Sums;

insert!(InsertOutbox, NewEventRow => "outbox", " ORDER BY row_number");

statement!(AddSales,
    "INSERT INTO sales (bucket, orders, revenue) SELECT * FROM unnest(", {
        bucket: i64 => BigInt,
        orders: i64 => BigInt,
        revenue: i64 => BigInt,
    }, ") ON CONFLICT (bucket) DO UPDATE SET orders = sales.orders + excluded.orders,
        revenue = sales.revenue + excluded.revenue");

statement!(AddOrderCounts,
    "INSERT INTO order_counts (status, orders) SELECT * FROM unnest(", {
        status: &'static str => Text,
        orders: i64 => BigInt,
    }, ") ON CONFLICT (status) DO UPDATE SET orders = order_counts.orders + excluded.orders");

/// Adds to the sums of orders.
pub(in crate::postgres) fn add_to_sums(conn: &mut Conn, changes: &Sums) -> QueryResult<()> {
    if !changes.sales.is_empty() {
        let mut rows = AddSales::default();
        for (start, change) in &changes.sales {
            rows.bucket.push(micros(*start));
            rows.orders.push(change.orders);
            rows.revenue.push(change.revenue);
        }
        rows.execute(conn)?;
    }
    if !changes.statuses.is_empty() {
        let mut rows = AddOrderCounts::default();
        for (status, change) in &changes.statuses {
            rows.status.push(status.as_str());
            rows.orders.push(*change);
        }
        rows.execute(conn)?;
    }
    Ok(())
}
