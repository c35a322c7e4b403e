//! `tradepost verify`: the ledger audit.

use crate::config::Config;
use crate::console::{count, say};
use crate::exit::Exit;
use crate::shop;
use tradepost_domain::Audit;

pub(super) fn run(config: &Config) -> Result<(), Exit> {
    let stores = shop::open(config, shop::unfixed(config))?;
    report(&stores.ledger.audit()?)
}

/// Prints the result of a ledger audit.
///
/// # Errors
/// If the audit found a discrepancy.
pub(super) fn report(audit: &Audit) -> Result<(), Exit> {
    let looked_at = [
        count(audit.products, "product"),
        count(audit.orders, "order"),
        count(audit.movements, "movement"),
    ]
    .join(", ");
    if audit.discrepancies.is_empty() {
        say(format_args!("The books are right: {looked_at}."));
        return Ok(());
    }
    for discrepancy in &audit.discrepancies {
        say(discrepancy);
    }
    let wrong = count(
        u64::try_from(audit.discrepancies.len()).unwrap_or(u64::MAX),
        "difference",
    );
    Err(Exit::Failed(format!(
        "The books are wrong: {wrong} in {looked_at}."
    )))
}
