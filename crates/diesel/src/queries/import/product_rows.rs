//! Import of products: staged rows.

use super::super::catalog;
use super::super::prelude::*;
use super::applying;
use crate::rows::{NewStagedRow, StagedRow};
use crate::schema::{product_import_rows as rows, product_imports};
use chrono::{DateTime, Utc};
use diesel::sql_types::BigInt;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tradepost_domain::catalog::Product;
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ProductImportId, ProductImportRefusal, ProductImportRepository,
    ProductRow, Staged,
};
use tradepost_domain::kernel::{Currency, Progress};

/// Staged rows that one transaction deletes.
const TIDIED: i64 = 2_000;

/// Rows whose sku an earlier row of the import has.
const REPEATED: &str = "
    SELECT firsts.line AS earlier, later.line AS later
    FROM product_import_rows AS later
    JOIN (
        SELECT sku, MIN(line) AS line FROM product_import_rows WHERE import_id = $1
        GROUP BY sku HAVING COUNT(*) > 1
    ) AS firsts ON firsts.sku = later.sku
    WHERE later.import_id = $1 AND later.line > firsts.line";

#[derive(QueryableByName)]
struct Repeated {
    #[diesel(sql_type = BigInt)]
    earlier: i64,
    #[diesel(sql_type = BigInt)]
    later: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

impl ProductImportRepository for Database {
    fn begin(&self, at: DateTime<Utc>) -> Result<ProductImportId, StoreError> {
        if let Some(current) = self.read(|conn| Ok(applying::current(conn)?))? {
            applying::complete(self, current)?;
        }
        self.write(move |conn| {
            diesel::delete(product_imports::table)
                .filter(product_imports::state.eq(applying::STAGED))
                .execute(conn)?;
            let id = diesel::insert_into(product_imports::table)
                .values(product_imports::started_at.eq(micros(at)))
                .returning(product_imports::id)
                .get_result(conn)?;
            Ok(ProductImportId::new(id))
        })
    }

    fn stage(&self, import: ProductImportId, new: Arc<[ProductRow]>) -> Staged<()> {
        let began = Instant::now();
        let staged = self.write(move |conn| {
            let row = locks::lock_import(conn, import)?;
            if row.is_none_or(|row| row.state != applying::STAGED) {
                return Ok(Err(ProductImportRefusal::Superseded));
            }
            let new = new.iter().map(|row| NewStagedRow::new(import, row));
            bulk::insert_imported!(conn, rows::table, new);
            Ok(Ok(()))
        });
        locks::give_way(began.elapsed());
        staged
    }

    fn staged(
        &self,
        import: ProductImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(ProductRow, Option<Product>)>, StoreError> {
        let (after, currency) = (i64::try_from(after).unwrap_or(i64::MAX), self.currency());
        self.snapshot(move |conn| {
            let staged = rows::table
                .filter(rows::import_id.eq(import.get()))
                .filter(rows::line.gt(after))
                .order(rows::line)
                .limit(i64::from(limit))
                .select(StagedRow::as_select())
                .load(conn)?;
            with_products(conn, staged, currency)
        })
    }

    fn repeated_skus(
        &self,
        import: ProductImportId,
        limit: u32,
    ) -> Result<(Vec<(u64, u64)>, u64), StoreError> {
        self.snapshot(move |conn| {
            let listed = format!("{REPEATED} ORDER BY later LIMIT {limit}");
            let listed = diesel::sql_query(listed).bind::<BigInt, _>(import.get());
            let listed = listed.load::<Repeated>(conn)?.into_iter();
            let pair = |one: Repeated| (row_count(one.earlier), row_count(one.later));
            let counted = format!("SELECT COUNT(*) AS value FROM ({REPEATED}) AS repeated");
            let counted = diesel::sql_query(counted).bind::<BigInt, _>(import.get());
            let count = counted.get_result::<Count>(conn)?.value;
            Ok((listed.map(pair).collect(), row_count(count)))
        })
    }

    fn apply(&self, command: ApplyProducts, progress: Arc<dyn Progress>) -> Staged<ImportCounts> {
        applying::apply(self, &command, &*progress)
    }

    fn discard(&self, import: ProductImportId) -> Result<(), StoreError> {
        self.write(move |conn| {
            diesel::delete(product_imports::table.find(import.get()))
                .filter(product_imports::state.eq(applying::STAGED))
                .execute(conn)?;
            Ok(())
        })
    }

    fn applying(&self) -> Result<Option<(ProductImportId, u64)>, StoreError> {
        self.read(|conn| Ok(applying::progress(conn)?))
    }

    fn tidy(&self) -> Result<bool, StoreError> {
        if let Some(current) = self.read(|conn| Ok(applying::current(conn)?))? {
            applying::complete(self, current)?;
            return Ok(true);
        }
        let is_left = self.read(|conn| Ok(bulk::has_ended_import_rows(conn)?))?;
        let is_unindexed = self.read(|conn| Ok(search::has_unindexed(conn)?))?;
        let began = Instant::now();
        if is_left {
            self.write(|conn| Ok(bulk::delete_ended_import_rows(conn, TIDIED)?))?;
        }
        if is_unindexed {
            self.write(|conn| Ok(search::index_some(conn)?))?;
        }
        if is_left || is_unindexed {
            locks::give_way(began.elapsed());
        }
        Ok(is_left || is_unindexed)
    }
}

/// Staged rows with the current products of their skus.
pub(super) fn with_products(
    conn: &mut Conn,
    staged: Vec<StagedRow>,
    currency: Currency,
) -> Result<Vec<(ProductRow, Option<Product>)>, Failure> {
    let skus: Vec<&str> = staged.iter().map(|row| &*row.sku).collect();
    let found = catalog::find_by_skus(conn, &skus, currency)?;
    let by_sku: HashMap<String, Product> = found
        .into_iter()
        .filter_map(|product| Some((product.sku.as_ref()?.as_str().to_owned(), product)))
        .collect();
    all(staged, |row| row.row(currency)).map(|rows| {
        let with = |row: ProductRow| {
            let product = by_sku.get(row.sku.as_str()).cloned();
            (row, product)
        };
        rows.into_iter().map(with).collect()
    })
}
