//! Quota usage of several users.

use super::super::Conn;
use crate::rows::{UsageQuery, UsageRow};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable};
use diesel::sqlite::Sqlite;

/// One user's usage. Each count stops at its quota, and each part is served by one index.
#[derive(QueryId)]
pub(crate) struct QuotaUsage(pub(crate) UsageQuery);

impl QueryFragment<Sqlite> for QuotaUsage {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let asked = &self.0;
        for (sql, bind) in [
            ("SELECT ", &asked.user_id),
            (
                ", (SELECT count(*) FROM (SELECT 1 FROM orders
                    WHERE status = 'pending' AND user_id = ",
                &asked.user_id,
            ),
            (" LIMIT ", &asked.open),
            (
                ")), number, oldest, (SELECT running_bytes FROM idempotency_keys WHERE user_id = ",
                &asked.user_id,
            ),
            (" ORDER BY running_bytes LIMIT ", &asked.keys),
            (
                "), (SELECT running_bytes FROM idempotency_keys WHERE user_id = ",
                &asked.user_id,
            ),
            (" ORDER BY running_bytes DESC LIMIT ", &asked.keys),
            (
                ") FROM (SELECT count(*) AS number, min(created_at) AS oldest
                    FROM (SELECT created_at FROM orders WHERE user_id = ",
                &asked.user_id,
            ),
            (" AND created_at > ", &asked.since),
            (" AND created_at <= ", &asked.until),
            (" ORDER BY created_at DESC LIMIT ", &asked.hourly),
        ] {
            out.push_sql(sql);
            out.push_bind_param::<BigInt, _>(bind)?;
        }
        out.push_sql("))");
        Ok(())
    }
}

impl RunQueryDsl<Conn> for QuotaUsage {}

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
    let usage = |asked: &UsageQuery| QuotaUsage(*asked).get_result(conn);
    asked.iter().map(usage).collect()
}
