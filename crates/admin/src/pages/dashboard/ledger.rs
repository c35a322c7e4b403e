//! The results of ledger checks, as sentences.

use crate::format::count;
use chrono::{DateTime, Utc};
use tradepost_domain::inventory::{LedgerCheck, LedgerCheckKind};

/// A result of a ledger check.
pub(super) struct ShownCheck {
    pub(super) is_right: bool,
    pub(super) sentence: String,
    /// When the check began.
    pub(super) at: DateTime<Utc>,
    /// The first discrepancies.
    pub(super) discrepancies: Vec<String>,
}

impl ShownCheck {
    pub(super) fn new(check: &LedgerCheck) -> Self {
        let (products, movements) = (counted(check.products), counted(check.movements));
        let (subject, read) = match check.kind {
            LedgerCheckKind::Stock => (
                "The stock",
                format!("{products} products were compared with their {movements} movements."),
            ),
            LedgerCheckKind::Whole => {
                let orders = counted(check.orders);
                let read = format!(
                    "{products} products, {orders} orders and {movements} movements were read."
                );
                ("The whole ledger", read)
            }
        };
        let result = match check.discrepancies {
            0 => "is right".to_owned(),
            1 => "is wrong in one place".to_owned(),
            places => format!("is wrong in {} places", counted(places)),
        };
        Self {
            is_right: check.is_right(),
            sentence: format!("{subject} {result}: {read}"),
            at: check.at,
            discrepancies: check.first.clone(),
        }
    }
}

fn counted(number: u64) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
}
