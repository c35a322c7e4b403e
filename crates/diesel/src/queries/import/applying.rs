//! Application of a staged import of products, in steps. Each is a short transaction, so that orders
//! pass in between. It is all or none nevertheless:
//!
//! 1. [`lock`]: edits of products conflict until the import has ended. Orders change stock alone.
//! 2. [`check`]: every row that differs from its product is decided. With a problem the import ends,
//!    and nothing was written.
//! 3. [`step`]: the next rows are decided and written, together with the line of the last one, until
//!    no row differs. They have no problem, as no product was edited since.
//!
//! Any process can take the next step. If the one that began has ended, and so the last line stays the
//! same, [`complete`] is called by the upkeep of a server; the next import calls it as well. Several
//! processes take turns, which is slower.

use super::super::identity;
use super::super::prelude::{self, *};
use super::product_rows::with_products;
use crate::rows::{ProductImportRow, StagedRow, measures_differ};
use crate::schema::{product_import_rows as rows, product_imports, products, stock};
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tradepost_domain::identity::{Account, decide_staff};
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ImportTerms, ProblemList, ProductImportId, ProductImportRefusal,
    ProductsDecision, Staged, acting_since_the_beginning, decide_product_rows,
};
use tradepost_domain::kernel::{
    Currency, Error, NoProgress, ProductId, Progress, StoreErrorKind, UserId, deadline,
};

/// Rows that are decided and written together: the memory of an import, and the length of a step.
const CHUNK: i64 = 500;

pub(super) const STAGED: &str = "staged";
const CHECKING: &str = "checking";
const APPLYING: &str = "applying";

/// Checked rows after which the last line is stored, as a sign of life.
const CHECKED: u64 = 5_000;

/// How often a step is tried while the database is busy or unavailable, and the pause in between.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// The staged rows of an import that differ from their products, and another condition holds.
macro_rules! differing {
    ($import:expr, $condition:expr) => {
        rows::table
            .left_join(products::table.on(products::sku.eq(rows::sku.nullable())))
            .left_join(stock::table.on(stock::product_id.eq(products::id)))
            .filter(rows::import_id.eq($import.get()))
            .filter($condition)
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
    };
}

/// Applies a staged import. A second call continues the first one.
pub(super) fn apply(
    database: &Database,
    command: &ApplyProducts,
    progress: &dyn Progress,
) -> Staged<ImportCounts> {
    deadline::without(|| match lock(database, command)? {
        Ok(()) => run(database, command.import, progress),
        Err(refusal) => Ok(Err(refusal)),
    })
}

/// Completes an import that is being applied.
pub(super) fn complete(database: &Database, import: ProductImportId) -> Result<(), StoreError> {
    deadline::without(|| run(database, import, &NoProgress)).map(drop)
}

/// The import that is being applied.
pub(super) fn current(conn: &mut Conn) -> QueryResult<Option<ProductImportId>> {
    let begun = product_imports::table.filter(product_imports::state.ne(STAGED));
    let id = begun.select(product_imports::id).first(conn).optional()?;
    Ok(id.map(ProductImportId::new))
}

/// The import that is being applied, with the last line that was checked or written.
pub(super) fn progress(conn: &mut Conn) -> QueryResult<Option<(ProductImportId, u64)>> {
    let begun = product_imports::table.filter(product_imports::state.ne(STAGED));
    let columns = (product_imports::id, product_imports::last_line);
    let found: Option<(i64, i64)> = begun.select(columns).first(conn).optional()?;
    Ok(found.map(|(id, line)| (ProductImportId::new(id), row_count(line))))
}

/// Whether products may be edited until the end of this transaction: no import is being applied.
pub(in super::super) fn is_catalogue_free(conn: &mut Conn) -> Result<bool, Failure> {
    Ok(locks::share_catalogue(conn)? && current(conn)?.is_none())
}

/// The account of the acting user, whose role is locked until the commit.
fn acting(conn: &mut Conn, by: Option<UserId>) -> Result<Option<Account>, Failure> {
    let Some(user) = by else { return Ok(None) };
    if locks::try_acting_users(conn, &BTreeSet::from([user]))?.is_empty() {
        return Err(Failure::LockConflict);
    }
    Ok(identity::accounts(conn, &[user.get()])?.remove(&user))
}

