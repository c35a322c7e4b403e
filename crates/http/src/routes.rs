//! The route table: the endpoints of all resources, and the router that serves them.

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::around_handler;
use crate::middleware::rate_limit::charge_address;
use crate::middleware::request_cost::BASE;
use crate::resources::{
    accounts, cart, docs, orders, probes, products, root, stock, tokens, users,
};
use crate::respond::responses;
use actix_web::dev::ServiceRequest;
use actix_web::guard::{Guard, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, web};
use std::sync::LazyLock;
use tradepost_domain::kernel::Refusal;

/// The endpoints of each resource. Those of one path are adjacent; a path comes before any other
/// one that would match it as well.
static RESOURCES: [&[Endpoint]; 10] = [
    root::ENDPOINTS,
    tokens::ENDPOINTS,
    accounts::ENDPOINTS,
    users::ENDPOINTS,
    products::ENDPOINTS,
    stock::ENDPOINTS,
    cart::ENDPOINTS,
    orders::ENDPOINTS,
    docs::ENDPOINTS,
    probes::ENDPOINTS,
];

/// The route table: all endpoints.
#[must_use]
pub fn table() -> &'static [Endpoint] {
    static TABLE: LazyLock<Vec<Endpoint>> = LazyLock::new(|| RESOURCES.concat());
    &TABLE
}

/// The endpoints of each path.
fn paths() -> impl Iterator<Item = &'static [Endpoint]> {
    table().chunk_by(|one, other| one.path() == other.path())
}

/// The path of each resource once, in the order of the table.
pub(crate) fn patterns() -> impl Iterator<Item = &'static str> {
    paths().filter_map(<[Endpoint]>::first).map(Endpoint::path)
}

/// Builds the resources: each serves its path with and without the slash at the end, and answers
/// 405 to other methods.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    for (at, endpoints) in paths().enumerate() {
        if let Some(first) = endpoints.first() {
            config.service(resource(at, first.path(), endpoints));
        }
    }
    config.default_service(web::to(move |request: HttpRequest| {
        let answer = count(&request).and_then(|()| nothing_here(&request));
        async move { answer }
    }));
}

fn resource(at: usize, path: &'static str, endpoints: &'static [Endpoint]) -> Resource {
    let allow = allow(endpoints);
    let counts = endpoints.iter().any(|endpoint| endpoint.policy.counts);
    let others = web::to(move |request: HttpRequest| {
        found(&request, at);
        let counted = if counts { count(&request) } else { Ok(()) };
        let answer = counted.and_then(|()| no_such_method(&request, &allow));
        async move { answer }
    });
    let bare = path.trim_end_matches('/');
    let forms = [format!("{bare}/"), bare.to_owned()];
    let resource = web::resource(forms).default_service(others);
    endpoints
        .iter()
        .map(|endpoint| route(at, endpoint))
        .fold(resource, Resource::route)
}

/// Charges a request that matches no route.
fn count(request: &HttpRequest) -> Result<(), ApiError> {
    RequestInfo::of(request).map_or(Ok(()), |info| charge_address(&info, BASE))
}

/// Records the route of a request in its context.
fn found(request: &HttpRequest, at: usize) {
    if let Some(info) = RequestInfo::of(request) {
        info.route.set(Some(at));
    }
}

fn route(at: usize, endpoint: &Endpoint) -> Route {
    let policy = endpoint.policy;
    (endpoint.handler)()
        .guard(For(endpoint.method().clone()))
        .wrap(from_fn(move |request: ServiceRequest, next| {
            found(request.request(), at);
            around_handler(policy, request, next)
        }))
}

/// Guard that matches one method, and HEAD as well if it is GET.
struct For(Method);

impl Guard for For {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let asked = &context.head().method;
        *asked == self.0 || (*asked == Method::HEAD && self.0 == Method::GET)
    }
}

/// The value of the `Allow` header.
fn allow(endpoints: &'static [Endpoint]) -> HeaderValue {
    let mut methods = Vec::new();
    for endpoint in endpoints {
        methods.push(endpoint.method().as_str());
        if *endpoint.method() == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.push("OPTIONS");
    // Names of methods and commas are a valid header value.
    HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

fn no_such_method(request: &HttpRequest, allow: &HeaderValue) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        Ok(responses::options(allow.clone()))
    } else {
        Err(ApiError::MethodNotAllowed(allow.clone()))
    }
}

/// 404, except for `OPTIONS *`, which asks about the server as a whole.
fn nothing_here(request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS && request.path() == "*" {
        let every = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return Ok(responses::options(every));
    }
    Err(Refusal::NotFound.into())
}
