//! Sales of the last days, and their charts.

use crate::format::{count, money};
use crate::zone::ShopZone;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use tradepost_domain::kernel::{Currency, Money};
use tradepost_domain::reports::SalesBucket;

/// Days of the charts, today included.
pub(super) const DAYS: u64 = 30;

/// Height of a chart in units of its view box.
const HEIGHT: i128 = 1_000;

/// The days of the charts, in the time zone of the shop.
pub(super) struct Period {
    dates: Vec<NaiveDate>,
    zone: ShopZone,
}

/// Sales of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    pub(super) orders: i64,
    pub(super) revenue: Money,
}

/// Sales of each day, oldest first; the last one is today.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sales {
    pub(super) days: Vec<Day>,
    pub(super) today: Day,
    /// Of all the days.
    pub(super) orders: i64,
    pub(super) revenue: Money,
}

impl Period {
    /// The days up to that of a time.
    pub(super) fn until(now: DateTime<Utc>, zone: &ShopZone) -> Self {
        let today = zone.local(now).date_naive();
        let days = (0..DAYS).rev();
        Self {
            dates: days
                .filter_map(|ago| today.checked_sub_days(Days::new(ago)))
                .collect(),
            zone: zone.clone(),
        }
    }

    /// The start of its first day.
    pub(super) fn start(&self) -> Option<DateTime<Utc>> {
        self.dates.first().map(|day| self.zone.start_of(*day))
    }

    /// The sales of its days, given the buckets from its start. A bucket belongs to the day on which
    /// it starts; none has parts of two days.
    pub(super) fn sales(&self, buckets: &[SalesBucket], currency: Currency) -> Sales {
        let empty = |date: &NaiveDate| (*date, (0_i64, 0_i64));
        let mut sums: BTreeMap<NaiveDate, (i64, i64)> = self.dates.iter().map(empty).collect();
        for bucket in buckets {
            let day = self.zone.local(bucket.start).date_naive();
            if let Some((orders, revenue)) = sums.get_mut(&day) {
                *orders = orders.saturating_add(bucket.orders);
                *revenue = revenue.saturating_add(bucket.revenue.minor());
            }
        }
        let total = sums.values().fold((0_i64, 0_i64), |total, day| {
            (total.0.saturating_add(day.0), total.1.saturating_add(day.1))
        });
        let day = |(date, (orders, revenue))| Day {
            date,
            orders,
            revenue: Money::from_minor(revenue, currency),
        };
        let days: Vec<Day> = sums.into_iter().map(day).collect();
        let today = days.last().cloned();
        Sales {
            today: today.unwrap_or_else(|| day((NaiveDate::MIN, (0, 0)))),
            days,
            orders: total.0,
            revenue: Money::from_minor(total.1, currency),
        }
    }
}

/// A bar chart, in units of its view box: 10 for the width of a day, and [`HEIGHT`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// A summary in words.
    pub(super) description: String,
    /// The position of zero.
    pub(super) zero: i128,
    pub(super) bars: Vec<Bar>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: i64,
    pub(super) y: i128,
    pub(super) height: i128,
    /// The day and its value.
    pub(super) label: String,
}

impl Sales {
    pub(super) fn charts(&self) -> [Chart; 2] {
        let orders = |day: &Day| (day.orders, count(day.orders));
        let revenue = |day: &Day| (day.revenue.minor(), money(day.revenue));
        [
            self.chart("Revenue by day", revenue),
            self.chart("Orders by day", orders),
        ]
    }

    fn chart(&self, title: &'static str, value: impl Fn(&Day) -> (i64, String)) -> Chart {
        let values: Vec<_> = self.days.iter().map(|day| (day.date, value(day))).collect();
        let numbers = || values.iter().map(|(_, (number, _))| i128::from(*number));
        let highest = numbers().max().unwrap_or(0).max(0);
        let lowest = numbers().min().unwrap_or(0).min(0);
        let range = (highest - lowest).max(1);
        // Rounded up, so that the smallest value is visible.
        let length = |number: i128| (number.abs() * HEIGHT + range - 1) / range;
        let zero = length(highest);
        let bars = (0_i64..).zip(&values).map(|(at, (date, (number, text)))| {
            let height = length(i128::from(*number));
            Bar {
                x: at * 10 + 1,
                y: if *number >= 0 { zero - height } else { zero },
                height,
                label: format!("{date}: {text}"),
            }
        });
        let best = values.iter().max_by_key(|(_, (number, _))| *number);
        let description = match best {
            Some((date, (number, text))) if *number > 0 => format!("At most {text}, on {date}."),
            _ => "No sales in this time.".to_owned(),
        };
        Chart {
            title,
            description,
            zero,
            bars: bars.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::testing::{money as cents, usd};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn bucket(start: &str, orders: i64, revenue: i64) -> SalesBucket {
        SalesBucket {
            start: at(start),
            orders,
            revenue: cents(revenue),
        }
    }

    #[test]
    fn buckets_are_summed_by_local_days() {
        let zone: ShopZone = "Asia/Kathmandu".parse().unwrap();
        let period = Period::until(at("2026-07-14T10:00:00Z"), &zone);
        assert_eq!(period.start(), Some(at("2026-06-14T18:15:00Z")));
        let sales = period.sales(
            &[
                bucket("2026-06-14T18:00:00Z", 100, 1),
                bucket("2026-06-14T18:15:00Z", 1, 100),
                bucket("2026-07-13T18:00:00Z", 2, 200),
                bucket("2026-07-13T18:15:00Z", 3, 300),
                bucket("2026-07-14T09:45:00Z", 0, -1_000),
            ],
            usd(),
        );
        assert_eq!(sales.days.len(), 30);
        assert_eq!((sales.orders, sales.revenue), (6, cents(-400)));
        assert_eq!((sales.today.orders, sales.today.revenue), (3, cents(-700)));
        assert_eq!(sales.days[0].orders, 1);
        assert_eq!(sales.days[28].orders, 2);
    }

    #[test]
    fn bars_begin_at_zero() {
        let zone = ShopZone::utc();
        let period = Period::until(at("2026-07-14T10:00:00Z"), &zone);
        let buckets = [
            bucket("2026-07-12T00:00:00Z", 1, 1),
            bucket("2026-07-13T00:00:00Z", 1, 300),
            bucket("2026-07-14T00:00:00Z", 0, -100),
        ];
        let [revenue, orders] = period.sales(&buckets, usd()).charts();
        assert_eq!(revenue.zero, 750);
        let shape = |bar: &Bar| (bar.x, bar.y, bar.height);
        let shapes: Vec<_> = revenue.bars[27..].iter().map(shape).collect();
        assert_eq!(shapes, [(271, 747, 3), (281, 0, 750), (291, 750, 250)]);
        assert_eq!(revenue.bars[29].label, "2026-07-14: -1.00 USD");
        assert_eq!(revenue.description, "At most 3.00 USD, on 2026-07-13.");
        assert_eq!((orders.zero, orders.bars[29].height), (1_000, 0));
    }

    #[test]
    fn a_chart_without_sales_is_flat() {
        let period = Period::until(at("2026-07-14T10:00:00Z"), &ShopZone::utc());
        for chart in period.sales(&[], usd()).charts() {
            assert_eq!(chart.description, "No sales in this time.");
            assert!(chart.bars.iter().all(|bar| bar.height == 0));
        }
    }
}
