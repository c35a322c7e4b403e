//! Statements of the event log.

use super::super::Conn;
use crate::rows::{NewEventRow, micros};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use tradepost_domain::reports::Sums;

insert!(InsertOutbox, NewEventRow => "outbox" {
    kind: &'static str => Text,
    order_id: Option<i64> => Nullable<BigInt>,
    product_id: Option<i64> => Nullable<BigInt>,
    user_id: Option<i64> => Nullable<BigInt>,
    actor_id: Option<i64> => Nullable<BigInt>,
    detail: String => Text,
    amount: Option<i64> => Nullable<BigInt>,
    at: i64 => BigInt,
}, " ORDER BY row_number");

impl InsertOutbox {
    pub(in crate::postgres) fn is_empty(&self) -> bool {
        self.kind.is_empty()
    }
}

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