/// Locks the catalogue for an import, unless it is refused.
fn lock(database: &Database, command: &ApplyProducts) -> Staged<()> {
    let import = command.import;
    let of_import = rows::import_id.eq(import.get());
    // Outside of the transaction, as it reads every row.
    let staged: i64 =
        database.read(|conn| Ok(rows::table.filter(of_import).count().get_result(conn)?))?;
    let is_complete = row_count(staged) == command.rows;
    loop {
        let command = *command;
        let locked = database.command(move |conn| {
            locks::lock_catalogue(conn)?;
            if let Some(current) = current(conn)? {
                return Ok(Err(Some(current)));
            }
            if locks::lock_import(conn, import)?.is_none() {
                return Ok(Err(None));
            }
            let acting = acting(conn, command.by)?;
            if is_complete {
                decide_staff(command.by, acting.as_ref())?;
                diesel::update(product_imports::table.find(import.get()))
                    .set((
                        product_imports::state.eq(CHECKING),
                        product_imports::actor_id.eq(command.by.map(UserId::get)),
                        product_imports::applied_at.eq(micros(command.at)),
                    ))
                    .execute(conn)?;
            }
            Ok(Ok(()))
        });
        match locked {
            Ok(Ok(())) if is_complete => return Ok(Ok(())),
            Ok(Ok(())) => return Ok(Err(ProductImportRefusal::Incomplete)),
            Ok(Err(None)) => return Ok(Err(ProductImportRefusal::Superseded)),
            Ok(Err(Some(current))) if current == import => return Ok(Ok(())),
            Ok(Err(Some(current))) => complete(database, current)?,
            Err(Error::Refused(refusal)) => return Ok(Err(refusal.into())),
            Err(error) => return Err(crate::failure::without_refusal(error)),
        }
    }
}

/// Checks an import that is locked, and writes it.
fn run(
    database: &Database,
    import: ProductImportId,
    progress: &dyn Progress,
) -> Staged<ImportCounts> {
    let (counts, problems) = persist(|| check(database, import, progress))?;
    if !problems.is_empty() && persist(|| end_unchanged(database, import))? {
        return Ok(Err(ProductImportRefusal::Invalid(problems)));
    }
    persist(|| set_state(database, import, APPLYING, 0))?;
    let differing = counts.created.saturating_add(counts.changed);
    progress.begin("Writing lines", Some(differing));
    let mut written = 0_u64;
    while let Some(rows) = persist(|| step(database, import))? {
        written = written.saturating_add(rows);
        progress.advance(written.min(differing));
    }
    Ok(Ok(counts))
}

/// Tries a step of an import again while the database is busy or unavailable, and after a commit
/// whose outcome is unknown: a step that was taken is not taken twice.
fn persist<T>(step: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut tries = 1;
    loop {
        match step() {
            Err(error)
                if tries < TRIES
                    && (error.kind().retryable()
                        || *error.kind() == StoreErrorKind::OutcomeUnknown) =>
            {
                tries += 1;
                sleep(PAUSE);
            }
            result => return result,
        }
    }
}

/// Decides every row that differs, by the current products.
fn check(
    database: &Database,
    import: ProductImportId,
    progress: &dyn Progress,
) -> Result<(ImportCounts, ProblemList), StoreError> {
    let currency = database.currency();
    let (mut counts, mut problems) = (ImportCounts::default(), ProblemList::default());
    let (mut last, mut done, mut shown) = (0, 0_u64, 0);
    progress.begin("Checking lines", None);
    loop {
        let decided = database.snapshot(move |conn| {
            locks::plan_product_import(conn)?;
            let Some(row) = find(conn, import)?.filter(|row| row.state == CHECKING) else {
                return Ok(None);
            };
            let after = rows::line.gt(last);
            let staged: Vec<StagedRow> = differing!(import, after)
                .limit(CHUNK)
                .select(StagedRow::as_select())
                .load(conn)?;
            let Some(end) = staged.last().map(|row| row.line) else {
                return Ok(None);
            };
            Ok(Some((end, decide(conn, &row, staged, currency)?)))
        })?;
        let Some((end, decided)) = decided else {
            return Ok((counts, problems));
        };
        last = end;
        counts = counts.plus(decided.counts());
        problems.merge(&decided.problems);
        done = done.saturating_add(u64::try_from(decided.effects.len()).unwrap_or_default());
        progress.advance(done);
        if done.saturating_sub(shown) >= CHECKED {
            shown = done;
            set_state(database, import, CHECKING, end)?;
        }
    }
}

