use super::problem::{ProblemList, RowFault, RowProblem};
use super::repository::{
    ApplyProducts, ProductImportId, ProductImportRefusal, ProductImportRepository,
};
use super::rules::{ImportCounts, ImportTerms, ProductRow, RowEffect, decide_product_rows};
use crate::kernel::{Actor, Clock, Currency, Progress, Refusal, StoreError, UserId};
use std::sync::Arc;

/// Rows per transaction: few enough for short locks and little memory, and enough to make the cost
/// of a commit small.
const CHUNK: usize = 500;

/// The same as a limit of a query.
const CHUNK_LIMIT: u32 = 500;

/// Bytes of texts per transaction: descriptions may have 10,000 characters.
const CHUNK_BYTES: usize = 1 << 20;

/// The origin of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportedBy {
    /// The operator, on the command line.
    Operator,
    /// A signed-in user. Only staff may import.
    Actor(Actor),
}

impl ImportedBy {
    fn user(self) -> Result<Option<UserId>, Refusal> {
        match self {
            Self::Operator => Ok(None),
            Self::Actor(actor) => actor.staff().map(Some),
        }
    }
}

/// Error of staging: of the source of the rows, or of the store.
#[derive(Debug, thiserror::Error)]
pub enum StageError<E> {
    /// The source failed.
    #[error(transparent)]
    Source(E),
    /// The import is refused.
    #[error(transparent)]
    Refused(#[from] ProductImportRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A staged import without problems, which can be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagedImport {
    /// Its id.
    pub import: ProductImportId,
    /// Number of staged rows.
    pub rows: u64,
}

/// The preview of an import: its effect on the current products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedImport {
    /// The import, to be applied; `None` if there are problems.
    pub staged: Option<StagedImport>,
    /// Number of rows by effect.
    pub counts: ImportCounts,
    /// The first rows, with their effect.
    pub sample: Vec<(ProductRow, RowEffect)>,
    /// Problems by line.
    pub problems: ProblemList,
}

/// Product import service: [`stage`](Self::stage) previews a file, [`apply`](Self::apply) imports it.
///
/// ```
/// # use std::convert::Infallible;
/// # use std::sync::Arc;
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_domain::import::products::{ImportedBy, ProductImports, ProductRow};
/// # use tradepost_domain::kernel::NoProgress;
/// # use tradepost_memory::MemoryStore;
/// let stores = Stores::from(MemoryStore::new(usd()));
/// let imports = ProductImports::new(stores.product_imports, system().clock, usd());
/// let mut row = ProductRow::new(2, "MUG".parse()?);
/// row.name = Some("Mug".parse()?);
/// row.price = Some(Price::parse("12.50", usd())?);
///
/// let by = ImportedBy::Operator;
/// let rows = [Ok::<_, Infallible>(Ok(row))];
/// let preview = imports.stage(by, rows.into_iter(), 10, &NoProgress)?;
/// assert_eq!(preview.counts.created, 1);
/// let staged = preview.staged.ok_or("problems")?;
/// let counts = imports.apply(by, staged, Arc::new(NoProgress))?;
/// assert_eq!(counts.created, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ProductImports {
    imports: Arc<dyn ProductImportRepository>,
    clock: Arc<dyn Clock>,
    currency: Currency,
}

impl ProductImports {
    /// The service over these ports, for a shop with this currency.
    #[must_use]
    pub fn new(
        imports: Arc<dyn ProductImportRepository>,
        clock: Arc<dyn Clock>,
        currency: Currency,
    ) -> Self {
        Self {
            imports,
            clock,
            currency,
        }
    }

    /// Stages the rows of a file and reviews them: the effect of the import, the first `sample`
    /// rows, and every problem. Nothing is changed. An import with problems is discarded.
    ///
    /// # Errors
    /// [`StageError`]; the import is then discarded.
    pub fn stage<E>(
        &self,
        by: ImportedBy,
        rows: impl Iterator<Item = Result<Result<ProductRow, RowProblem>, E>>,
        sample: usize,
        progress: &dyn Progress,
    ) -> Result<ReviewedImport, StageError<E>> {
        by.user().map_err(ProductImportRefusal::from)?;
        let import = self.imports.begin(self.clock.now())?;
        self.tidy()?;
        let reviewed = self.stage_all(import, rows, progress).and_then(|staged| {
            let (rows, problems) = staged;
            Ok(self.review(import, rows, problems, sample, progress)?)
        });
        match &reviewed {
            Ok(reviewed) if reviewed.staged.is_some() => {}
            _ => {
                // The rows are deleted at the latest by the next import.
                let _ = self.imports.discard(import).and_then(|()| self.tidy());
            }
        }
        reviewed
    }

