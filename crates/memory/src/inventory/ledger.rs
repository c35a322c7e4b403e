use crate::{MemoryStore, State, count};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::catalog::Product;
use tradepost_domain::inventory::{Audit, Discrepancy, Ledger, LedgerCheck, StockAudit};
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

    fn audit_stock(&self, after: Option<ProductId>, limit: u32) -> Result<StockAudit, StoreError> {
        let state = self.lock();
        let sums = state.sums();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let rest = state.products.values();
        let rest = rest.filter(|product| after.is_none_or(|after| product.id > after));
        let mut part = StockAudit::default();
        for product in rest.take(limit) {
            let entries = state.movements.values();
            let own = entries.filter(|movement| movement.entry.product == product.id);
            part.audit.products += 1;
            part.audit.movements += count(own.count());
            part.audit.discrepancies.extend(wrong_level(product, &sums));
            part.last = Some(product.id);
        }
        Ok(part)
    }

    fn record_check(&self, check: &LedgerCheck) -> Result<(), StoreError> {
        self.lock().ledger_checks.insert(check.kind, check.clone());
        Ok(())
    }

    fn last_checks(&self) -> Result<Vec<LedgerCheck>, StoreError> {
        Ok(self.lock().ledger_checks.values().cloned().collect())
    }
}

/// Sums of the movements by product.
type Sums = BTreeMap<ProductId, i64>;

fn wrong_level(product: &Product, sums: &Sums) -> Option<Discrepancy> {
    let on_hand = product.stock.units();
    let ledger = sums.get(&product.id).copied().unwrap_or(0);
    (on_hand != ledger || on_hand < 0).then_some(Discrepancy::Stock {
        product: product.id,
        on_hand,
        ledger,
    })
}

impl State {
    fn sums(&self) -> Sums {
        let mut sums = Sums::new();
        for movement in self.movements.values() {
            let sum = sums.entry(movement.entry.product).or_default();
            *sum = sum.saturating_add(movement.entry.delta.units());
        }
        sums
    }

    fn wrong_levels(&self) -> impl Iterator<Item = Discrepancy> + '_ {
        let sums = self.sums();
        let products = self.products.values();
        products.filter_map(move |product| wrong_level(product, &sums))
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
