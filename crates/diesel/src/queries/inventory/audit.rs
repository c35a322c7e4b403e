//! Ledger audit: one pass over each table, in one snapshot, in SQL that runs on both databases.

use super::super::catalog::search_texts;
use super::super::events;
use super::checks;
use super::prelude::*;
use crate::schema::{order_lines, orders, products, shop, stock_movements};
use diesel::sql_types::BigInt;
use tradepost_domain::inventory::{Audit, Discrepancy, Ledger, LedgerCheck, StockAudit};
use tradepost_domain::kernel::{OrderId, ProductId};

/// The subject of a discrepancy, and the two numbers that should be equal.
#[derive(QueryableByName)]
pub(super) struct Finding {
    #[diesel(sql_type = BigInt)]
    pub(super) subject: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) other: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) stored: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) proven: i64,
}

/// Stock on hand, and the sum of the movements. Rows of one table without a row of the other count.
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

/// The total of an order, and the sum of its lines and its adjustment.
const TOTALS: &str = "
    SELECT orders.id AS subject, CAST(0 AS BIGINT) AS other, orders.total AS stored,
           CAST(COALESCE(sums.total, 0) + orders.adjustment AS BIGINT) AS proven
    FROM orders
    LEFT JOIN (
        SELECT order_id, SUM(unit_price * quantity) AS total FROM order_lines GROUP BY order_id
    ) AS sums ON sums.order_id = orders.id
    WHERE orders.total <> COALESCE(sums.total, 0) + orders.adjustment
    ORDER BY orders.id";

/// Units of a product that an order sold or returned, and the expected number.
const MOVEMENTS: &str = "
    SELECT order_id AS subject, product_id AS other,
           CAST(SUM(moved) AS BIGINT) AS stored, CAST(SUM(expected) AS BIGINT) AS proven
    FROM (
        SELECT order_id, product_id, reason, delta AS moved, 0 AS expected
        FROM stock_movements WHERE order_id IS NOT NULL
        UNION ALL
        SELECT order_id, product_id, 'sale', 0, -quantity FROM order_lines
        UNION ALL
        SELECT order_lines.order_id, order_lines.product_id, 'return', 0, order_lines.quantity
        FROM order_lines JOIN orders ON orders.id = order_lines.order_id
        WHERE orders.status = 'cancelled'
    ) AS entries
    GROUP BY order_id, product_id, reason
    HAVING SUM(moved) <> SUM(expected)
    ORDER BY order_id, product_id";

/// Lines that belong to another user than their order.
const OWNERS: &str = "
    SELECT DISTINCT orders.id AS subject, CAST(0 AS BIGINT) AS other, orders.user_id AS stored,
           order_lines.user_id AS proven
    FROM order_lines JOIN orders ON orders.id = order_lines.order_id
    WHERE order_lines.user_id <> orders.user_id
    ORDER BY orders.id";

/// References: table, the column that identifies the row, the referring column, and the referenced
/// table with its key.
const REFERENCES: [(&str, &str, &str, &str, &str); 12] = [
    ("products", "id", "id", "stock", "product_id"),
    ("stock", "product_id", "product_id", "products", "id"),
    ("cart_items", "id", "user_id", "users", "id"),
    ("cart_items", "id", "product_id", "products", "id"),
    ("orders", "id", "user_id", "users", "id"),
    ("order_lines", "order_id", "order_id", "orders", "id"),
    ("order_lines", "order_id", "product_id", "products", "id"),
    ("stock_movements", "id", "product_id", "products", "id"),
    ("stock_movements", "id", "order_id", "orders", "id"),
    ("stock_movements", "id", "actor_id", "users", "id"),
    ("idempotency_keys", "user_id", "user_id", "users", "id"),
    ("order_lines", "order_id", "user_id", "users", "id"),
];

/// Rows that refer to a missing row. The database checks this itself, but a tool may have switched
/// the check off.
fn orphans(conn: &mut Conn, into: &mut Vec<Discrepancy>) -> Result<(), Failure> {
    for (table, row, column, other, key) in REFERENCES {
        let sql = format!(
            "SELECT DISTINCT {table}.{row} AS subject, CAST(0 AS BIGINT) AS other,
                    {table}.{column} AS stored, CAST(0 AS BIGINT) AS proven
             FROM {table} LEFT JOIN {other} ON {other}.{key} = {table}.{column}
             WHERE {table}.{column} IS NOT NULL AND {other}.{key} IS NULL
             ORDER BY {table}.{row}"
        );
        let orphan = |finding: Finding| {
            let (row, missing) = (finding.subject, finding.stored);
            Ok(Discrepancy::Orphan {
                table,
                row,
                refers_to: other,
                missing,
            })
        };
        collect(conn, &sql, orphan, into)?;
    }
    Ok(())
}

