//! Rate limit of requests: charges them to the token buckets, and writes the rate limit headers.

use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::rate_limiter::Payer;
use crate::middleware::request_cost::BASE;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderMap;

/// Charges the cost of a request to the bucket of a payer, and the first time also to that of its
/// network, unless rate limiting is off. The response headers describe the bucket with the least
/// left.
///
/// The payer's own bucket comes first: a request that it refuses takes nothing from the other users
/// of the network.
///
/// # Errors
/// [`ApiError::Throttled`].
pub(crate) fn charge(info: &RequestInfo, payer: Payer, cost: u32) -> Result<(), ApiError> {
    let Some(limiter) = &info.state.rate_limiter else {
        return Ok(());
    };
    let take = |payer| {
        let (quota, decision) = limiter.take(payer, cost);
        let nearest = match (info.quota.get(), &decision) {
            (Some(other), Ok(())) => other.nearer(quota),
            _ => quota,
        };
        info.quota.set(Some(nearest));
        decision
    };
    take(payer)?;
    if info.network_charged.replace(true) {
        return Ok(());
    }
    take(Payer::Network(info.client_network()))
}

/// Charges a request without a token that is known to be genuine.
///
/// # Errors
/// See [`charge`].
pub(crate) fn charge_address(info: &RequestInfo, cost: u32) -> Result<(), ApiError> {
    charge(info, Payer::Address(info.client_network()), cost)
}

/// Charges requests that were answered before routing to the rate limiter: those for a host that is
/// not served, CORS preflights, and requests that CORS rejects. Each costs next to nothing, but a
/// flood of them must not be free.
pub(super) fn charge_unrouted(
    info: &RequestInfo,
    response: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    if info.quota.get().is_some() || info.route.get().is_some() {
        return response;
    }
    match charge_address(info, BASE) {
        Ok(()) => response,
        Err(throttled) => {
            // The headers are kept: those of CORS let a browser read the error.
            let (request, answered) = response.into_parts();
            let mut refused = ServiceResponse::from_err(throttled, request);
            *refused.headers_mut() = answered.headers().clone();
            refused
        }
    }
}

/// Writes the state of the bucket with the least left into the response headers.
pub(super) fn write(info: &RequestInfo, headers: &mut HeaderMap) {
    if let Some(quota) = info.quota.get() {
        quota.write(headers);
    }
}
