//! The route table: the endpoints of all resources, and the router that serves them.

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::rate_limit::charge_address;
use crate::middleware::request_cost::BASE;
use crate::resources::ALL;
use crate::respond::method::{allow_header, other_method};
use crate::respond::responses;
use crate::router::{Paths, RouterFactory};
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse, web};
use std::rc::Rc;
use std::sync::LazyLock;
use tradepost_domain::kernel::Refusal;

/// The endpoints of each resource, by its name, in the order of the table.
pub fn resources() -> impl Iterator<Item = (&'static str, &'static [Endpoint])> {
    ALL.iter().copied()
}

/// The route table: all endpoints.
#[must_use]
pub fn table() -> &'static [Endpoint] {
    static TABLE: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
        let endpoints = resources().flat_map(|(_, endpoints)| endpoints);
        endpoints.cloned().collect()
    });
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

/// Mounts the router, which serves each path with and without the slash at the end, and answers 405
/// to other methods.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config.default_service(RouterFactory {
        paths: Rc::new(Paths::new(patterns())),
        endpoints: paths().collect(),
        fallback,
    });
}

/// The response to a request that no endpoint serves. It is charged like others, unless the path is
/// that of a probe.
fn fallback(request: &HttpRequest, at: Option<usize>) -> Result<HttpResponse, ApiError> {
    let endpoints = at.and_then(|at| paths().nth(at)).unwrap_or_default();
    let counts = endpoints.is_empty() || endpoints.iter().any(|endpoint| endpoint.policy.counts);
    if let (true, Some(info)) = (counts, RequestInfo::of(request)) {
        charge_address(&info, BASE)?;
    }
    if endpoints.is_empty() {
        nothing_here(request)
    } else {
        let methods = endpoints.iter().map(Endpoint::method);
        other_method(request, &allow_header(methods))
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
