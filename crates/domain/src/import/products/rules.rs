//! The rules of a product import: the effect of each row on the product with its sku.

use super::problem::{ProblemList, RowFault, RowProblem};
use crate::catalog::{
    ChangeProduct, CreateProduct, MeasureChanges, Measures, Price, Product, ProductChange,
    ProductDraft, decide_change, decide_creation,
};
use crate::decision::Decision;
use crate::identity::{Account, decide_staff};
use crate::inventory::StockLevel;
use crate::kernel::{Currency, Description, Note, ProductName, Refusal, Sku, UserId};
use chrono::{DateTime, Utc};

/// Note of the movements by which an import sets stock.
const NOTE: &str = "import";

/// A row of a file of products. `None` leaves a field of the product unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRow {
    /// The line of the file on which the row begins, from 1.
    pub line: u64,
    /// The key: the product with this sku is changed, or created.
    pub sku: Sku,
    /// Name.
    pub name: Option<ProductName>,
    /// Description.
    pub description: Option<Description>,
    /// Unit price.
    pub price: Option<Price>,
    /// Units on hand, regardless of the current level.
    pub stock: Option<StockLevel>,
    /// Measures, such as the shipping weight.
    pub measures: MeasureChanges,
    /// Whether the product is archived.
    pub archived: Option<bool>,
}

impl ProductRow {
    /// A row that changes nothing.
    #[must_use]
    pub fn new(line: u64, sku: Sku) -> Self {
        Self {
            line,
            sku,
            name: None,
            description: None,
            price: None,
            stock: None,
            measures: MeasureChanges::default(),
            archived: None,
        }
    }

    fn change(&self) -> ProductChange {
        ProductChange {
            sku: None,
            name: self.name.clone(),
            description: self.description.clone(),
            price: self.price,
            stock: self.stock,
            adjustment: None,
            measures: self.measures,
            low_stock: None,
            archived: self.archived,
        }
    }

    /// Whether the product has every value of the row.
    fn matches(&self, product: &Product) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, current: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == current)
        }
        same(self.name.as_ref(), &product.name)
            && same(self.description.as_ref(), &product.description)
            && same(self.price.as_ref(), &product.price)
            && same(self.stock.as_ref(), &product.stock)
            && self.measures.applied_to(product.measures) == product.measures
            && same(self.archived.as_ref(), &product.archived)
    }
}

/// Effect of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowEffect {
    /// It creates a product.
    Created,
    /// It changes a product.
    Changed,
    /// The product has these values already.
    Unchanged,
    /// An archived product that the shop does not have: it is not created.
    Skipped,
}

/// Number of rows by effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Products created.
    pub created: u64,
    /// Products changed.
    pub changed: u64,
    /// Rows whose products have their values already.
    pub unchanged: u64,
    /// Rows of archived products that the shop does not have.
    pub skipped: u64,
}

impl ImportCounts {
    /// Counts a row.
    pub fn count(&mut self, effect: RowEffect) {
        let count = match effect {
            RowEffect::Created => &mut self.created,
            RowEffect::Changed => &mut self.changed,
            RowEffect::Unchanged => &mut self.unchanged,
            RowEffect::Skipped => &mut self.skipped,
        };
        *count = count.saturating_add(1);
    }

    /// The sums of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            created: self.created.saturating_add(other.created),
            changed: self.changed.saturating_add(other.changed),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

/// The conditions of an import that are the same for every row.
#[derive(Debug, Clone, Copy)]
pub struct ImportTerms<'a> {
    /// The acting user; `None` for the shop itself (the command line).
    pub by: Option<UserId>,
    /// The account of the acting user, under the command's lock.
    pub acting: Option<&'a Account>,
    /// The shop's currency.
    pub currency: Currency,
    /// Time of the import.
    pub at: DateTime<Utc>,
}

/// The account of the acting user in the steps of an import that is being applied. Its role was
/// decided at the beginning: a change of it afterwards does not end the import halfway.
#[must_use]
pub fn acting_since_the_beginning(account: Account) -> Account {
    Account {
        is_staff: true,
        is_active: true,
        ..account
    }
}

/// The effect of some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductsDecision {
    /// The effect of each row without a problem, by its position.
    pub effects: Vec<(usize, RowEffect)>,
    /// The writes of all of them.
    pub decision: Decision<()>,
    /// Problems of the others.
    pub problems: ProblemList,
}

