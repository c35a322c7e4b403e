//! The middleware stack: all layers on this page, one file per concern.
//!
//! [`wrap`] puts three layers around the routes; [`around_handler`] is the layer of each route.
//! [`around_all`] is one function and not a chain of actix middleware, as each link of such a chain
//! costs every request an allocation.

pub(crate) mod access_log;
pub(crate) mod allowed_hosts;
pub(crate) mod authenticate;
pub(crate) mod catch_panic;
pub(crate) mod compression;
pub(crate) mod cors;
pub(crate) mod error_rendering;
pub(crate) mod forwarded;
pub(crate) mod head;
pub(crate) mod hold_request_body;
pub(crate) mod log_limit;
pub(crate) mod mounted;
pub(crate) mod rate_limit;
pub(crate) mod rate_limiter;
pub(crate) mod request_context;
pub(crate) mod request_cost;
pub(crate) mod request_id;
pub(crate) mod security_headers;
pub(crate) mod session_cache;

use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::authenticate::RoutePolicy;
use crate::middleware::hold_request_body::HeldRequest;
use crate::state::State;
use actix_service::Service;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::{App, Error, HttpResponse};
use std::sync::Arc;

/// The application inside the stack. The last layer is the outermost one.
pub(crate) fn wrap<T>(
    app: App<T>,
    state: &Arc<State>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<T>,
>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + 'static,
{
    let origins = &state.allowed_origins;
    let state = Arc::clone(state);
    // Rejects requests for other hosts: inside CORS, so that a page of an allowed origin can read
    // the error.
    app.wrap_fn(allowed_hosts::require)
        // CORS, if pages of other origins are allowed.
        .wrap(Condition::new(!origins.is_empty(), cors::policy(origins)))
        // Everything that holds for all responses, those of CORS and of the framework included.
        .wrap(from_fn(move |request, next| {
            around_all(Arc::clone(&state), request, next)
        }))
}

/// The outermost layer.
async fn around_all<B: MessageBody + 'static>(
    state: Arc<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Hold a chunked request body until the response is written.
    let held = HeldRequest::begin(&mut request);
    // Request id, client IP, deadline, and whether the host is allowed.
    let info = request_context::begin(state, &request);
    // Gauge of the requests in flight.
    let _in_flight = info.state.metrics.begin();
    // A request behind one whose response ended the connection is not served.
    let answered = if held.is_on_closing_connection() {
        Ok(request.error_response(ApiError::Busy))
    } else {
        let answered = next.call(request).await;
        answered.map(ServiceResponse::map_into_boxed_body)
    };
    match answered {
        Ok(response) => {
            // Rate limit for requests that were answered before routing.
            let response = rate_limit::charge_unrouted(&info, response);
            let (request, response) = response.into_parts();
            let response = complete(&info, request.headers(), response);
            // End of the connection, and of the request body.
            let response = ServiceResponse::new(request, response);
            Ok(held.finish(info.state.frees_connections(), response))
        }
        // No layer below returns an error instead of a response. Should one ever do so, it is
        // rendered like all other errors.
        Err(error) => {
            let cause = error_rendering::cause(&error);
            let mut response = error_rendering::render(&info, &cause, error.error_response());
            security_headers::set(response.headers_mut());
            access_log::write(&info, response.status(), info.began.elapsed());
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// What each response gets on its way out.
fn complete(info: &RequestInfo, request: &HeaderMap, response: HttpResponse) -> HttpResponse {
    // One format for all errors, counted by their code.
    let response = error_rendering::render_errors(info, response);
    // Compression.
    let mut response = compression::compress(info, request, response);
    let headers = response.headers_mut();
    // Request id.
    request_id::write(&info.id, headers);
    // Security and cache headers.
    security_headers::set(headers);
    // Rate limit headers.
    rate_limit::write(info, headers);
    // Access log.
    let (route, took) = (info.route.get(), info.began.elapsed());
    access_log::write(info, response.status(), took);
    // Metrics of the route.
    let metrics = &info.state.metrics;
    metrics.answered(route, &info.method, response.status(), took);
    // A write may have had an event that other requests wait for.
    if !info.method.is_safe() && response.status().is_success() {
        info.state.event_waits.notify();
    }
    // No body for HEAD.
    head::strip_body(&info.method, response)
}

/// The layer of a route, around its handler: 401 and 403 come before 400.
pub(crate) async fn around_handler<B: MessageBody + 'static>(
    policy: RoutePolicy,
    request: ServiceRequest,
    handler: impl Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Authentication, authorization, and the rate limit.
    if let Err(error) = authenticate::admit(policy, request.request()).await {
        return Ok(request.error_response(error).map_into_boxed_body());
    }
    // A handler that panics is answered with 500.
    catch_panic::call(request, |request| handler.call(request)).await
}