/// The ledger audit, over a connection in one snapshot.
pub(crate) fn books(conn: &mut Conn) -> Result<Audit, Failure> {
    let mut found = Vec::new();
    collect(conn, STOCK, stock, &mut found)?;
    collect(conn, TOTALS, total, &mut found)?;
    collect(conn, MOVEMENTS, movements, &mut found)?;
    collect(conn, OWNERS, owner, &mut found)?;
    orders_that_cannot_be(conn, &mut found)?;
    orphans(conn, &mut found)?;
    catalogue_count(conn, &mut found)?;
    searched_texts(conn, &mut found)?;
    events::audit(conn, &mut found)?;
    Ok(Audit {
        products: row_count(products::table.count().get_result(conn)?),
        orders: row_count(orders::table.count().get_result(conn)?),
        movements: row_count(stock_movements::table.count().get_result(conn)?),
        discrepancies: found,
    })
}

impl Ledger for Database {
    fn audit(&self) -> Result<Audit, StoreError> {
        event_log::settle(self)?;
        let mut audit = self.snapshot(books)?;
        let damage = self.damage()?.into_iter();
        audit
            .discrepancies
            .extend(damage.map(|what| Discrepancy::Damaged { what }));
        Ok(audit)
    }

    fn audit_stock(&self, after: Option<ProductId>, limit: u32) -> Result<StockAudit, StoreError> {
        checks::part(self, after, limit)
    }

    fn record_check(&self, check: &LedgerCheck) -> Result<(), StoreError> {
        checks::record(self, check)
    }

    fn last_checks(&self) -> Result<Vec<LedgerCheck>, StoreError> {
        checks::last(self)
    }
}

pub(super) fn stock(finding: Finding) -> Result<Discrepancy, StoreError> {
    Ok(Discrepancy::Stock {
        product: id("stock", "product_id", ProductId::new, finding.subject)?,
        on_hand: finding.stored,
        ledger: finding.proven,
    })
}

fn total(finding: Finding) -> Result<Discrepancy, StoreError> {
    Ok(Discrepancy::Total {
        order: id("orders", "id", OrderId::new, finding.subject)?,
        total: finding.stored,
        parts: finding.proven,
    })
}

fn movements(finding: Finding) -> Result<Discrepancy, StoreError> {
    let table = "stock_movements";
    Ok(Discrepancy::Movements {
        order: id(table, "order_id", OrderId::new, finding.subject)?,
        product: id(table, "product_id", ProductId::new, finding.other)?,
        moved: finding.stored,
        expected: finding.proven,
    })
}

fn owner(finding: Finding) -> Result<Discrepancy, StoreError> {
    let order = id("orders", "id", OrderId::new, finding.subject)?;
    Ok(Discrepancy::OtherOwner { order })
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
    let order = |number| id("orders", "id", OrderId::new, number);
    let lines = order_lines::table.filter(order_lines::order_id.eq(orders::id));
    let without_lines = orders::table
        .filter(diesel::dsl::not(exists(lines)))
        .select(orders::id)
        .order(orders::id)
        .load::<i64>(conn)?;
    for number in without_lines {
        into.push(Discrepancy::NoLines {
            order: order(number)?,
        });
    }
    let cancelled = tradepost_domain::orders::OrderStatus::Cancelled.as_str();
    let deleted = orders::table
        .filter(orders::archived.eq(true).and(orders::status.ne(cancelled)))
        .select(orders::id)
        .order(orders::id)
        .load::<i64>(conn)?;
    for number in deleted {
        into.push(Discrepancy::DeletedNotCancelled {
            order: order(number)?,
        });
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

fn searched_texts(conn: &mut Conn, into: &mut Vec<Discrepancy>) -> Result<(), Failure> {
    for number in search_texts::wrong(conn)? {
        let product = id("products", "id", ProductId::new, number)?;
        into.push(Discrepancy::SearchedText { product });
    }
    Ok(())
}