impl ProductsDecision {
    /// Number of rows by effect.
    #[must_use]
    pub fn counts(&self) -> ImportCounts {
        let mut counts = ImportCounts::default();
        let effects = self.effects.iter();
        effects.for_each(|(_, effect)| counts.count(*effect));
        counts
    }
}

/// Decides rows with different skus, each with the current product of its sku, by
/// [`decide_creation`] and [`decide_change`], as for an edit by staff. Stock is set by a movement
/// with the note `import`.
///
/// # Errors
/// As [`decide_staff`]. Problems of rows are listed in the decision.
pub fn decide_product_rows(
    rows: &[(ProductRow, Option<Product>)],
    terms: &ImportTerms<'_>,
) -> Result<ProductsDecision, Refusal> {
    decide_staff(terms.by, terms.acting)?;
    let mut decided = ProductsDecision {
        effects: Vec::with_capacity(rows.len()),
        decision: Decision::of(()),
        problems: ProblemList::default(),
    };
    for (position, (row, product)) in rows.iter().enumerate() {
        let outcome = match product {
            Some(product) => change(row, product, terms, &mut decided.decision),
            None => create(row, terms, &mut decided.decision),
        };
        match outcome {
            Ok(effect) => decided.effects.push((position, effect)),
            Err(Wrong::Row(problems)) => decided.problems.extend(problems),
            Err(Wrong::Whole(refusal)) => return Err(refusal),
        }
    }
    Ok(decided)
}

/// Why a row is not imported.
enum Wrong {
    Row(Vec<RowProblem>),
    Whole(Refusal),
}

impl Wrong {
    fn refused(row: &ProductRow, refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(errors) => Self::Row(
                errors
                    .iter()
                    .map(|(field, error)| RowProblem::new(row.line, field, error.clone()))
                    .collect(),
            ),
            other => Self::Whole(other),
        }
    }
}

fn create(
    row: &ProductRow,
    terms: &ImportTerms<'_>,
    into: &mut Decision<()>,
) -> Result<RowEffect, Wrong> {
    if row.archived == Some(true) {
        return Ok(RowEffect::Skipped);
    }
    let needed = |column| RowProblem::new(row.line, column, RowFault::NeededByNew);
    let (Some(name), Some(price)) = (&row.name, row.price) else {
        let name = row.name.is_none().then(|| needed("name"));
        let price = row.price.is_none().then(|| needed("price"));
        return Err(Wrong::Row(name.into_iter().chain(price).collect()));
    };
    let command = CreateProduct {
        draft: ProductDraft {
            sku: Some(row.sku.clone()),
            name: name.clone(),
            description: row.description.clone().unwrap_or_default(),
            price,
            stock: row.stock.unwrap_or(StockLevel::ZERO),
            measures: row.measures.applied_to(Measures::default()),
            low_stock: None,
        },
        key: None,
        by: terms.by,
        at: terms.at,
    };
    let decision = decide_creation(&command, terms.acting, None, terms.currency)
        .map_err(|refusal| Wrong::refused(row, refusal))?;
    merge(decision, into);
    Ok(RowEffect::Created)
}

fn change(
    row: &ProductRow,
    product: &Product,
    terms: &ImportTerms<'_>,
    into: &mut Decision<()>,
) -> Result<RowEffect, Wrong> {
    if product.archived && row.archived != Some(false) {
        let stays = row.archived == Some(true) && row.matches(product);
        return match stays {
            true => Ok(RowEffect::Unchanged),
            false => {
                let archived = RowProblem::new(row.line, "sku", RowFault::Archived);
                Err(Wrong::Row(vec![archived]))
            }
        };
    }
    if row.matches(product) {
        return Ok(RowEffect::Unchanged);
    }
    let command = ChangeProduct {
        product: product.id,
        change: row.change(),
        seen: None,
        by: terms.by,
        at: terms.at,
    };
    let decision = decide_change(&command, terms.acting, Some(product), None, terms.currency)
        .map_err(|refusal| Wrong::refused(row, refusal))?;
    merge(decision, into);
    Ok(RowEffect::Changed)
}

/// Adds the writes of a row.
fn merge<T>(decision: Decision<T>, into: &mut Decision<()>) {
    let changes = &mut into.changes;
    changes.new_products.extend(decision.changes.new_products);
    changes.products.extend(decision.changes.products);
    into.events.extend(decision.events);
    let noted = decision.movements.into_iter().map(|mut movement| {
        movement.note = Note::new(NOTE).ok();
        movement
    });
    into.movements.extend(noted);
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
