//! The stock check in parts, and the kept results of ledger checks.

use super::audit::{Finding, stock};
use super::prelude::*;
use crate::rows::LedgerCheckRow;
use crate::schema::ledger_checks as checks;
use tradepost_domain::inventory::{Audit, LedgerCheck, StockAudit};
use tradepost_domain::kernel::ProductId;

/// Stock on hand, the sum of the movements, and their number, of the products of a part. It is one
/// statement, and so one snapshot.
fn sql(after: i64, limit: u32) -> String {
    format!(
        "SELECT product_id AS subject, on_hand AS stored,
                (SELECT CAST(COALESCE(SUM(delta), 0) AS BIGINT) FROM stock_movements
                 WHERE stock_movements.product_id = part.product_id) AS proven,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM stock_movements
                 WHERE stock_movements.product_id = part.product_id) AS other
         FROM (SELECT product_id, on_hand FROM stock
               WHERE product_id > {after} ORDER BY product_id LIMIT {limit}) AS part
         ORDER BY product_id"
    )
}

pub(super) fn part(
    database: &Database,
    after: Option<ProductId>,
    limit: u32,
) -> Result<StockAudit, StoreError> {
    let query = sql(after.map_or(0, ProductId::get), limit);
    let findings = database.read(|conn| Ok(diesel::sql_query(&query).load::<Finding>(conn)?))?;
    let mut part = StockAudit {
        audit: Audit {
            products: u64::try_from(findings.len()).unwrap_or(u64::MAX),
            ..Audit::default()
        },
        last: findings
            .last()
            .and_then(|last| ProductId::new(last.subject)),
    };
    for finding in findings {
        part.audit.movements += row_count(finding.other);
        if finding.stored != finding.proven || finding.stored < 0 {
            part.audit.discrepancies.push(stock(finding)?);
        }
    }
    Ok(part)
}

pub(super) fn record(database: &Database, check: &LedgerCheck) -> Result<(), StoreError> {
    let check = check.clone();
    database.write(move |conn| {
        let row = LedgerCheckRow::from(&check);
        diesel::insert_into(checks::table)
            .values(&row)
            .on_conflict(checks::kind)
            .do_update()
            .set(&row)
            .execute(conn)?;
        Ok(())
    })
}

pub(super) fn last(database: &Database) -> Result<Vec<LedgerCheck>, StoreError> {
    database.read(|conn| {
        let rows = checks::table
            .select(LedgerCheckRow::as_select())
            .load(conn)?;
        all(rows, LedgerCheckRow::check)
    })
}