    /// Stages every row; returns the number of rows and the problems of the others.
    fn stage_all<E>(
        &self,
        import: ProductImportId,
        rows: impl Iterator<Item = Result<Result<ProductRow, RowProblem>, E>>,
        progress: &dyn Progress,
    ) -> Result<(u64, ProblemList), StageError<E>> {
        let (mut staged, mut problems) = (0_u64, ProblemList::default());
        let (mut chunk, mut bytes) = (Vec::with_capacity(CHUNK), 0);
        progress.begin("Reading lines", None);
        for row in rows {
            match row.map_err(StageError::Source)? {
                Err(problem) => problems.push(problem),
                Ok(row) => {
                    bytes += row
                        .description
                        .as_ref()
                        .map_or(0, |text| text.as_str().len());
                    chunk.push(row);
                }
            }
            if chunk.len() >= CHUNK || bytes >= CHUNK_BYTES {
                staged = staged.saturating_add(self.stage_chunk(import, &mut chunk)?);
                bytes = 0;
                progress.advance(staged.saturating_add(problems.count()));
            }
        }
        staged = staged.saturating_add(self.stage_chunk(import, &mut chunk)?);
        progress.advance(staged.saturating_add(problems.count()));
        Ok((staged, problems))
    }

    fn stage_chunk<E>(
        &self,
        import: ProductImportId,
        chunk: &mut Vec<ProductRow>,
    ) -> Result<u64, StageError<E>> {
        let rows: Arc<[ProductRow]> = std::mem::take(chunk).into();
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if count > 0 {
            self.imports.stage(import, rows)??;
        }
        Ok(count)
    }

    /// Compares the staged rows with the current products.
    fn review(
        &self,
        import: ProductImportId,
        rows: u64,
        mut problems: ProblemList,
        sample: usize,
        progress: &dyn Progress,
    ) -> Result<ReviewedImport, Unreviewed> {
        let repeated = self.imports.repeated_skus(import, REPEATED)?;
        problems.extend(repeated.0.iter().map(|(first, line)| {
            let fault = RowFault::SameSku { line: *first };
            RowProblem::new(*line, "sku", fault)
        }));
        problems.count_unlisted(repeated.1.saturating_sub(count(repeated.0.len())));
        let terms = ImportTerms {
            by: None,
            acting: None,
            currency: self.currency,
            at: self.clock.now(),
        };
        let mut reviewed = ReviewedImport {
            staged: None,
            counts: ImportCounts::default(),
            sample: Vec::new(),
            problems,
        };
        progress.begin("Comparing lines", Some(rows));
        let (mut line, mut done) = (0, 0_u64);
        loop {
            let mut chunk = self.imports.staged(import, line, CHUNK_LIMIT)?;
            let Some((last, _)) = chunk.last() else { break };
            line = last.line;
            done = done.saturating_add(count(chunk.len()));
            let decided = decide_product_rows(&chunk, &terms)?;
            reviewed.counts = reviewed.counts.plus(decided.counts());
            reviewed.problems.merge(&decided.problems);
            let room = sample.saturating_sub(reviewed.sample.len());
            for (position, effect) in decided.effects.into_iter().take(room) {
                if let Some((row, _)) = chunk.get_mut(position) {
                    reviewed.sample.push((row.clone(), effect));
                }
            }
            progress.advance(done);
        }
        if done != rows {
            return Err(ProductImportRefusal::Incomplete.into());
        }
        if reviewed.problems.is_empty() {
            reviewed.staged = Some(StagedImport { import, rows });
        }
        Ok(reviewed)
    }

    /// Applies a staged import; returns the number of rows by effect, as the products are now.
    ///
    /// # Errors
    /// [`StageError`], of which the import has no source. If it is refused, nothing was changed. If
    /// the store failed, it may have been applied in part: then a server completes it, or the next
    /// import.
    pub fn apply(
        &self,
        by: ImportedBy,
        staged: StagedImport,
        progress: Arc<dyn Progress>,
    ) -> Result<ImportCounts, StageError<std::convert::Infallible>> {
        let command = ApplyProducts {
            import: staged.import,
            rows: staged.rows,
            by: by.user().map_err(ProductImportRefusal::from)?,
            at: self.clock.now(),
        };
        let applied = self.imports.apply(command, progress)??;
        // Its rows are deleted by the next import, if not now.
        let _ = self.tidy();
        // The skipped comparison of equal rows leaves them uncounted.
        let counted = applied.created + applied.changed + applied.skipped;
        let unchanged = staged.rows.saturating_sub(counted);
        Ok(ImportCounts {
            unchanged,
            ..applied
        })
    }

    /// Discards a staged import.
    ///
    /// # Errors
    /// If the store fails.
    pub fn discard(&self, staged: StagedImport) -> Result<(), StoreError> {
        self.imports.discard(staged.import)?;
        self.tidy()
    }

    fn tidy(&self) -> Result<(), StoreError> {
        while self.imports.tidy()? {}
        Ok(())
    }
}

/// Listed rows with a sku of an earlier row.
const REPEATED: u32 = 100;

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// Why a review failed.
enum Unreviewed {
    Refused(ProductImportRefusal),
    Store(StoreError),
}

impl From<ProductImportRefusal> for Unreviewed {
    fn from(refusal: ProductImportRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Refusal> for Unreviewed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<StoreError> for Unreviewed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<Unreviewed> for StageError<E> {
    fn from(unreviewed: Unreviewed) -> Self {
        match unreviewed {
            Unreviewed::Refused(refusal) => Self::Refused(refusal),
            Unreviewed::Store(error) => Self::Store(error),
        }
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
