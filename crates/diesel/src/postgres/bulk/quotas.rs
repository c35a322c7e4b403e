//! Quota usage of several users in one statement.

use super::super::Conn;
use crate::rows::{UsageQuery, UsageRow};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable};

// Each count stops at its quota, and each is served by one index.
statement!(QuotaUsage,
    "SELECT asked.user_id, pending.number, recent.number, recent.oldest, first.total, last.total
     FROM unnest(", {
        user: i64 => BigInt,
        open: i64 => BigInt,
        hourly: i64 => BigInt,
        since: i64 => BigInt,
        until: i64 => BigInt,
        keys: i64 => BigInt,
    }, ") AS asked (user_id, open, hourly, since, until, keys)
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT FROM orders
        WHERE orders.user_id = asked.user_id AND orders.status = 'pending' LIMIT asked.open
    ) AS counted) AS pending
    CROSS JOIN LATERAL (SELECT count(*) AS number, min(created_at) AS oldest FROM (
        SELECT created_at FROM orders
        WHERE orders.user_id = asked.user_id AND orders.created_at > asked.since
            AND orders.created_at <= asked.until
        ORDER BY created_at DESC LIMIT asked.hourly
    ) AS counted) AS recent
    LEFT JOIN LATERAL (
        SELECT running_bytes AS total FROM idempotency_keys AS held
        WHERE held.user_id = asked.user_id ORDER BY running_bytes LIMIT asked.keys
    ) AS first ON TRUE
    LEFT JOIN LATERAL (
        SELECT running_bytes AS total FROM idempotency_keys AS held
        WHERE held.user_id = asked.user_id ORDER BY running_bytes DESC LIMIT asked.keys
    ) AS last ON TRUE");

impl Query for QuotaUsage {
    type SqlType = (
        BigInt,
        BigInt,
        BigInt,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
    );
}

/// Quota usage of these users, one row each.
pub(crate) fn usage(conn: &mut Conn, asked: &[UsageQuery]) -> QueryResult<Vec<UsageRow>> {
    usage_of(asked).load(conn)
}

pub(in crate::postgres) fn usage_of(asked: &[UsageQuery]) -> QuotaUsage {
    QuotaUsage {
        user: asked.iter().map(|asked| asked.user_id).collect(),
        open: asked.iter().map(|asked| asked.open).collect(),
        hourly: asked.iter().map(|asked| asked.hourly).collect(),
        since: asked.iter().map(|asked| asked.since).collect(),
        until: asked.iter().map(|asked| asked.until).collect(),
        keys: asked.iter().map(|asked| asked.keys).collect(),
    }
}
