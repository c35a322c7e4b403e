use super::problem::ProblemList;
use super::rules::{ImportCounts, ProductRow};
use crate::catalog::Product;
use crate::kernel::{Progress, Refusal, StoreError, UserId};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Id of an import of products. The newest one is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductImportId(i64);

impl ProductImportId {
    /// The id with this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number, for storage.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// Command: apply the staged rows of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplyProducts {
    /// The import.
    pub import: ProductImportId,
    /// Number of staged rows.
    pub rows: u64,
    /// The acting user; `None` for the shop itself (the command line).
    pub by: Option<UserId>,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Why an import is refused. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProductImportRefusal {
    /// A newer import replaced this one.
    #[error(
        "Another import of products began after this one, or this one was applied already. \
         Nothing was changed by this one: run it again when no other import is under way."
    )]
    Superseded,
    /// Staged rows are missing: those of an unlogged table end with a crash of PostgreSQL.
    #[error("The database no longer has every row of the file. Nothing was changed: run it again.")]
    Incomplete,
    /// Rows have problems.
    #[error("Nothing was imported: {} of the rows.", problems(.0))]
    Invalid(ProblemList),
    /// The acting user may not import.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

fn problems(list: &ProblemList) -> String {
    match list.count() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    }
}

/// Result of a step of an import, unless the store failed.
pub type Staged<T> = Result<Result<T, ProductImportRefusal>, StoreError>;

/// Product import repository: stages the rows of a file, and applies them, all or none.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_domain::import::products::ApplyProducts;
/// # use tradepost_domain::kernel::NoProgress;
/// # use tradepost_memory::MemoryStore;
/// # use std::sync::Arc;
/// let store = Stores::from(MemoryStore::new(usd()));
/// let import = store.product_imports.begin(at(0))?;
/// let command = ApplyProducts { import, rows: 0, by: None, at: at(1) };
/// let counts = store.product_imports.apply(command, Arc::new(NoProgress))?;
/// assert_eq!(counts, Ok(Default::default()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait ProductImportRepository: Send + Sync {
    /// Begins an import. Earlier imports end: those that are being applied are completed.
    ///
    /// MUST keep an ended import from staging and from being applied
    /// (`a_newer_product_import_replaces_an_older_one`).
    ///
    /// # Errors
    /// If the store fails.
    fn begin(&self, at: DateTime<Utc>) -> Result<ProductImportId, StoreError>;

    /// Stages rows, whose lines are greater than those staged before.
    ///
    /// # Errors
    /// If the store fails.
    fn stage(&self, import: ProductImportId, rows: Arc<[ProductRow]>) -> Staged<()>;

    /// The staged rows after a line, at most this many, by ascending line, each with the current
    /// product of its sku, archived or not.
    ///
    /// MUST give each row once (`staged_rows_are_read_with_their_products`).
    ///
    /// # Errors
    /// If the store fails.
    fn staged(
        &self,
        import: ProductImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(ProductRow, Option<Product>)>, StoreError>;

    /// The lines of rows whose sku an earlier row has, with the first line of the sku, at most this
    /// many, by ascending line; and the number of all of them.
    ///
    /// MUST find every such row (`rows_of_one_sku_are_found`).
    ///
    /// # Errors
    /// If the store fails.
    fn repeated_skus(
        &self,
        import: ProductImportId,
        limit: u32,
    ) -> Result<(Vec<(u64, u64)>, u64), StoreError>;

    /// Applies the staged rows, as [`decide_product_rows`](super::decide_product_rows) decides them
    /// by the current products, and ends the import. A store may write the rows in steps, so that
    /// orders pass in between: then it decides every row before it writes one, and an edit of a
    /// product conflicts until the import has ended.
    ///
    /// MUST write all rows or none (`a_refused_product_import_writes_nothing`), also if the caller
    /// ends halfway: [`tidy`](Self::tidy) and [`begin`](Self::begin) complete the import
    /// (`an_interrupted_product_import_is_completed`). MUST write the movements
    /// of the stock that it sets (`imported_stock_is_in_the_ledger`), change nothing if every
    /// product has its values already (`the_same_products_twice_change_nothing`), decide by the
    /// account of the acting user (`products_are_imported_by_current_staff`), and exclude
    /// concurrent orders (`a_product_import_races_orders`) and edits
    /// (`a_product_import_races_an_edit`) of the same products.
    ///
    /// # Errors
    /// If the store fails.
    fn apply(&self, command: ApplyProducts, progress: Arc<dyn Progress>) -> Staged<ImportCounts>;

    /// Ends an import without applying it.
    ///
    /// # Errors
    /// If the store fails.
    fn discard(&self, import: ProductImportId) -> Result<(), StoreError>;

    /// The import that is being applied, and the last line that was checked or written. It does not
    /// change while no process applies the import.
    ///
    /// # Errors
    /// If the store fails.
    fn applying(&self) -> Result<Option<(ProductImportId, u64)>, StoreError>;

    /// Completes an import that is being applied, whose process may have ended; deletes some staged
    /// rows of ended imports; completes some of the work that an applied import deferred. Whether
    /// any of it may remain.
    ///
    /// # Errors
    /// If the store fails.
    fn tidy(&self) -> Result<bool, StoreError>;
}
