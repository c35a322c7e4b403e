//! Quota usage: the query and its result.

use super::micros;
use chrono::DateTime;
use diesel::Queryable;
use diesel::query_builder::QueryId;
use tradepost_domain::kernel::{StoreError, StoredResponseUsage, UserId};
use tradepost_domain::orders::{OrderUsage, PlaceOrder};

/// A query for a user's quota usage: the bounds and the time range for counting orders; and 1 if
/// stored responses are to be counted.
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct UsageQuery {
    pub(crate) user_id: i64,
    pub(crate) open: i64,
    pub(crate) hourly: i64,
    pub(crate) since: i64,
    pub(crate) until: i64,
    pub(crate) keys: i64,
}

impl UsageQuery {
    /// Usage of the user's stored responses only.
    pub(crate) fn of_keys(user: UserId) -> Self {
        Self {
            user_id: user.get(),
            open: 0,
            hourly: 0,
            since: 0,
            until: 0,
            keys: 1,
        }
    }

    /// The usage that deciding on an order needs: `None` without a quota and without a key.
    pub(crate) fn of_order(request: &PlaceOrder) -> Option<Self> {
        let quota = request.quota;
        let keys = i64::from(request.key.is_some());
        (quota.is_some() || keys > 0).then(|| Self {
            user_id: request.user.get(),
            open: quota.map_or(0, |quota| quota.open.into()),
            hourly: quota.map_or(0, |quota| quota.hourly.into()),
            since: micros(request.quota_since()),
            until: micros(request.quota_until()),
            keys,
        })
    }

    /// Combines the queries of two requests of one user.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            user_id: self.user_id,
            open: self.open.max(other.open),
            hourly: self.hourly.max(other.hourly),
            since: self.since.min(other.since),
            until: self.until.max(other.until),
            keys: self.keys.max(other.keys),
        }
    }
}

/// A user's quota usage.
#[derive(Queryable)]
pub(crate) struct UsageRow {
    pub(crate) user_id: i64,
    pub(crate) open: i64,
    pub(crate) placed: i64,
    pub(crate) oldest: Option<i64>,
    pub(crate) first_total: Option<i64>,
    pub(crate) last_total: Option<i64>,
}

impl UsageRow {
    pub(crate) fn usage(self) -> Result<(UserId, OrderUsage, StoredResponseUsage), StoreError> {
        let number = |number: i64| u64::try_from(number).unwrap_or_default();
        let corrupt = |column| StoreError::corrupt("orders", column, self.user_id);
        let time = |at| DateTime::from_timestamp_micros(at).ok_or_else(|| corrupt("created_at"));
        let oldest = self.oldest.map(time).transpose()?;
        let usage = OrderUsage {
            open: number(self.open),
            placed: number(self.placed),
            oldest,
        };
        let kept = StoredResponseUsage {
            first: number(self.first_total.unwrap_or_default()),
            last: number(self.last_total.unwrap_or_default()),
        };
        let user = UserId::new(self.user_id).ok_or_else(|| corrupt("user_id"))?;
        Ok((user, usage, kept))
    }
}

/// The stored form of a running total.
pub(crate) fn running_bytes(total: u64) -> i64 {
    i64::try_from(total).unwrap_or(i64::MAX)
}
