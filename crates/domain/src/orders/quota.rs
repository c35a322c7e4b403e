//! Order quota: how many orders one customer may have open at once, and place within an hour.
//!
//! An order leaves permanent rows behind, also if it is cancelled, and an open one holds stock. So
//! both are bounded for each customer, over all sessions, keys and addresses.

use crate::kernel::Refusal;
use crate::orders::OrderRefusal;
use chrono::{DateTime, TimeDelta, Utc};

/// The sliding window in which placed orders are counted.
pub const ORDER_QUOTA_WINDOW: TimeDelta = TimeDelta::hours(1);

/// Reported wait for a customer with too many open orders: the time until the shop processes one is
/// unknown.
const OPEN_ORDER_RETRY: TimeDelta = TimeDelta::hours(1);

/// Limits on the orders of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderQuota {
    /// Maximum number of pending orders.
    pub open: u32,
    /// Maximum number of orders placed within an hour, cancelled and deleted ones included.
    pub hourly: u32,
}

impl Default for OrderQuota {
    /// A purchasing system that orders four times a minute all hour, or fills two working days with
    /// an order a minute before the shop processes the first, stays below. With carts of 100 lines,
    /// 240 orders that are cancelled again leave about 10 megabytes an hour.
    fn default() -> Self {
        Self {
            open: 1_000,
            hourly: 240,
        }
    }
}

/// A customer's usage of the quota.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderUsage {
    /// Pending orders, counted up to [`OrderQuota::open`].
    pub open: u64,
    /// Orders placed within [`ORDER_QUOTA_WINDOW`], counted up to [`OrderQuota::hourly`] from the
    /// newest.
    pub placed: u64,
    /// Time of the oldest order counted in [`OrderUsage::placed`].
    pub oldest: Option<DateTime<Utc>>,
}

impl OrderUsage {
    /// The usage after a further order at a time.
    #[must_use]
    pub fn and_one(self, at: DateTime<Utc>) -> Self {
        Self {
            open: self.open.saturating_add(1),
            placed: self.placed.saturating_add(1),
            oldest: self.oldest.or(Some(at)),
        }
    }
}

/// Decides whether a customer may place another order at a time.
///
/// # Errors
/// [`OrderRefusal::TooManyOpen`] and [`OrderRefusal::TooMany`].
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::orders::{OrderQuota, OrderUsage, decide_order_quota};
///
/// let quota = OrderQuota { open: 1, hourly: 10 };
/// let usage = OrderUsage { open: 1, ..OrderUsage::default() };
/// assert!(decide_order_quota(quota, usage, at(0)).is_err());
/// ```
pub fn decide_order_quota(
    quota: OrderQuota,
    usage: OrderUsage,
    at: DateTime<Utc>,
) -> Result<(), Refusal> {
    if usage.open >= u64::from(quota.open) {
        return Err(Refusal::Orders(OrderRefusal::TooManyOpen {
            limit: quota.open,
            seconds: seconds(OPEN_ORDER_RETRY),
        }));
    }
    if usage.placed >= u64::from(quota.hourly) {
        let free = usage.oldest.unwrap_or(at) + ORDER_QUOTA_WINDOW;
        return Err(Refusal::Orders(OrderRefusal::TooMany {
            limit: quota.hourly,
            seconds: seconds(free - at),
        }));
    }
    Ok(())
}

/// Whole seconds from 1, rounded up, so that a client that waits for them is not too early.
fn seconds(wait: TimeDelta) -> u64 {
    let rounded_up = wait + TimeDelta::microseconds(999_999);
    u64::try_from(rounded_up.num_seconds()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    #[test]
    fn the_quota_bounds_open_orders_and_orders_an_hour() {
        let quota = OrderQuota { open: 3, hourly: 5 };
        let usage = |open, placed, oldest: i64| OrderUsage {
            open,
            placed,
            oldest: (placed > 0).then(|| at(oldest)),
        };
        let open = |seconds| {
            Err(Refusal::Orders(OrderRefusal::TooManyOpen {
                limit: 3,
                seconds,
            }))
        };
        let hourly = |seconds| Err(Refusal::Orders(OrderRefusal::TooMany { limit: 5, seconds }));
        for (usage, now, expected) in [
            (OrderUsage::default(), 0, Ok(())),
            (usage(2, 4, 0), 10, Ok(())),
            (usage(3, 3, 0), 10, open(3_600)),
            (usage(4, 9, 0), 10, open(3_600)),
            (usage(0, 5, 0), 10, hourly(3_590)),
            (usage(0, 5, 0), 3_599, hourly(1)),
            // The store counted with another clock.
            (usage(0, 5, 0), 4_000, hourly(1)),
        ] {
            assert_eq!(
                decide_order_quota(quota, usage, at(now)),
                expected,
                "{usage:?}"
            );
        }
    }

    #[test]
    fn the_wait_is_rounded_up() {
        let quota = OrderQuota { open: 9, hourly: 1 };
        let oldest = at(0) + TimeDelta::microseconds(1);
        let usage = OrderUsage::default().and_one(oldest);
        let seconds = 3_600;
        assert_eq!(
            decide_order_quota(quota, usage, at(1)),
            Err(Refusal::Orders(OrderRefusal::TooMany { limit: 1, seconds }))
        );
        assert_eq!(usage.and_one(at(5)).oldest, Some(oldest));
    }
}
