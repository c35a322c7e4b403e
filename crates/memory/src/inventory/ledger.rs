use crate::{MemoryStore, State, count};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::inventory::{Audit, Discrepancy, Ledger};
use tradepost_domain::kernel::{OrderId, ProductId, StoreError};
use tradepost_domain::orders::{Order, OrderStatus};

impl Ledger for MemoryStore {
    fn audit(&self) -> Result<Audit, StoreError> {
        let state = self.lock();
        // This store counts the catalogue on each read, so no stored count can be wrong.
        let discrepancies = state
            .wrong_levels()
            .chain(state.orders.values().flat_map(wrong_order))
            .chain(state.wrong_movements())
            .chain(state.wrong_events())
            .collect();
        Ok(Audit {
            products: count(state.products.len()),
            orders: count(state.orders.len()),
            movements: count(state.movements.len()),
            discrepancies,
        })
    }
}

impl State {
    fn wrong_levels(&self) -> impl Iterator<Item = Discrepancy> + '_ {
        let mut sums = BTreeMap::<ProductId, i64>::new();
        for movement in self.movements.values() {
            let sum = sums.entry(movement.entry.product).or_default();
            *sum = sum.saturating_add(movement.entry.delta.units());
        }
        self.products.values().filter_map(move |product| {
            let on_hand = product.stock.units();
            let ledger = sums.get(&product.id).copied().unwrap_or(0);
            (on_hand != ledger || on_hand < 0).then_some(Discrepancy::Stock {
                product: product.id,
                on_hand,
                ledger,
            })
        })
    }

    fn wrong_movements(&self) -> impl Iterator<Item = Discrepancy> {
        let mut expected = BTreeMap::<(OrderId, ProductId), i64>::new();
        for order in self.orders.values() {
            for line in &order.lines {
                let units = match order.status {
                    OrderStatus::Cancelled => 0,
                    _ => line.quantity.units(),
                };
                let sum = expected.entry((order.id, line.product)).or_default();
                *sum = sum.saturating_sub(units);
            }
        }
        let mut moved = BTreeMap::<(OrderId, ProductId), i64>::new();
        for entry in self.movements.values().map(|movement| &movement.entry) {
            if let Some(order) = entry.order {
                let sum = moved.entry((order, entry.product)).or_default();
                *sum = sum.saturating_add(entry.delta.units());
            }
        }
        let both: BTreeSet<_> = expected.keys().chain(moved.keys()).copied().collect();
        both.into_iter().filter_map(move |key| {
            let sum = |sums: &BTreeMap<_, i64>| sums.get(&key).copied().unwrap_or(0);
            let (order, product) = key;
            let (moved, expected) = (sum(&moved), sum(&expected));
            (moved != expected).then_some(Discrepancy::Movements {
                order,
                product,
                moved,
                expected,
            })
        })
    }
}

fn wrong_order(order: &Order) -> impl Iterator<Item = Discrepancy> + use<> {
    let total = order.total.minor();
    let adjustment = order.adjustment.minor();
    let parts = order.lines.iter().fold(adjustment, |sum, line| {
        let units = line.quantity.units();
        sum.saturating_add(line.unit_price.minor().saturating_mul(units))
    });
    let order_id = order.id;
    let wrong_total = (total != parts).then_some(Discrepancy::Total {
        order: order_id,
        total,
        parts,
    });
    let no_lines = order.lines.is_empty();
    let no_lines = no_lines.then_some(Discrepancy::NoLines { order: order_id });
    let kept = order.archived && order.status != OrderStatus::Cancelled;
    let kept = kept.then_some(Discrepancy::DeletedNotCancelled { order: order_id });
    [wrong_total, no_lines, kept].into_iter().flatten()
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
