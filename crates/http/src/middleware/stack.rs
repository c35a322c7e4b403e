//! Outermost middleware: request id, allowed hosts, access log, security headers, and one error
//! format for all responses, those of the framework included.

use crate::connection::Underway;
use crate::error::ApiError;
use crate::middleware::authenticate::Caller;
use crate::middleware::forwarded::ForwardedInfo;
use crate::middleware::hold_request_body;
use crate::middleware::request_cost::BASE;
use crate::middleware::request_info::{Exchange, REQUEST_ID};
use crate::resources::probes;
use crate::respond::problem;
use crate::routes;
use crate::state::State;
use actix_cors::CorsError;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use actix_web::{Error, HttpMessage, HttpResponse};
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use tradepost_domain::kernel::{Actor, UserId};

/// The outermost middleware.
pub(crate) async fn envelope<B: MessageBody + 'static>(
    state: Arc<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let underway = Underway::begin(&request);
    let unread = hold_request_body::share(&mut request, underway.as_ref());
    let is_last = request.head().connection_type() == ConnectionType::Close;
    let origin = ForwardedInfo::of(request.head(), &state.trusted_proxies);
    // Probes of monitoring systems address the process by its IP address, so any host may be named.
    let known = origin.is_for(state.allowed_hosts.as_deref()) || probes::is_probe(request.path());
    let exchange = Rc::new(Exchange::begin(&state, request.request(), &origin));
    request.extensions_mut().insert(Rc::clone(&exchange));
    request.extensions_mut().insert(HostIsAllowed(known));
    let _in_flight = state.metrics.begin();
    if !known {
        warn_of_host(&state, &origin);
    }
    let answered = if underway.as_ref().is_some_and(Underway::is_closing) {
        Ok(request.error_response(ApiError::Busy))
    } else {
        let answered = next.call(request).await;
        answered.map(ServiceResponse::map_into_boxed_body)
    };
    match answered.map(|response| counted(&state, &exchange, response)) {
        Ok(response) => {
            let mut response = finish(&state, &exchange, response);
            hold_request_body::drain(unread.as_ref(), underway.as_ref());
            // While few connections are left, each response closes its connection, to free it for
            // another client.
            if is_last
                || state.stopping.load(Ordering::Relaxed)
                || state.connections.are_scarce()
                || underway.as_ref().is_some_and(Underway::has_unread_chunks)
            {
                let head = response.response_mut().head_mut();
                head.set_connection_type(ConnectionType::Close);
                if let Some(underway) = &underway {
                    underway.announce_close();
                }
            }
            Ok(response.map_body(|_, body| hold_request_body::hold(body, unread, underway)))
        }
        // No layer below returns an error instead of a response. Should one ever do so, it is
        // rendered like all other errors.
        Err(error) => {
            let mut response = render(&exchange, &cause(&error), error.error_response());
            guard(response.headers_mut());
            log(&exchange, response.status(), None);
            Err(InternalError::from_response(error, response).into())
        }
    }
}

/// Whether the `Host` of a request is one that this server answers for.
#[derive(Clone, Copy)]
struct HostIsAllowed(bool);

/// Rejects requests for other hosts. Runs inside the CORS middleware, so that a page of an allowed
/// origin can read the error.
pub(crate) async fn require_allowed_host<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let allowed = request.extensions().get::<HostIsAllowed>().copied();
    if allowed.is_some_and(|host| host.0) {
        let answered = next.call(request).await;
        answered.map(ServiceResponse::map_into_boxed_body)
    } else {
        Ok(request.error_response(ApiError::BadHost))
    }
}

/// Logs the name of a rejected host, with the settings that allow it.
fn warn_of_host(state: &State, origin: &ForwardedInfo<'_>) {
    if let Some(more) = state.refused_hosts.tell() {
        let others = match more {
            0 => String::new(),
            more => format!(" ({more} more since the last such line)"),
        };
        log::warn!(
            "refused a request for the host {:?}{others}: if it is this shop's, name it in \
             --allowed-hosts (TRADEPOST_ALLOWED_HOSTS)",
            origin.shown_host()
        );
    }
}

