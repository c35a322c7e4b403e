//! Sums of orders: sales by time, and numbers of orders by status.

use crate::decision::{Event, EventKind};
use crate::kernel::Money;
use crate::orders::OrderStatus;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Length of a bucket: a quarter of an hour. The offset of every time zone is a multiple of it, so
/// that a day of any time zone is a sum of buckets.
pub const SALES_BUCKET: TimeDelta = TimeDelta::minutes(15);

/// A change of the sums of one bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SalesSum {
    /// Orders placed, whether or not they were cancelled later.
    pub orders: i64,
    /// Minor units: totals of the orders placed, minus the totals of the orders cancelled.
    pub revenue: i64,
}

/// Sales in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalesBucket {
    /// Start of the bucket.
    pub start: DateTime<Utc>,
    /// Orders placed in it, whether or not they were cancelled later.
    pub orders: i64,
    /// Net sales: the totals of the orders placed in it, minus those of the orders cancelled in it.
    /// May be negative.
    pub revenue: Money,
}

impl SalesBucket {
    /// Start of the bucket that has this time.
    #[must_use]
    pub fn start_of(at: DateTime<Utc>) -> DateTime<Utc> {
        let length = SALES_BUCKET.num_seconds();
        let within = TimeDelta::seconds(at.timestamp().rem_euclid(length));
        let fraction = TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()));
        at - within - fraction
    }
}

/// The changes of the sums by events.
///
/// An order counts at the time of its placing, and its total is subtracted at the time of its
/// cancellation. An imported order counts at its own time; the total of one that came cancelled does
/// not count.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::decision::{Event, EventKind};
/// use tradepost_domain::reports::Sums;
///
/// let kind = EventKind::OrderPlaced {
///     order: OrderId::new(1).ok_or("id")?,
///     user: user(2),
///     total: money(1_250),
/// };
/// let placed = Event { kind, actor: None, at: at(0) };
/// let sums = Sums::of([&placed]);
/// assert_eq!(sums.sales.values().next().map(|sum| sum.revenue), Some(1_250));
/// assert_eq!(sums.statuses[&OrderStatus::Pending], 1);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Changes of sales, by the start of the bucket.
    pub sales: BTreeMap<DateTime<Utc>, SalesSum>,
    /// Changes of the numbers of orders.
    pub statuses: BTreeMap<OrderStatus, i64>,
}

impl Sums {
    /// The changes by these events; sums that do not change are absent.
    #[must_use]
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut sums = Self::default();
        for event in events {
            sums.add(event);
        }
        sums.sales.retain(|_, sum| *sum != SalesSum::default());
        sums.statuses.retain(|_, orders| *orders != 0);
        sums
    }

    fn add(&mut self, event: &Event) {
        match &event.kind {
            EventKind::OrderPlaced { total, .. } => {
                self.sell(event.at, 1, total.minor());
                self.count(OrderStatus::Pending, 1);
            }
            EventKind::OrderImported { status, total, .. } => {
                let cancelled = *status == OrderStatus::Cancelled;
                self.sell(event.at, 1, if cancelled { 0 } else { total.minor() });
                self.count(*status, 1);
            }
            EventKind::OrderStatus {
                from, to, total, ..
            } => {
                if *to == OrderStatus::Cancelled {
                    self.sell(event.at, 0, total.minor().saturating_neg());
                }
                self.count(*from, -1);
                self.count(*to, 1);
            }
            _ => {}
        }
    }

    fn sell(&mut self, at: DateTime<Utc>, orders: i64, revenue: i64) {
        let sum = self.sales.entry(SalesBucket::start_of(at)).or_default();
        sum.orders = sum.orders.saturating_add(orders);
        sum.revenue = sum.revenue.saturating_add(revenue);
    }

    fn count(&mut self, status: OrderStatus, by: i64) {
        let orders = self.statuses.entry(status).or_default();
        *orders = orders.saturating_add(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::OrderId;
    use crate::testing::{at, money, product_id, user};

    fn event(seconds: i64, kind: EventKind) -> Event {
        Event {
            kind,
            actor: None,
            at: at(seconds),
        }
    }

    fn placed(seconds: i64, total: i64) -> Event {
        let order = OrderId::new(1).unwrap();
        let (user, total) = (user(2), money(total));
        event(seconds, EventKind::OrderPlaced { order, user, total })
    }

    fn imported(seconds: i64, status: OrderStatus) -> Event {
        let kind = EventKind::OrderImported {
            order: OrderId::new(1).unwrap(),
            user: user(2),
            status,
            total: money(500),
        };
        event(seconds, kind)
    }

    fn moved(seconds: i64, from: OrderStatus, to: OrderStatus) -> Event {
        let kind = EventKind::OrderStatus {
            order: OrderId::new(1).unwrap(),
            user: user(2),
            from,
            to,
            total: money(100),
        };
        event(seconds, kind)
    }

    /// The time of [`at`] is 13 minutes and 20 seconds after a quarter of an hour.
    const INTO: i64 = 13 * 60 + 20;

    #[test]
    fn a_bucket_is_a_quarter_of_an_hour() {
        for (seconds, expected) in [
            (0, -INTO),
            (99, -INTO),
            (100, 100),
            (999, 100),
            (1_000, 1_000),
        ] {
            assert_eq!(
                SalesBucket::start_of(at(seconds)),
                at(expected),
                "{seconds}"
            );
        }
        let fraction = at(100) + TimeDelta::microseconds(1);
        assert_eq!(SalesBucket::start_of(fraction), at(100));
        let early = DateTime::from_timestamp(-1, 0).unwrap();
        assert_eq!(SalesBucket::start_of(early).timestamp(), -900);
    }

    #[test]
    fn sales_are_net_at_the_time_of_each_event() {
        let (pending, cancelled) = (OrderStatus::Pending, OrderStatus::Cancelled);
        let events = [
            placed(0, 100),
            placed(50, 250),
            moved(200, pending, cancelled),
            imported(200, OrderStatus::Shipped),
            imported(300, cancelled),
            event(
                300,
                EventKind::StockOut {
                    product: product_id(1),
                },
            ),
        ];
        let sums = Sums::of(&events);
        let sales: Vec<_> = sums.sales.into_iter().collect();
        let sum = |orders, revenue| SalesSum { orders, revenue };
        assert_eq!(sales, [(at(-INTO), sum(2, 350)), (at(100), sum(2, 400))]);
        let statuses: Vec<_> = sums.statuses.into_iter().collect();
        let expected = [(pending, 1), (OrderStatus::Shipped, 1), (cancelled, 2)];
        assert_eq!(statuses, expected);
    }

    #[test]
    fn sums_that_do_not_change_are_absent() {
        let (pending, processing) = (OrderStatus::Pending, OrderStatus::Processing);
        let there_and_back = [moved(0, pending, processing), moved(0, processing, pending)];
        assert_eq!(Sums::of(&there_and_back), Sums::default());
    }
}
