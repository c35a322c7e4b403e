use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_domain::inventory::{Audit, Discrepancy, Ledger, LedgerCheck, LedgerCheckKind};
use tradepost_domain::kernel::{OrderId, StoreError};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn confesses(_: &Store) -> Result<Audit, StoreError> {
    let order = OrderId::new(1).unwrap();
    Ok(Audit {
        discrepancies: vec![Discrepancy::NoLines { order }],
        ..Audit::default()
    })
}

pub(crate) const ROWS: &[Row] = &[
    (
        "begins each part of the stock check at the beginning",
        Behaviour {
            audit_stock: |store, _, limit| store.audit_stock(None, limit),
            ..HONEST
        },
        &["stock_is_checked_in_parts"],
    ),
    (
        "keeps one result for all kinds of ledger checks",
        Behaviour {
            record_check: |store, check| {
                let kind = LedgerCheckKind::Whole;
                store.record_check(&LedgerCheck {
                    kind,
                    ..check.clone()
                })
            },
            ..HONEST
        },
        &["the_last_ledger_checks_are_kept"],
    ),
    (
        "keeps wrong books",
        Behaviour {
            audit: confesses,
            ..HONEST
        },
        &[
            "an_empty_batch_does_nothing",
            "an_unknown_product_is_absent",
        ],
    ),
];
