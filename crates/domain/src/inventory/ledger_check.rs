//! Kept results of ledger checks: a staff user sees when the ledger was last proven, on any server
//! and after a restart.

use crate::inventory::Audit;
use crate::kernel::ProductId;
use chrono::{DateTime, TimeDelta, Utc};

/// Age at which the stock check is due again.
const CHECK_INTERVAL: TimeDelta = TimeDelta::days(1);

/// Discrepancies that are kept as sentences.
const KEPT: usize = 20;

/// Kind of a ledger check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerCheckKind {
    /// Units on hand against the sum of the movements, product by product.
    Stock,
    /// The audit of the whole ledger, in one snapshot.
    Whole,
}

impl LedgerCheckKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Stock, Self::Whole];

    /// The stored word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Whole => "whole",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Result of a ledger check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCheck {
    /// Its kind.
    pub kind: LedgerCheckKind,
    /// When it began.
    pub at: DateTime<Utc>,
    /// Number of checked products.
    pub products: u64,
    /// Number of checked orders.
    pub orders: u64,
    /// Number of checked movements.
    pub movements: u64,
    /// Number of discrepancies.
    pub discrepancies: u64,
    /// The first discrepancies, as sentences of one line.
    pub first: Vec<String>,
}

impl LedgerCheck {
    /// The result of an audit that began at this time.
    #[must_use]
    pub fn new(kind: LedgerCheckKind, at: DateTime<Utc>, audit: &Audit) -> Self {
        let first = audit.discrepancies.iter().take(KEPT);
        Self {
            kind,
            at,
            products: audit.products,
            orders: audit.orders,
            movements: audit.movements,
            discrepancies: u64::try_from(audit.discrepancies.len()).unwrap_or(u64::MAX),
            first: first
                .map(|discrepancy| discrepancy.to_string().replace(['\r', '\n'], " "))
                .collect(),
        }
    }

    /// Whether no discrepancy was found.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.discrepancies == 0
    }
}

/// Decides whether the stock check is due, given the time of the last one. One from the future,
/// before the clock was set back, does not delay it.
#[must_use]
pub fn decide_stock_check(last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    last.is_none_or(|last| last > now || now.signed_duration_since(last) >= CHECK_INTERVAL)
}

/// A part of the stock check: some products in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockAudit {
    /// The products, their movements and the discrepancies.
    pub audit: Audit,
    /// The last checked product; `None` if no products were left.
    pub last: Option<ProductId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Discrepancy;
    use crate::testing::{at, product_id};

    #[test]
    fn the_stock_is_checked_once_a_day() {
        const DAY: i64 = 86_400;
        for (last, now, due) in [
            (None, 0, true),
            (Some(0), DAY - 1, false),
            (Some(0), DAY, true),
            (Some(5), 4, true),
        ] {
            assert_eq!(decide_stock_check(last.map(at), at(now)), due, "{last:?}");
        }
    }

    #[test]
    fn a_result_keeps_the_first_discrepancies() {
        let wrong = Discrepancy::Damaged {
            what: "two\nlines".to_owned(),
        };
        let audit = Audit {
            products: 3,
            discrepancies: vec![wrong; 25],
            ..Audit::default()
        };
        let check = LedgerCheck::new(LedgerCheckKind::Whole, at(0), &audit);
        assert_eq!((check.discrepancies, check.first.len()), (25, KEPT));
        assert_eq!(check.first[0], "the database says: two lines");
        assert!(!check.is_right());
        let stock = StockAudit {
            last: Some(product_id(1)),
            ..StockAudit::default()
        };
        assert!(LedgerCheck::new(LedgerCheckKind::Stock, at(0), &stock.audit).is_right());
        for kind in LedgerCheckKind::ALL {
            assert_eq!(LedgerCheckKind::parse(kind.as_str()), Some(kind));
        }
    }
}
