//! Statement timeouts: a statement may run until the deadline of its thread.
//!
//! The server enforces them (`statement_timeout`). A snapshot sets its timeout in the round trip
//! that begins it. A single query has no transaction, so the session has a timeout that fits nearly
//! all queries, and it is changed only where that would be too long. Writes have none: only their
//! end tells whether they happened.

use super::connect::PooledConn;
use crate::failure::Failure;
use diesel::connection::SimpleConnection;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::{StoreError, StoreErrorKind, deadline};

/// Maximum run time of a query with a deadline. More than any useful page takes, and less than the
/// request timeout, so that most queries find it set already.
const MAX_QUERY: Duration = Duration::from_secs(2);

/// Timeouts are multiples of this, so that one fits many queries.
const STEP: Duration = Duration::from_millis(100);

/// Begins a write, in which no statement has a timeout.
pub(super) const BEGIN_WRITE: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0";

/// Begins a snapshot, in which every statement may run until the deadline.
pub(super) fn begin_snapshot() -> Result<String, Failure> {
    let timeout = timeout()?.as_millis();
    Ok(format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {timeout}"
    ))
}

impl PooledConn {
    /// Lets the statements of this session run until the deadline.
    pub(super) fn limit_statements(&mut self) -> Result<(), Failure> {
        let timeout = timeout()?;
        if timeout != self.statement_timeout {
            let set = format!("SET statement_timeout = {}", timeout.as_millis());
            self.conn.batch_execute(&set)?;
            self.statement_timeout = timeout;
        }
        Ok(())
    }
}

/// Timeout of a statement sent now; zero for none.
fn timeout() -> Result<Duration, Failure> {
    let Some(deadline) = deadline::current() else {
        return Ok(Duration::ZERO);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        // 0 would disable the timeout.
        return Err(StoreError::new(StoreErrorKind::DeadlineExceeded).into());
    }
    let steps = left.min(MAX_QUERY).as_millis().div_ceil(STEP.as_millis());
    Ok(STEP.saturating_mul(u32::try_from(steps.max(1)).unwrap_or(u32::MAX)))
}
