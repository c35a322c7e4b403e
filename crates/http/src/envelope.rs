//! What every answer has in common: a request id, a line in the log, and one form for errors,
//! whoever made them.

use crate::connection::Underway;
use crate::cost::BASE;
use crate::error::ApiError;
use crate::exchange::{Exchange, REQUEST_ID};
use crate::gate::Caller;
use crate::handlers::probes;
use crate::origin::Origin;
use crate::problem;
use crate::routes;
use crate::state::State;
use crate::unread;
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
use tradepost_domain::{Actor, UserId};

/// The outermost layer.
pub(crate) async fn envelope<B: MessageBody + 'static>(
    state: Arc<State>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let underway = Underway::begin(&request);
    let unread = unread::share(&mut request, underway.as_ref());
    let is_last = request.head().connection_type() == ConnectionType::Close;
    let origin = Origin::of(request.head(), &state.trusted_proxies);
    // Watchers of the process ask it by its address.
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
            unread::drain(unread.as_ref(), underway.as_ref());
            // Each answer gives its connection to another client while there are few left.
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
            Ok(response.map_body(|_, body| unread::hold(body, unread, underway)))
        }
        // No layer below gives an error instead of an answer. Should one ever do so, it gets the
        // form of all others.
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

/// Refuses requests for other hosts. Within the layer of CORS, so that a page of an allowed origin can
/// read why.
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

/// Names a host that is refused, with the settings that allow it.
fn warn_of_host(state: &State, origin: &Origin<'_>) {
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

/// Counts requests that were answered above the table of routes: those for a host that is not
/// served, CORS preflights, and others that CORS refuses. Each costs next to nothing, but a flood of
/// them must not be free.
fn counted(
    state: &State,
    exchange: &Exchange,
    response: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    let is_counted = exchange.allowance.get().is_some();
    if is_counted || exchange.route.get() != routes::unmatched() {
        return response;
    }
    match exchange.charge_address(state, BASE) {
        Ok(()) => response,
        Err(throttled) => {
            // The headers stay: those of CORS let a browser read why.
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
    if let Some(allowance) = exchange.allowance.get() {
        allowance.write(headers);
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

/// What browsers and caches may do with an answer. What an answer says of itself stands.
///
/// - It is what its type says, and nothing that a browser guesses.
/// - Opened as a page it loads nothing, runs nothing, and is shown in nobody's frame.
/// - With a tag, whoever got it may keep it and has to ask whether it is still so, which costs a
///   304. Without one nobody may keep it: it carries a token, is about somebody, or is an error.
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

/// Writes an error into an answer, whose headers stay: those of CORS let a browser read it.
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
        // As on a preflight that is granted: another origin may get another answer.
        let asked = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
        headers.insert(VARY, HeaderValue::from_static(asked));
    }
    response.set_body(BoxBody::new(body))
}

/// The most bytes of a path in the log: whoever sends long ones shall not fill the disk with them.
const LONGEST_PATH: usize = 512;

fn user(caller: &Caller) -> Option<UserId> {
    match caller.actor {
        Actor::Anonymous => None,
        Actor::Customer(user) | Actor::Staff(user) => Some(user),
    }
}

/// The line of the access log. The path stands as it was sent, which leaves no room for control
/// characters, and is cut short if it is longer than any that there is; the query is left out, as it
/// may hold what is nobody's business.
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

/// The body of an answer to HEAD: the length of what GET would give, and nothing of it.
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
