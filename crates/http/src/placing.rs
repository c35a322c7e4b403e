//! Places an order together with those that arrive beside it, without holding a thread.

use crate::call::Call;
use crate::error::ApiError;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{timeout, timeout_at};
use tradepost_domain::{Keyed, Money, Order, Written};

/// How much longer than the deadline an order is waited for once a batch has taken it. Its outcome
/// is then mostly a commit away, and worth more than an answer in time that says nothing.
const GRACE: Duration = Duration::from_millis(500);

/// Orders everything in the caller's cart.
///
/// # Errors
/// The refusals of [`tradepost_domain::decide_placing`]; [`ApiError::Busy`] if no batch has taken
/// the order, and none ever will; [`ApiError::OutcomeUnknown`] if one has.
pub(crate) async fn place(
    call: &Call,
    expected: Option<Money>,
    key: Option<Keyed<Order>>,
) -> Result<Written<Order>, ApiError> {
    let request = call.shop().orders.placing(call.actor, expected, key)?;
    let (tell, mut told) = oneshot::channel();
    let ticket = call
        .shop()
        .batcher
        .submit(request, call.deadline, move |outcome| {
            // Whoever asked may have gone away.
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
    // The batcher tells everybody; if it did not, it broke in the middle.
    let outcome = answer.map_err(|_| ApiError::OutcomeUnknown)?;
    Ok(outcome??)
}
