//! Ledger audits that staff asked for: one at a time, and the reason why the last one did not end.
//! Results are kept in the store. An audit reads every movement, so that no page runs one by being
//! shown.

use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tradepost_domain::inventory::Audit;
use tradepost_domain::kernel::{Error, StoreErrorKind};

/// Whether an audit is running, and the failure of the last one.
#[derive(Debug, Default)]
pub(crate) struct LedgerChecks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_running: bool,
    failure: Option<LedgerFailure>,
}

/// An audit that did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerFailure {
    /// When it began.
    pub(crate) at: DateTime<Utc>,
    /// The reason, as a sentence.
    pub(crate) sentence: String,
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

    /// The failure of the last audit, unless it ended.
    pub(crate) fn failure(&self) -> Option<LedgerFailure> {
        self.state().failure.clone()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.state().is_running
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Keeps the failure of the audit, or forgets that of an earlier one. A refusal is none.
    pub(crate) fn finish(self, audit: &Result<Audit, Error>) {
        let failure = match audit {
            Ok(_) => None,
            Err(Error::Refused(_)) => return,
            Err(error) => Some(LedgerFailure {
                at: self.at,
                sentence: sentence(error),
            }),
        };
        self.checks.state().failure = failure;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.checks.state().is_running = false;
    }
}

fn sentence(error: &Error) -> String {
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
    use tradepost_domain::kernel::StoreError;

    #[test]
    fn one_audit_runs_at_a_time() {
        let checks = Arc::new(LedgerChecks::default());
        let at = DateTime::UNIX_EPOCH;
        let running = checks.begin(at).unwrap();
        assert!(checks.begin(at).is_none());
        drop(running);
        assert!(!checks.is_running());
        let slow = StoreError::new(StoreErrorKind::DeadlineExceeded);
        checks.begin(at).unwrap().finish(&Err(slow.into()));
        let failure = checks.failure().unwrap();
        assert!(failure.sentence.contains("tradepost verify"));
        checks.begin(at).unwrap().finish(&Ok(Audit::default()));
        assert_eq!(checks.failure(), None);
    }
}
