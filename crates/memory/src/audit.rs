//! Audit of the event log and its sums.

use crate::State;
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::decision::{Event, EventKind};
use tradepost_domain::inventory::Discrepancy;
use tradepost_domain::kernel::{Money, OrderId, UserId};
use tradepost_domain::orders::{Order, OrderStatus};
use tradepost_domain::reports::Sums;

/// A step of an order: the status before, unless it is the first event, and afterwards.
type Step = (Option<OrderStatus>, OrderStatus, UserId, Money);

impl State {
    pub(crate) fn wrong_events(&self) -> Vec<Discrepancy> {
        let mut found = Vec::new();
        let events = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        let last = self.events.last().map_or(0, |logged| logged.seq.get());
        if events != last {
            found.push(Discrepancy::EventNumbers { events, last });
        }
        let mut chains = BTreeMap::<OrderId, Vec<Step>>::new();
        for (order, step) in self.events.iter().filter_map(|logged| step(&logged.event)) {
            chains.entry(order).or_default().push(step);
        }
        let ids: BTreeSet<_> = chains.keys().chain(self.orders.keys()).copied().collect();
        for id in ids {
            let steps = chains.remove(&id).unwrap_or_default();
            found.extend(wrong_chain(id, &steps, self.orders.get(&id)));
        }
        found.extend(self.wrong_sums());
        found
    }

    fn wrong_sums(&self) -> Vec<Discrepancy> {
        let events = Sums::of(self.events.iter().map(|logged| &logged.event));
        let mut found = Vec::new();
        let starts: BTreeSet<_> = events.sales.keys().chain(self.sums.sales.keys()).collect();
        for start in starts {
            let sum = |sums: &Sums| sums.sales.get(start).copied().unwrap_or_default();
            let (kept, counted) = (sum(&self.sums), sum(&events));
            for (unit, kept, counted) in [
                ("orders", kept.orders, counted.orders),
                ("minor units", kept.revenue, counted.revenue),
            ] {
                if kept != counted {
                    found.push(Discrepancy::Sales {
                        start: *start,
                        unit,
                        kept,
                        counted,
                    });
                }
            }
        }
        for status in OrderStatus::ALL {
            let count = |sums: &Sums| sums.statuses.get(&status).copied().unwrap_or(0);
            let (kept, counted) = (count(&self.sums), count(&events));
            if kept != counted {
                found.push(Discrepancy::OrderCount {
                    status,
                    kept,
                    counted,
                });
            }
        }
        found
    }
}

fn step(event: &Event) -> Option<(OrderId, Step)> {
    match event.kind {
        EventKind::OrderPlaced { order, user, total } => {
            Some((order, (None, OrderStatus::Pending, user, total)))
        }
        EventKind::OrderImported {
            order,
            user,
            status,
            total,
        } => Some((order, (None, status, user, total))),
        EventKind::OrderStatus {
            order,
            user,
            from,
            to,
            total,
        } => Some((order, (Some(from), to, user, total))),
        _ => None,
    }
}

fn wrong_chain(id: OrderId, steps: &[Step], order: Option<&Order>) -> Vec<Discrepancy> {
    let mut found = Vec::new();
    let first = steps.iter().filter(|(before, ..)| before.is_none()).count();
    if first != 1 || order.is_none() {
        found.push(Discrepancy::FirstEvents {
            order: id,
            events: i64::try_from(first).unwrap_or(i64::MAX),
            orders: i64::from(order.is_some()),
        });
    }
    let Some(order) = order else { return found };
    let mut status = None;
    let leads = steps.iter().all(|(before, after, user, total)| {
        let follows = *before == status && *user == order.user && *total == order.total;
        status = Some(*after);
        follows
    });
    if !leads || (status.is_some() && status != Some(order.status)) {
        found.push(Discrepancy::EventChain { order: id });
    }
    found
}
