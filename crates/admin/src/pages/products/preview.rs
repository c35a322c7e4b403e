//! The preview of an import of products: columns, counts, the first lines, and problems.

use crate::format::count;
use crate::page::Page;
use askama::Template;
use std::borrow::Borrow;
use tradepost_domain::import::products::{
    ImportCounts, ProductRow, ReviewedImport, RowEffect, RowProblem, StagedImport,
};
use tradepost_product_csv::Report;

/// A reviewed file.
pub(super) struct Review {
    reviewed: ReviewedImport,
    report: Report,
    /// Whether its stock is set; `None` if it has none.
    sets_stock: Option<bool>,
}

impl Review {
    pub(super) fn new(reviewed: ReviewedImport, report: &Report, sets_stock: Option<bool>) -> Self {
        Self {
            reviewed,
            report: report.clone(),
            sets_stock,
        }
    }

    pub(super) fn staged(&self) -> Option<StagedImport> {
        self.reviewed.staged
    }

    fn problems(&self) -> &[RowProblem] {
        self.reviewed.problems.listed()
    }

    pub(super) fn has_problems(&self) -> bool {
        !self.reviewed.problems.is_empty()
    }
}

#[derive(Template)]
#[template(path = "products/preview.html")]
pub(super) struct Preview<'a> {
    page: &'a Page,
    review: &'a Review,
    problems: u64,
    listed: usize,
    /// The import, for the form that applies it.
    staged: Option<String>,
    sample: Vec<Line>,
}

/// A line of the sample. Fields that it leaves unchanged are empty.
struct Line {
    number: u64,
    sku: String,
    name: String,
    price: String,
    stock: String,
    effect: &'static str,
    class: &'static str,
}

impl<'a> Preview<'a> {
    pub(super) fn new(page: &'a Page, review: &'a Review, staged: Option<String>) -> Self {
        let reviewed = &review.reviewed;
        let line = |(row, effect): &(ProductRow, RowEffect)| Line {
            number: row.line,
            sku: row.sku.to_string(),
            name: row
                .name
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            price: row
                .price
                .map_or_else(String::new, |price| page.money(price.money())),
            stock: row
                .stock
                .map_or_else(String::new, |stock| page.count(stock.units())),
            effect: word(*effect),
            class: match effect {
                RowEffect::Created | RowEffect::Changed => "good",
                RowEffect::Unchanged | RowEffect::Skipped => "muted",
            },
        };
        Self {
            page,
            review,
            problems: reviewed.problems.count(),
            listed: reviewed.problems.listed().len(),
            staged,
            sample: reviewed.sample.iter().map(line).collect(),
        }
    }

    fn counts(&self) -> ImportCounts {
        self.review.reviewed.counts
    }

    /// Whether the import would change anything.
    fn changes(&self) -> bool {
        self.counts().created > 0 || self.counts().changed > 0
    }

    /// Whether there are more problems than are listed.
    fn is_cut(&self) -> bool {
        u64::try_from(self.listed).is_ok_and(|listed| listed < self.problems)
    }

    fn separator(&self) -> &'static str {
        match self.review.report.separator {
            ';' => "semicolons",
            '\t' => "tabs",
            _ => "commas",
        }
    }

    /// Other columns that have values, with the number of their rows.
    fn ignored(&self) -> Vec<(String, u64)> {
        let columns = self.review.report.ignored.iter();
        let shown = columns.map(|(name, rows)| (name.chars().take(40).collect(), *rows));
        shown.collect()
    }

    /// Rows that are no products, by the reason.
    fn passed_over(&self) -> Vec<(&'static str, u64)> {
        let reasons = self.review.report.passed_over.iter();
        reasons.map(|(reason, rows)| (*reason, *rows)).collect()
    }

    fn number(&self, number: impl Borrow<u64>) -> String {
        count(*number.borrow())
    }

    fn rows(&self, rows: impl Borrow<u64>) -> String {
        match *rows.borrow() {
            1 => "1 row".to_owned(),
            rows => format!("{} rows", count(rows)),
        }
    }
}

fn word(effect: RowEffect) -> &'static str {
    match effect {
        RowEffect::Created => "new",
        RowEffect::Changed => "changed",
        RowEffect::Unchanged => "unchanged",
        RowEffect::Skipped => "skipped",
    }
}

/// The numbers of rows as a part of a sentence.
pub(super) fn counted(counts: ImportCounts) -> String {
    let skipped = match counts.skipped {
        0 => String::new(),
        rows => format!(", {} skipped", count(rows)),
    };
    format!(
        "{} new, {} changed, {} unchanged{skipped}",
        count(counts.created),
        count(counts.changed),
        count(counts.unchanged)
    )
}
