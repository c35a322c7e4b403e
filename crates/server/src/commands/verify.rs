//! `tradepost verify`: the ledger audit.

use crate::config::Config;
use crate::exit::CliError;
use crate::system::console::{count, print_line};
use crate::system::progress::ProgressReport;
use crate::wiring;
use tradepost_domain::Stores;
use tradepost_domain::inventory::Audit;
use tradepost_domain::kernel::StoreError;

pub(super) fn run(config: &Config) -> Result<(), CliError> {
    let stores = wiring::open(config, wiring::unfixed(config))?;
    report(&audit(&stores)?)
}

/// Runs the ledger audit, with its progress.
pub(super) fn audit(stores: &Stores) -> Result<Audit, StoreError> {
    let _progress = ProgressReport::of("Checking the books", None, || None);
    stores.ledger.audit()
}

/// Prints the result of a ledger audit.
///
/// # Errors
/// If the audit found a discrepancy.
pub(super) fn report(audit: &Audit) -> Result<(), CliError> {
    let looked_at = [
        count(audit.products, "product"),
        count(audit.orders, "order"),
        count(audit.movements, "movement"),
    ]
    .join(", ");
    if audit.discrepancies.is_empty() {
        print_line(format_args!("The books are right: {looked_at}."));
        return Ok(());
    }
    for discrepancy in &audit.discrepancies {
        print_line(discrepancy);
    }
    let wrong = count(audit.discrepancies.len(), "difference");
    Err(CliError::Failed(format!(
        "The books are wrong: {wrong} in {looked_at}."
    )))
}