/// Charges requests that were answered before routing to the rate limiter: those for a host that is
/// not served, CORS preflights, and requests that CORS rejects. Each costs next to nothing, but a
/// flood of them must not be free.
fn counted(
    state: &State,
    exchange: &Exchange,
    response: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let is_counted = exchange.quota.get().is_some();
    if is_counted || exchange.route.get() != routes::unmatched() {
        return response;
    }
    match exchange.charge_address(state, BASE) {
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

fn finish(
    state: &State,
    exchange: &Exchange,
    response: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let (request, mut response) = response.into_parts();
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let error = match response.error() {
            Some(error) => cause(error),
            None => ApiError::Framework(status),
        };
        state.metrics.failed(error.code());
        response = render(exchange, &error, response);
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, exchange.id.clone());
    guard(headers);
    if let Some(quota) = exchange.quota.get() {
        quota.write(headers);
    }
    let user = request.extensions().get::<Caller>().and_then(user);
    log(exchange, response.status(), user);
    let (route, took) = (exchange.route.get(), exchange.began.elapsed());
    let metrics = &state.metrics;
    metrics.answered(route, &exchange.method, response.status(), took);
    if exchange.method == Method::HEAD {
        response = response.map_body(|_, body| BoxBody::new(NoBody(body.size())));
    }
    ServiceResponse::new(request, response)
}

/// Sets the security and cache headers, except for those that a response sets itself.
///
/// - `nosniff`: the declared media type counts, and browsers do not guess.
/// - Content security policy: opened as a page, a response loads nothing, runs nothing, and is
///   shown in no frame.
/// - Cache control: a response with an `ETag` may be stored by the browser, which has to revalidate
///   it; that costs a 304. One without may not be stored: it carries a token, concerns one user, or
///   is an error.
fn guard(headers: &mut HeaderMap) {
    const ALONE: &str = "default-src 'none'; frame-ancestors 'none'";
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(ALONE));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        let keep = if headers.contains_key(ETAG) {
            "private, no-cache"
        } else {
            "no-store"
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    }
}

fn cause(error: &Error) -> ApiError {
    if let Some(error) = error.as_error::<ApiError>() {
        error.clone()
    } else if error.as_error::<CorsError>().is_some() {
        ApiError::CrossOrigin
    } else {
        ApiError::Framework(error.as_response_error().status_code())
    }
}

/// Renders an error into a response whose headers are kept: those of CORS let a browser read it.
fn render(exchange: &Exchange, error: &ApiError, mut response: HttpResponse) -> HttpResponse {
    error.log(exchange.id());
    let body = problem::document(error, &exchange.path, exchange.id());
    *response.status_mut() = error.code().status();
    let media = if exchange.wants_problem {
        "application/problem+json"
    } else {
        "application/json"
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(REQUEST_ID, exchange.id.clone());
    if let Some(seconds) = error.retry_after(exchange.has_key.get()) {
        headers.insert(RETRY_AFTER, seconds);
    }
    if let Some(challenge) = error.challenge() {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if let ApiError::MethodNotAllowed(allow) = error {
        headers.insert(ALLOW, allow.clone());
    }
    if let ApiError::CrossOrigin = error {
        // As on a preflight that is granted: another origin may get another response.
        let asked = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        headers.insert(VARY, HeaderValue::from_static(asked));
    }
    response.set_body(BoxBody::new(body))
}

/// The most bytes of a path in the log, so that long paths cannot fill the disk.
const LONGEST_PATH: usize = 512;

fn user(caller: &Caller) -> Option<UserId> {
    match caller.actor {
        Actor::Anonymous => None,
        Actor::Customer(user) | Actor::Staff(user) => Some(user),
    }
}

/// Writes the line of the access log. The path is logged in its encoded form, which has no control
/// characters, and is truncated if it is longer than any real path; the query is omitted, as it may
/// hold private data.
fn log(exchange: &Exchange, status: StatusCode, user: Option<UserId>) {
    log::info!(
        target: "tradepost::access",
        "{} {} {} {}us id={} user={} from={}",
        exchange.method,
        exchange.path.get(..LONGEST_PATH).unwrap_or(&exchange.path),
        status.as_u16(),
        exchange.began.elapsed().as_micros(),
        exchange.id(),
        OrDash(user),
        OrDash(exchange.client),
    );
}

struct OrDash<T>(Option<T>);

impl<T: std::fmt::Display> std::fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}

/// The body of a response to HEAD: the length of the GET response, and none of its bytes.
struct NoBody(BodySize);

impl MessageBody for NoBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}
