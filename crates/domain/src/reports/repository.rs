use crate::catalog::Product;
use crate::inventory::StockLevel;
use crate::kernel::StoreError;
use crate::orders::OrderStatus;
use crate::reports::SalesBucket;
use chrono::{DateTime, Utc};

/// Sales report: sums of orders, and products low in stock.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert!(store.reports.sales(at(0), at(60))?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait SalesReport: Send + Sync {
    /// The buckets with sales that start in a time, `until` excluded, ascending.
    ///
    /// MUST have the sums of every order committed before the call (`sales_are_sums_of_orders`).
    ///
    /// # Errors
    /// If the store fails.
    fn sales(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<SalesBucket>, StoreError>;

    /// The number of orders of each status, deleted orders included, in the order of the statuses.
    /// A status without orders is absent.
    ///
    /// # Errors
    /// If the store fails.
    fn orders_by_status(&self) -> Result<Vec<(OrderStatus, u64)>, StoreError>;

    /// Products of the catalogue whose level of stock is at their threshold or below, lowest level
    /// first, then by id.
    ///
    /// MUST compare with the product's own threshold, if it has one (`low_stock_is_listed`).
    ///
    /// # Errors
    /// If the store fails.
    fn low_stock(&self, limit: u32) -> Result<Vec<Product>, StoreError>;

    /// Sets the shop's threshold of low stock, for products without their own. A shop starts with
    /// [`DEFAULT_LOW_STOCK`](crate::inventory::DEFAULT_LOW_STOCK).
    ///
    /// # Errors
    /// If the store fails.
    fn set_low_stock(&self, threshold: StockLevel) -> Result<(), StoreError>;
}
