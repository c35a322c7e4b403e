//! Ledger audits that staff asked for: one at a time, and the result of the last one since the start
//! of this server. An audit reads every movement, so that no page runs one by being shown.

use crate::format::count;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tradepost_domain::inventory::Audit;
use tradepost_domain::kernel::{Error, StoreErrorKind};

/// Discrepancies that a page shows.
const SHOWN: usize = 20;

/// The last audit, and whether one is running.
#[derive(Debug, Default)]
pub(crate) struct LedgerChecks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    last: Option<LedgerCheck>,
}

/// A finished audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerCheck {
    /// When it began.
    pub(crate) at: DateTime<Utc>,
    /// Whether the books are right; `None` if the audit did not end.
    pub(crate) is_right: Option<bool>,
    /// Its result, as a sentence.
    pub(crate) sentence: String,
    /// The first discrepancies.
    pub(crate) discrepancies: Vec<String>,
}

/// A running audit. Dropping it without a result lets the next one begin.
#[derive(Debug)]
pub(crate) struct Running {
    checks: Arc<LedgerChecks>,
    at: DateTime<Utc>,
}

impl LedgerChecks {
    /// Begins an audit; `None` while one is running.
    pub(crate) fn begin(self: &Arc<Self>, at: DateTime<Utc>) -> Option<Running> {
        let mut state = self.state();
        if state.is_running {
            return None;
        }
        state.is_running = true;
        Some(Running {
            checks: Arc::clone(self),
            at,
        })
    }

    pub(crate) fn last(&self) -> Option<LedgerCheck> {
        self.state().last.clone()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state().is_running
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Keeps the result. A refusal is none.
    pub(crate) fn finish(self, audit: &Result<Audit, Error>) {
        let check = match audit {
            Ok(audit) => found(self.at, audit),
            Err(Error::Refused(_)) => return,
            Err(error) => LedgerCheck {
                at: self.at,
                is_right: None,
                sentence: failure(error),
                discrepancies: Vec::new(),
            },
        };
        self.checks.state().last = Some(check);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.checks.state().is_running = false;
    }
}

fn found(at: DateTime<Utc>, audit: &Audit) -> LedgerCheck {
    let is_right = audit.discrepancies.is_empty();
    let read = format!(
        "{} products, {} orders and {} movements were read.",
        count(audit.products),
        count(audit.orders),
        count(audit.movements)
    );
    let sentence = if is_right {
        format!("The books are right: {read}")
    } else {
        let wrong = u64::try_from(audit.discrepancies.len()).unwrap_or(u64::MAX);
        format!("The books are wrong in {} places: {read}", count(wrong))
    };
    let first = audit.discrepancies.iter().take(SHOWN);
    LedgerCheck {
        at,
        is_right: Some(is_right),
        sentence,
        discrepancies: first.map(ToString::to_string).collect(),
    }
}

fn failure(error: &Error) -> String {
    match error {
        Error::Store(error) if *error.kind() == StoreErrorKind::DeadlineExceeded => {
            "The check takes longer than a page may take. Run “tradepost verify” on the machine of the shop."
                .to_owned()
        }
        error => format!("The check failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::inventory::Discrepancy;
    use tradepost_domain::kernel::OrderId;

    #[test]
    fn one_audit_runs_at_a_time() {
        let checks = Arc::new(LedgerChecks::default());
        let at = DateTime::UNIX_EPOCH;
        let running = checks.begin(at).unwrap();
        assert!(checks.begin(at).is_none());
        drop(running);
        assert_eq!(checks.last(), None);
        let running = checks.begin(at).unwrap();
        running.finish(&Ok(Audit::default()));
        assert!(!checks.is_running());
        assert_eq!(checks.last().unwrap().is_right, Some(true));
    }

    #[test]
    fn discrepancies_are_counted_and_the_first_are_shown() {
        let order = OrderId::new(1).unwrap();
        let audit = Audit {
            orders: 30,
            discrepancies: vec![Discrepancy::NoLines { order }; 25],
            ..Audit::default()
        };
        let check = found(DateTime::UNIX_EPOCH, &audit);
        assert_eq!(check.is_right, Some(false));
        assert!(check.sentence.starts_with("The books are wrong in 25"));
        assert_eq!(check.discrepancies.len(), SHOWN);
    }
}
