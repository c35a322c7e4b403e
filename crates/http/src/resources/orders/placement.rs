//! Places an order through the batcher, without holding a thread.

use crate::error::ApiError;
use crate::extract::request_context::RequestContext;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{timeout, timeout_at};
use tradepost_domain::kernel::{Execution, Idempotent, Money};
use tradepost_domain::orders::Order;

/// Grace period after the deadline for an order that a batch has taken. Its outcome is then mostly
/// a commit away, and worth more than a timely response that leaves it unknown.
const GRACE: Duration = Duration::from_millis(500);

/// Orders everything in the caller's cart.
///
/// # Errors
/// The rejections of [`tradepost_domain::orders::decide_placement`]; [`ApiError::Busy`] if no batch has taken
/// the order, and none ever will; [`ApiError::OutcomeUnknown`] if one has.
pub(crate) async fn place(
    call: &RequestContext,
    expected: Option<Money>,
    key: Option<Idempotent<Order>>,
) -> Result<Execution<Order>, ApiError> {
    let request = call
        .backend()
        .services
        .orders
        .placing(call.actor, expected, key)?;
    let (tell, mut told) = oneshot::channel();
    let ticket = call
        .backend()
        .batcher
        .submit(request, call.deadline, move |outcome| {
            // The client may have disconnected.
            let _ = tell.send(outcome);
        })
        .map_err(|_| ApiError::Busy)?;
    let answer = match timeout_at(call.deadline.into(), &mut told).await {
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
