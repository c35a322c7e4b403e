//! The audit: one pass over each table, in one snapshot, in SQL that both databases understand.

use super::super::{Conn, Database};
use crate::failure::Failure;
use crate::schema::{order_lines, orders, products, shop, stock_movements};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tradepost_domain::{Audit, Discrepancy, Ledger, OrderId, ProductId, StoreError};

/// What a discrepancy is about, and the two numbers that should be equal.
#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = BigInt)]
    subject: i64,
    #[diesel(sql_type = BigInt)]
    other: i64,
    #[diesel(sql_type = BigInt)]
    stored: i64,
    #[diesel(sql_type = BigInt)]
    proven: i64,
}

/// On hand, and the sum of the movements. Rows of one table without a row of the other count too.
const STOCK: &str = "
    SELECT product AS subject, CAST(0 AS BIGINT) AS other,
           CAST(SUM(on_hand) AS BIGINT) AS stored, CAST(SUM(moved) AS BIGINT) AS proven
    FROM (
        SELECT product_id AS product, on_hand, 0 AS moved FROM stock
        UNION ALL
        SELECT product_id, 0, delta FROM stock_movements
    ) AS entries
    GROUP BY product
    HAVING SUM(on_hand) <> SUM(moved) OR SUM(on_hand) < 0
    ORDER BY product";

/// The total of an order, and the sum of its lines.
const TOTALS: &str = "
    SELECT orders.id AS subject, CAST(0 AS BIGINT) AS other, orders.total AS stored,
           CAST(COALESCE(sums.total, 0) AS BIGINT) AS proven
    FROM orders
    LEFT JOIN (
        SELECT order_id, SUM(unit_price * quantity) AS total FROM order_lines GROUP BY order_id
    ) AS sums ON sums.order_id = orders.id
    WHERE orders.total <> COALESCE(sums.total, 0)
    ORDER BY orders.id";

/// What an order moved of a product, and what it should have.
const MOVEMENTS: &str = "
    SELECT order_id AS subject, product_id AS other,
           CAST(SUM(moved) AS BIGINT) AS stored, CAST(SUM(expected) AS BIGINT) AS proven
    FROM (
        SELECT order_id, product_id, delta AS moved, 0 AS expected
        FROM stock_movements WHERE order_id IS NOT NULL
        UNION ALL
        SELECT order_lines.order_id, order_lines.product_id, 0,
               CASE WHEN orders.status = 'cancelled' THEN 0 ELSE -order_lines.quantity END
        FROM order_lines JOIN orders ON orders.id = order_lines.order_id
    ) AS entries
    GROUP BY order_id, product_id
    HAVING SUM(moved) <> SUM(expected)
    ORDER BY order_id, product_id";

impl Ledger for Database {
    fn audit(&self) -> Result<Audit, StoreError> {
        self.snapshot(|conn| {
            let mut discrepancies = Vec::new();
            let stock = |finding: Finding| {
                let product = id("stock", "product_id", ProductId::new, finding.subject)?;
                let (on_hand, ledger) = (finding.stored, finding.proven);
                Ok(Discrepancy::Stock {
                    product,
                    on_hand,
                    ledger,
                })
            };
            collect(conn, STOCK, stock, &mut discrepancies)?;
            let total = |finding: Finding| {
                let order = id("orders", "id", OrderId::new, finding.subject)?;
                let (total, lines) = (finding.stored, finding.proven);
                Ok(Discrepancy::Total {
                    order,
                    total,
                    lines,
                })
            };
            collect(conn, TOTALS, total, &mut discrepancies)?;
            let movements = |finding: Finding| {
                let order = id("stock_movements", "order_id", OrderId::new, finding.subject)?;
                let product = id(
                    "stock_movements",
                    "product_id",
                    ProductId::new,
                    finding.other,
                )?;
                let (moved, expected) = (finding.stored, finding.proven);
                Ok(Discrepancy::Movements {
                    order,
                    product,
                    moved,
                    expected,
                })
            };
            collect(conn, MOVEMENTS, movements, &mut discrepancies)?;
            orders_that_cannot_be(conn, &mut discrepancies)?;
            catalogue_count(conn, &mut discrepancies)?;
            Ok(Audit {
                products: super::count(products::table.count().get_result(conn)?),
                orders: super::count(orders::table.count().get_result(conn)?),
                movements: super::count(stock_movements::table.count().get_result(conn)?),
                discrepancies,
            })
        })
    }
}

fn collect(
    conn: &mut Conn,
    sql: &str,
    discrepancy: impl Fn(Finding) -> Result<Discrepancy, StoreError>,
    into: &mut Vec<Discrepancy>,
) -> Result<(), Failure> {
    for finding in diesel::sql_query(sql).load::<Finding>(conn)? {
        into.push(discrepancy(finding)?);
    }
    Ok(())
}

fn id<T>(
    table: &'static str,
    column: &'static str,
    new: fn(i64) -> Option<T>,
    number: i64,
) -> Result<T, StoreError> {
    new(number).ok_or_else(|| StoreError::corrupt(table, column, number))
}

fn orders_that_cannot_be(conn: &mut Conn, into: &mut Vec<Discrepancy>) -> Result<(), Failure> {
    let lines = order_lines::table.filter(order_lines::order_id.eq(orders::id));
    let without_lines = orders::table
        .filter(diesel::dsl::not(diesel::dsl::exists(lines)))
        .select(orders::id)
        .order(orders::id)
        .load::<i64>(conn)?;
    for number in without_lines {
        into.push(Discrepancy::NoLines {
            order: id("orders", "id", OrderId::new, number)?,
        });
    }
    let cancelled = tradepost_domain::OrderStatus::Cancelled.as_str();
    let deleted = orders::table
        .filter(orders::archived.eq(true).and(orders::status.ne(cancelled)))
        .select(orders::id)
        .order(orders::id)
        .load::<i64>(conn)?;
    for number in deleted {
        let order = id("orders", "id", OrderId::new, number)?;
        into.push(Discrepancy::DeletedNotCancelled { order });
    }
    Ok(())
}

fn catalogue_count(conn: &mut Conn, into: &mut Vec<Discrepancy>) -> Result<(), Failure> {
    let kept = shop::table
        .find(1)
        .select(shop::catalogue_size)
        .first(conn)?;
    let counted = products::table
        .filter(products::archived.eq(false))
        .count()
        .get_result(conn)?;
    if kept != counted {
        into.push(Discrepancy::CatalogueCount { kept, counted });
    }
    Ok(())
}
