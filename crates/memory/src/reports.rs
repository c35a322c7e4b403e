use crate::{MemoryStore, State};
use chrono::{DateTime, Utc};
use tradepost_domain::catalog::Product;
use tradepost_domain::decision::Event;
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Money, StoreError};
use tradepost_domain::orders::OrderStatus;
use tradepost_domain::reports::{SalesBucket, SalesReport, Sums};

impl SalesReport for MemoryStore {
    fn sales(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<SalesBucket>, StoreError> {
        let state = self.lock();
        let buckets = state.sums.sales.iter();
        let within = buckets.filter(|(start, _)| (since..until).contains(*start));
        let bucket = within.map(|(start, sum)| SalesBucket {
            start: *start,
            orders: sum.orders,
            revenue: Money::from_minor(sum.revenue, self.currency),
        });
        Ok(bucket.collect())
    }

    fn orders_by_status(&self) -> Result<Vec<(OrderStatus, u64)>, StoreError> {
        let state = self.lock();
        let counts = state.sums.statuses.iter();
        let count = |(status, orders): (&OrderStatus, &i64)| {
            let orders = u64::try_from(*orders).ok().filter(|orders| *orders > 0)?;
            Some((*status, orders))
        };
        Ok(counts.filter_map(count).collect())
    }

    fn low_stock(&self, limit: u32) -> Result<Vec<Product>, StoreError> {
        let state = self.lock();
        let products = state.products.values();
        let is_low = |product: &&Product| {
            !product.archived && product.stock <= product.low_stock.unwrap_or(state.low_stock())
        };
        let mut low: Vec<_> = products.filter(is_low).collect();
        low.sort_by_key(|product| (product.stock, product.id));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(low.into_iter().take(limit).cloned().collect())
    }

    fn set_low_stock(&self, threshold: StockLevel) -> Result<(), StoreError> {
        self.lock().low_stock = Some(threshold);
        Ok(())
    }
}

impl State {
    /// Adds events to the sums.
    pub(crate) fn add_to_sums<'a>(&mut self, events: impl Iterator<Item = &'a Event>) {
        let changes = Sums::of(events);
        for (start, change) in changes.sales {
            let sum = self.sums.sales.entry(start).or_default();
            sum.orders = sum.orders.saturating_add(change.orders);
            sum.revenue = sum.revenue.saturating_add(change.revenue);
        }
        for (status, change) in changes.statuses {
            let orders = self.sums.statuses.entry(status).or_default();
            *orders = orders.saturating_add(change);
        }
    }
}
