//! Executes a command through a batcher, without holding a thread.

use crate::error::ApiError;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::{timeout, timeout_at};
use tradepost_batch::Batcher;

/// Grace period after the deadline for a command that a batch has taken. Its outcome is then mostly
/// a commit away, and worth more than a timely response that leaves it unknown.
const GRACE: Duration = Duration::from_millis(500);

/// Executes a command.
///
/// # Errors
/// The refusals of its rules; [`ApiError::Busy`] if no batch has taken the command, and none ever
/// will; [`ApiError::OutcomeUnknown`] if one has.
pub(crate) async fn execute<C, T>(
    batcher: &Batcher<C, T>,
    command: C,
    deadline: Instant,
) -> Result<T, ApiError>
where
    C: Clone + Send + 'static,
    T: Send + 'static,
{
    let (tell, mut told) = oneshot::channel();
    let done = move |result| {
        // The client may have disconnected.
        let _ = tell.send(result);
    };
    let ticket = batcher.submit(command, deadline, done);
    let ticket = ticket.map_err(|_| ApiError::Busy)?;
    let answer = match timeout_at(deadline.into(), &mut told).await {
        Ok(answer) => answer,
        Err(_) if ticket.withdraw() => return Err(ApiError::Busy),
        Err(_) => timeout(GRACE, told)
            .await
            .map_err(|_| ApiError::OutcomeUnknown)?,
    };
    // The batcher answers every command it took; a dropped channel means that it panicked.
    let outcome = answer.map_err(|_| ApiError::OutcomeUnknown)?;
    Ok(outcome??)
}
