//! The layer around a handler of a [`Mount`](crate::Mount). The mount decides about the admission; the
//! handler is isolated like those of the API.

use crate::error::ApiError;
use crate::extract::request_context::{RequestContext, RequestInfo};
use crate::middleware::catch_panic;
use crate::middleware::rate_limit;
use crate::middleware::rate_limiter::Payer;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use tradepost_domain::kernel::{Actor, UserId};

/// The decision about a request, before its handler runs.
#[derive(Debug)]
pub enum Admission {
    /// The handler runs, for this actor.
    Enter(Actor),
    /// The request is answered without the handler.
    Answer(HttpResponse),
}

/// Charges a request to the rate limiter: to a user, or else to the client's address.
///
/// # Errors
/// [`ApiError::Throttled`].
pub fn charge(context: &RequestContext, user: Option<UserId>, units: u32) -> Result<(), ApiError> {
    let info = context.info();
    match user {
        Some(user) => rate_limit::charge(info, Payer::User(user), units),
        None => rate_limit::charge_address(info, units),
    }
}

/// Runs a handler if `admit` allows it. `route` is the index of the route in the metrics. Until the
/// request is admitted, its context acts for [`Actor::Anonymous`].
///
/// # Errors
/// None: errors become responses.
pub async fn around_page<B: MessageBody + 'static>(
    route: usize,
    mut request: ServiceRequest,
    next: Next<B>,
    admit: impl AsyncFnOnce(RequestContext, &mut Payload) -> Result<Admission, ApiError>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(info) = RequestInfo::of(request.request()) else {
        let defect = ApiError::Defect("a page was reached past the middleware".to_owned());
        return Ok(request.error_response(defect));
    };
    info.route.set(Some(route));
    let context = RequestContext::anonymous(&info, request.request());
    let mut payload = request.take_payload();
    let admitted = admit(context, &mut payload).await;
    request.set_payload(payload);
    match admitted {
        Ok(Admission::Enter(actor)) => {
            info.actor.set(Some(actor));
            catch_panic::call(request, |request| next.call(request)).await
        }
        Ok(Admission::Answer(response)) => Ok(request.into_response(response)),
        Err(error) => Ok(request.error_response(error)),
    }
}