fn find(conn: &mut Conn, import: ProductImportId) -> QueryResult<Option<ProductImportRow>> {
    let row = product_imports::table
        .find(import.get())
        .select(ProductImportRow::as_select());
    row.first(conn).optional()
}

/// Decides staged rows by the products of their skus.
fn decide(
    conn: &mut Conn,
    import: &ProductImportRow,
    staged: Vec<StagedRow>,
    currency: Currency,
) -> Result<ProductsDecision, Failure> {
    let (by, at) = import.origin()?;
    let account = match by {
        Some(user) => identity::accounts(conn, &[user.get()])?.remove(&user),
        None => None,
    };
    let acting = account.map(acting_since_the_beginning);
    let terms = ImportTerms {
        by: acting.as_ref().map(|account| account.id),
        acting: acting.as_ref(),
        currency,
        at,
    };
    let rows = with_products(conn, staged, currency)?;
    Ok(decide_product_rows(&rows, &terms)?)
}

/// Ends an import that has written nothing; whether it is so.
fn end_unchanged(database: &Database, import: ProductImportId) -> Result<bool, StoreError> {
    database.write(move |conn| {
        let row = product_imports::table
            .find(import.get())
            .filter(product_imports::state.eq(CHECKING));
        Ok(diesel::delete(row).execute(conn)? == 1)
    })
}

/// Stores the state and the last line of an import that has written nothing.
fn set_state(
    database: &Database,
    import: ProductImportId,
    state: &'static str,
    line: i64,
) -> Result<(), StoreError> {
    database.write(move |conn| {
        let row = product_imports::table
            .find(import.get())
            .filter(product_imports::state.eq(CHECKING));
        diesel::update(row)
            .set((
                product_imports::state.eq(state),
                product_imports::last_line.eq(line),
            ))
            .execute(conn)?;
        Ok(())
    })
}

/// Takes the next step; returns the number of its rows, or `None` if the import has ended.
fn step(database: &Database, import: ProductImportId) -> Result<Option<u64>, StoreError> {
    // The rows are found outside of the transaction that writes them: there may be a few among a
    // million.
    let next = database.snapshot(move |conn| {
        locks::plan_product_import(conn)?;
        let Some(row) = find(conn, import)?.filter(|row| row.state == APPLYING) else {
            return Ok(None);
        };
        let after = rows::line.gt(row.last_line);
        let next = differing!(import, after).limit(CHUNK).select(rows::line);
        Ok(Some((row.last_line, next.load::<i64>(conn)?)))
    })?;
    let Some((after, lines)) = next else {
        return Ok(None);
    };
    let (began, currency) = (Instant::now(), database.currency());
    let count = u64::try_from(lines.len()).unwrap_or_default();
    database.write(move |conn| write(conn, import, after, &lines, currency))?;
    locks::give_way(began.elapsed());
    Ok(Some(count))
}

/// Writes these rows, the next ones after a line; ends the import if there is none. Does nothing if
/// another process has done it.
fn write(
    conn: &mut Conn,
    import: ProductImportId,
    after: i64,
    lines: &[i64],
    currency: Currency,
) -> Result<(), Failure> {
    let row = locks::lock_import(conn, import)?;
    let Some(row) = row.filter(|row| row.state == APPLYING && row.last_line == after) else {
        return Ok(());
    };
    let stored = product_imports::table.find(import.get());
    let Some(end) = lines.last() else {
        diesel::delete(stored).execute(conn)?;
        return Ok(());
    };
    locks::plan_product_import(conn)?;
    let these = id_in(rows::line, lines);
    let staged: Vec<(StagedRow, Option<i64>)> = differing!(import, these)
        .select((StagedRow::as_select(), products::id.nullable()))
        .load(conn)?;
    let ids = staged.iter().filter_map(|(_, id)| ProductId::new((*id)?));
    locks::lock_imported_products(conn, &ids.collect::<Vec<_>>())?;
    let staged = staged.into_iter().map(|(staged, _)| staged).collect();
    let decided = decide(conn, &row, staged, currency)?;
    for problem in decided.problems.listed() {
        log::error!("a product was changed by another program during an import: {problem}");
    }
    search::defer_indexing(conn)?;
    prelude::apply(conn, decided.decision)?;
    search::resume_indexing(conn)?;
    diesel::update(stored)
        .set(product_imports::last_line.eq(*end))
        .execute(conn)?;
    Ok(())
}
