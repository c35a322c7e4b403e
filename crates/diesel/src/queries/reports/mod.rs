//! Sums of orders, and products low in stock.

use super::prelude::*;
use crate::rows::ProductRow;
use crate::schema::{order_counts, products, sales, shop, stock};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::sql_types::Bool;
use std::collections::BTreeMap;
use tradepost_domain::catalog::Product;
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::Money;
use tradepost_domain::orders::OrderStatus;
use tradepost_domain::reports::{SalesBucket, SalesReport};

impl SalesReport for Database {
    fn sales(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<SalesBucket>, StoreError> {
        let currency = self.currency();
        event_log::settle(self)?;
        self.read(|conn| {
            let rows = sales::table
                .filter(sales::bucket.ge(micros(since)))
                .filter(sales::bucket.lt(micros(until)))
                .order(sales::bucket)
                .select((sales::bucket, sales::orders, sales::revenue))
                .load::<(i64, i64, i64)>(conn)?;
            all(rows, |(bucket, orders, revenue)| {
                let start = DateTime::from_timestamp_micros(bucket)
                    .ok_or_else(|| StoreError::corrupt("sales", "bucket", bucket))?;
                Ok(SalesBucket {
                    start,
                    orders,
                    revenue: Money::from_minor(revenue, currency),
                })
            })
        })
    }

    fn orders_by_status(&self) -> Result<Vec<(OrderStatus, u64)>, StoreError> {
        event_log::settle(self)?;
        self.read(|conn| {
            let rows = order_counts::table
                .filter(order_counts::orders.gt(0))
                .select((order_counts::status, order_counts::orders))
                .load::<(String, i64)>(conn)?;
            let counts = all(rows, |(status, orders)| {
                let status = OrderStatus::parse(&status)
                    .ok_or_else(|| StoreError::corrupt("order_counts", "status", orders))?;
                Ok((status, row_count(orders)))
            })?;
            let sorted: BTreeMap<_, _> = counts.into_iter().collect();
            Ok(sorted.into_iter().collect())
        })
    }

    /// Reads the narrow row of stock of every product: it has no index on its level, which would make
    /// each sale slower. The products are looked up afterwards, those that are low.
    fn low_stock(&self, limit: u32) -> Result<Vec<Product>, StoreError> {
        let currency = self.currency();
        self.read(|conn| {
            let is_low = sql::<Bool>(
                "products.id IN (SELECT product_id FROM stock AS level
                    WHERE on_hand <= COALESCE(low_stock, (SELECT low_stock FROM shop)))",
            );
            let rows: Vec<ProductRow> = products::table
                .inner_join(stock::table)
                .filter(products::archived.eq(false))
                .filter(is_low)
                .order((stock::on_hand, products::id))
                .limit(i64::from(limit))
                .select(ProductRow::as_select())
                .load(conn)?;
            all(rows, |row| row.product(currency))
        })
    }

    fn set_low_stock(&self, threshold: StockLevel) -> Result<(), StoreError> {
        let threshold = threshold.units();
        let is_set = |conn: &mut Conn| {
            let stored: i64 = shop::table.find(1).select(shop::low_stock).first(conn)?;
            Ok(stored == threshold)
        };
        if self.read(is_set)? {
            return Ok(());
        }
        self.write(move |conn| {
            locks::lock_shop_or_abort(conn)?;
            diesel::update(shop::table.find(1))
                .set(shop::low_stock.eq(threshold))
                .execute(conn)?;
            Ok(())
        })
    }
}
