use crate::{Defect, MemoryStore, State, count};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use tradepost_domain::catalog::Product;
use tradepost_domain::decision::Decision;
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ImportTerms, ProductImportId, ProductImportRefusal,
    ProductImportRepository, ProductRow, ProductsDecision, Staged, decide_product_rows,
};
use tradepost_domain::kernel::{Progress, StoreError};

/// The rows of the current import, by line.
#[derive(Default)]
pub(crate) struct StagedProducts {
    last: i64,
    current: Option<(ProductImportId, BTreeMap<u64, ProductRow>)>,
}

impl StagedProducts {
    fn rows(&mut self, import: ProductImportId) -> Option<&mut BTreeMap<u64, ProductRow>> {
        let current = self.current.as_mut().filter(|(id, _)| *id == import);
        current.map(|(_, rows)| rows)
    }
}

impl ProductImportRepository for MemoryStore {
    fn begin(&self, _: DateTime<Utc>) -> Result<ProductImportId, StoreError> {
        let staged = &mut self.lock().staged_products;
        staged.last += 1;
        let import = ProductImportId::new(staged.last);
        staged.current = Some((import, BTreeMap::new()));
        Ok(import)
    }

    fn stage(&self, import: ProductImportId, rows: Arc<[ProductRow]>) -> Staged<()> {
        let mut state = self.lock();
        let Some(staged) = state.staged_products.rows(import) else {
            return Ok(Err(ProductImportRefusal::Superseded));
        };
        staged.extend(rows.iter().map(|row| (row.line, row.clone())));
        Ok(Ok(()))
    }

    fn staged(
        &self,
        import: ProductImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(ProductRow, Option<Product>)>, StoreError> {
        let mut state = self.lock();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let first = after.saturating_add(1);
        let staged = state.staged_products.rows(import);
        let rows = staged.map(|rows| rows.range(first..).take(limit));
        let rows: Vec<ProductRow> = rows
            .into_iter()
            .flatten()
            .map(|(_, row)| row.clone())
            .collect();
        Ok(state.with_products(rows))
    }

    fn repeated_skus(
        &self,
        import: ProductImportId,
        limit: u32,
    ) -> Result<(Vec<(u64, u64)>, u64), StoreError> {
        let mut state = self.lock();
        let mut first = BTreeMap::new();
        let mut repeated = Vec::new();
        for row in state
            .staged_products
            .rows(import)
            .into_iter()
            .flat_map(|rows| rows.values())
        {
            match first.get(row.sku.as_str()) {
                Some(line) => repeated.push((*line, row.line)),
                None => drop(first.insert(row.sku.as_str(), row.line)),
            }
        }
        let number = count(repeated.len());
        repeated.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok((repeated, number))
    }

    fn apply(&self, command: ApplyProducts, _: Arc<dyn Progress>) -> Staged<ImportCounts> {
        let mut state = self.lock();
        let Some(rows) = state.staged_products.rows(command.import) else {
            return Ok(Err(ProductImportRefusal::Superseded));
        };
        if count(rows.len()) != command.rows {
            return Ok(Err(ProductImportRefusal::Incomplete));
        }
        let rows = rows.values().cloned().collect();
        let rows = state.with_products(rows);
        let terms = ImportTerms {
            by: command.by,
            acting: state.acting(command.by),
            currency: self.currency,
            at: command.at,
        };
        let decided = match decide_product_rows(&rows, &terms) {
            Ok(decided) => decided,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        if !decided.problems.is_empty() {
            return Ok(Err(ProductImportRefusal::Invalid(decided.problems)));
        }
        let counts = decided.counts();
        state.apply_products(decided)?;
        state.staged_products.current = None;
        Ok(Ok(counts))
    }

    fn discard(&self, import: ProductImportId) -> Result<(), StoreError> {
        let staged = &mut self.lock().staged_products;
        if staged.rows(import).is_some() {
            staged.current = None;
        }
        Ok(())
    }

    /// An import is applied under the lock of the store.
    fn applying(&self) -> Result<Option<(ProductImportId, u64)>, StoreError> {
        Ok(None)
    }

    fn tidy(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
}

impl State {
    /// Rows with the current product of their sku.
    fn with_products(&self, rows: Vec<ProductRow>) -> Vec<(ProductRow, Option<Product>)> {
        let by_sku: BTreeMap<_, _> = self
            .products
            .values()
            .filter_map(|product| Some((product.sku.as_ref()?.as_str(), product)))
            .collect();
        rows.into_iter()
            .map(|row| {
                let product = by_sku.get(row.sku.as_str());
                let product = product.map(|product| Product::clone(product));
                (row, product)
            })
            .collect()
    }

    fn apply_products(&mut self, decided: ProductsDecision) -> Result<(), StoreError> {
        let Decision {
            changes,
            movements,
            events,
            ..
        } = decided.decision;
        let skus = changes.new_products.iter().map(|new| new.draft.sku.clone());
        let mut seen = std::collections::BTreeSet::new();
        if !skus
            .flatten()
            .all(|sku| seen.insert(sku.as_str().to_owned()))
        {
            return Err(Defect("the rows of an import have different skus").into());
        }
        self.apply(Decision {
            outcome: (),
            changes,
            movements,
            events,
        })
    }
}
