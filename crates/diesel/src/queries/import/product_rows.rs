//! Import of products: staged rows, and their application in one transaction.
//!
//! An import is applied in chunks of rows that differ from their products: lock, read, let the
//! domain decide, apply. Rows that do not differ cost a comparison in the database.

use super::super::prelude::*;
use super::super::{catalog, identity};
use crate::rows::{NewStagedRow, StagedRow, measures_differ};
use crate::schema::{product_import_rows as rows, product_imports, products, stock};
use chrono::{DateTime, Utc};
use diesel::sql_types::BigInt;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::Account;
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ImportTerms, ProblemList, ProductImportId, ProductImportRefusal,
    ProductImportRepository, ProductRow, Staged, decide_product_rows,
};
use tradepost_domain::kernel::{Currency, Error, ProductId, Progress, Refusal, UserId};

/// Rows that are decided and written together: the memory of an import.
const CHUNK: i64 = 500;

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

/// Why a transaction that applies an import ends without writing.
type Why = Arc<Mutex<Option<ProductImportRefusal>>>;

impl ProductImportRepository for Database {
    fn begin(&self, at: DateTime<Utc>) -> Result<ProductImportId, StoreError> {
        self.write(move |conn| {
            // Waits for an import that is being applied.
            diesel::delete(product_imports::table).execute(conn)?;
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
            if !locks::current_import(conn, import)? {
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
        let (currency, why) = (self.currency(), Why::default());
        let found = Arc::clone(&why);
        let applied = self.command(move |conn| {
            // Of an earlier attempt of the transaction.
            *lock(&found) = None;
            let outcome = apply_rows(conn, &command, currency, &*progress)?;
            outcome.map_err(|refusal| {
                *lock(&found) = Some(refusal);
                // Rolls back. The refusal that is reported is the one that was found.
                Failure::Refused(Refusal::NotFound)
            })
        });
        match applied {
            Ok(counts) => Ok(Ok(counts)),
            Err(Error::Refused(refusal)) => {
                let found = lock(&why).take();
                Ok(Err(found.unwrap_or(ProductImportRefusal::Refused(refusal))))
            }
            Err(error) => Err(crate::failure::without_refusal(error)),
        }
    }

    fn discard(&self, import: ProductImportId) -> Result<(), StoreError> {
        self.write(move |conn| {
            diesel::delete(product_imports::table.find(import.get())).execute(conn)?;
            Ok(())
        })
    }

    fn tidy(&self) -> Result<bool, StoreError> {
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

fn lock(why: &Why) -> std::sync::MutexGuard<'_, Option<ProductImportRefusal>> {
    why.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Staged rows with the current products of their skus.
fn with_products(
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

type Applied = Result<ImportCounts, ProductImportRefusal>;

/// The account of the acting user, whose role is locked until the commit.
fn acting(conn: &mut Conn, by: Option<UserId>) -> Result<Option<Account>, Failure> {
    let Some(user) = by else { return Ok(None) };
    if locks::try_acting_users(conn, &BTreeSet::from([user]))?.is_empty() {
        return Err(Failure::LockConflict);
    }
    Ok(identity::accounts(conn, &[user.get()])?.remove(&user))
}

fn apply_rows(
    conn: &mut Conn,
    command: &ApplyProducts,
    currency: Currency,
    progress: &dyn Progress,
) -> Result<Applied, Failure> {
    let acting = acting(conn, command.by)?;
    locks::lock_product_import(conn)?;
    if !locks::current_import(conn, command.import)? {
        return Ok(Err(ProductImportRefusal::Superseded));
    }
    let of_import = rows::import_id.eq(command.import.get());
    let staged: i64 = rows::table.filter(of_import).count().get_result(conn)?;
    if row_count(staged) != command.rows {
        return Ok(Err(ProductImportRefusal::Incomplete));
    }
    progress.begin("Writing lines", Some(command.rows));
    search::defer_indexing(conn)?;
    let applied = apply_chunks(conn, command, acting.as_ref(), currency, progress)?;
    search::resume_indexing(conn)?;
    diesel::delete(product_imports::table.find(command.import.get())).execute(conn)?;
    Ok(applied)
}

fn apply_chunks(
    conn: &mut Conn,
    command: &ApplyProducts,
    acting: Option<&Account>,
    currency: Currency,
    progress: &dyn Progress,
) -> Result<Applied, Failure> {
    let terms = ImportTerms {
        by: command.by,
        acting,
        currency,
        at: command.at,
    };
    let (mut counts, mut problems) = (ImportCounts::default(), ProblemList::default());
    let (mut last, mut done) = (0, 0);
    loop {
        let (products, staged) = differing(conn, command.import, last)?;
        let Some(end) = staged.last() else { break };
        last = end.line;
        done += u64::try_from(staged.len()).unwrap_or_default();
        locks::lock_imported_products(conn, &products)?;
        let rows = with_products(conn, staged, currency)?;
        let decided = decide_product_rows(&rows, &terms)?;
        counts = counts.plus(decided.counts());
        problems.merge(&decided.problems);
        // Once a row has a problem, the transaction is rolled back.
        if problems.is_empty() {
            apply(conn, decided.decision)?;
        }
        progress.advance(done);
    }
    Ok(match problems.is_empty() {
        true => Ok(counts),
        false => Err(ProductImportRefusal::Invalid(problems)),
    })
}

/// The next rows that differ from their products, with the ids of these.
fn differing(
    conn: &mut Conn,
    import: ProductImportId,
    after: i64,
) -> Result<(Vec<ProductId>, Vec<StagedRow>), Failure> {
    let staged: Vec<(StagedRow, Option<i64>)> = rows::table
        .left_join(products::table.on(products::sku.eq(rows::sku.nullable())))
        .left_join(stock::table.on(stock::product_id.eq(products::id)))
        .filter(rows::import_id.eq(import.get()))
        .filter(rows::line.gt(after))
        .filter(
            products::id
                .nullable()
                .is_null()
                .or(rows::name.ne(products::name.nullable()))
                .or(rows::description.ne(products::description.nullable()))
                .or(rows::price.ne(products::price.nullable()))
                .or(rows::stock.ne(stock::on_hand.nullable()))
                .or(measures_differ!())
                .or(rows::archived.ne(products::archived.nullable()))
                .or(products::archived.and(rows::archived.is_null())),
        )
        .order(rows::line)
        .limit(CHUNK)
        .select((StagedRow::as_select(), products::id.nullable()))
        .load(conn)?;
    let ids = staged.iter().filter_map(|(_, id)| ProductId::new((*id)?));
    let ids = ids.collect();
    Ok((ids, staged.into_iter().map(|(row, _)| row).collect()))
}
