//! The route table.

use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::around_handler;
use crate::middleware::authenticate::RoutePolicy;
use crate::middleware::rate_limit::charge_address;
use crate::middleware::request_cost::{BASE, Cost};
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
use tradepost_domain::kernel::Access::{self, Customer, Public, Staff};
use tradepost_domain::kernel::Refusal;

/// A route: one method of one path.
#[derive(Debug, Clone)]
pub struct Entry {
    method: Method,
    path: &'static str,
    demand: RoutePolicy,
    handler: fn() -> Route,
}

impl Entry {
    /// The method; a GET route also answers HEAD.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, below `/api` with a slash at its end; `{id}` stands for a number, and `{file}` for
    /// the name of a file. Each path is served with and without the slash at its end.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The callers that may use it.
    #[must_use]
    pub fn access(&self) -> Access {
        self.demand.access
    }

    /// Whether the `Authorization` header is read.
    pub(crate) fn reads_token(&self) -> bool {
        self.demand.reads_token
    }

    /// Whether requests are rate limited.
    pub(crate) fn counts(&self) -> bool {
        self.demand.counts
    }

    /// A route whose requests cost more than one unit, or may.
    const fn costs(mut self, cost: Cost) -> Self {
        self.demand.cost = cost;
        self
    }

    /// A route for monitoring systems: it ignores tokens, and is not rate limited.
    const fn unmetered(mut self) -> Self {
        self.demand.reads_token = false;
        self.demand.counts = false;
        self
    }

    /// A route that bypasses the session cache.
    const fn bypass_session_cache(mut self) -> Self {
        self.demand.bypass_session_cache = true;
        self
    }

    /// A route that ignores the `Authorization` header.
    const fn without_token(mut self) -> Self {
        self.demand.reads_token = false;
        self
    }
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// All routes, with the cost of their requests. Routes of one path are adjacent; a path comes
/// before any other one that would match it as well.
#[rustfmt::skip]
static TABLE: &[Entry] = &[
    entry(GET,    "/api/",                      Public,   || web::to(root::index)),
    entry(POST,   "/api-token-auth/",           Public,   || web::to(accounts::sign_in)).without_token().costs(Cost::Password),
    entry(POST,   "/api/token/",                Public,   || web::to(tokens::begin)).without_token().costs(Cost::Password),
    entry(POST,   "/api/token/refresh/",        Public,   || web::to(tokens::refresh)).without_token(),
    entry(POST,   "/api/token/revoke/",         Public,   || web::to(tokens::revoke)).without_token(),
    entry(POST,   "/api/token/verify/",         Public,   || web::to(tokens::verify)).without_token(),
    entry(POST,   "/api/register/",             Public,   || web::to(accounts::register)).costs(Cost::Password),
    entry(GET,    "/api/users/",                Staff,    || web::to(users::list)).costs(Cost::Users),
    entry(GET,    "/api/users/me/",             Customer, || web::to(accounts::own)),
    entry(PATCH,  "/api/users/me/",             Customer, || web::to(accounts::change)).bypass_session_cache().costs(Cost::Password),
    entry(POST,   "/api/users/me/password/",    Customer, || web::to(accounts::change_password)).bypass_session_cache().costs(Cost::Password),
    entry(GET,    "/api/users/{id}/",           Staff,    || web::to(users::show)),
    entry(PATCH,  "/api/users/{id}/",           Staff,    || web::to(users::switch)).bypass_session_cache(),
    entry(GET,    "/api/products/",             Public,   || web::to(products::list)).costs(Cost::Products),
    entry(POST,   "/api/products/",             Staff,    || web::to(products::create)).bypass_session_cache(),
    entry(GET,    "/api/products/{id}/",        Public,   || web::to(products::show)),
    entry(PUT,    "/api/products/{id}/",        Staff,    || web::to(products::replace)).bypass_session_cache(),
    entry(PATCH,  "/api/products/{id}/",        Staff,    || web::to(products::change)).bypass_session_cache(),
    entry(DELETE, "/api/products/{id}/",        Staff,    || web::to(products::archive)).bypass_session_cache(),
    entry(GET,    "/api/products/{id}/stock/",  Staff,    || web::to(stock::list)).costs(Cost::List),
    entry(POST,   "/api/products/{id}/stock/",  Staff,    || web::to(stock::adjust)).bypass_session_cache(),
    entry(GET,    "/api/cart/",                 Customer, || web::to(cart::list)).costs(Cost::List),
    entry(POST,   "/api/cart/",                 Customer, || web::to(cart::add)),
    entry(DELETE, "/api/cart/",                 Customer, || web::to(cart::empty)),
    entry(GET,    "/api/cart/{id}/",            Customer, || web::to(cart::show)),
    entry(PUT,    "/api/cart/{id}/",            Customer, || web::to(cart::replace)),
    entry(PATCH,  "/api/cart/{id}/",            Customer, || web::to(cart::change)),
    entry(DELETE, "/api/cart/{id}/",            Customer, || web::to(cart::remove)),
    entry(GET,    "/api/orders/",               Customer, || web::to(orders::list)).costs(Cost::Orders),
    entry(POST,   "/api/orders/",               Customer, || web::to(orders::place)),
    entry(GET,    "/api/orders/{id}/",          Customer, || web::to(orders::show)),
    entry(PUT,    "/api/orders/{id}/",          Customer, || web::to(orders::replace)),
    entry(PATCH,  "/api/orders/{id}/",          Customer, || web::to(orders::change)),
    entry(DELETE, "/api/orders/{id}/",          Customer, || web::to(orders::delete)),
    entry(GET,    "/api/schema/",               Public,   || web::to(docs::schema)),
    entry(GET,    "/api/docs/",                 Public,   || web::to(docs::page)),
    entry(GET,    "/api/docs/{file}/",          Public,   || web::to(docs::file)),
    entry(GET,    "/healthz",                   Public,   || web::to(probes::health)).unmetered(),
    entry(GET,    "/readyz",                    Public,   || web::to(probes::readiness)).unmetered(),
    entry(GET,    "/metrics",                   Public,   || web::to(probes::metrics)).unmetered(),
];

const fn entry(
    method: Method,
    path: &'static str,
    access: Access,
    handler: fn() -> Route,
) -> Entry {
    let demand = RoutePolicy {
        access,
        reads_token: true,
        counts: true,
        cost: Cost::Plain,
        bypass_session_cache: false,
    };
    Entry {
        method,
        path,
        demand,
        handler,
    }
}

/// The route table: each method of each path, with its access.
#[must_use]
pub fn table() -> &'static [Entry] {
    TABLE
}

/// The path of each resource once, in the order of the table.
pub(crate) fn patterns() -> impl Iterator<Item = &'static str> {
    let runs = TABLE.chunk_by(|one, other| one.path == other.path);
    runs.filter_map(|run| run.first()).map(|entry| entry.path)
}

/// Builds the resources: each serves its path with and without the slash at the end, and answers
/// 405 to other methods.
pub(crate) fn configure(config: &mut web::ServiceConfig) {
    let runs = TABLE.chunk_by(|one, other| one.path == other.path);
    for (at, entries) in runs.enumerate() {
        if let Some(first) = entries.first() {
            config.service(resource(at, first.path, entries));
        }
    }
    config.default_service(web::to(move |request: HttpRequest| {
        let answer = count(&request).and_then(|()| nothing_here(&request));
        async move { answer }
    }));
}

fn resource(at: usize, path: &'static str, entries: &[Entry]) -> Resource {
    let allow = allow(entries);
    let counts = entries.iter().any(|entry| entry.demand.counts);
    let others = web::to(move |request: HttpRequest| {
        found(&request, at);
        let counted = if counts { count(&request) } else { Ok(()) };
        let answer = counted.and_then(|()| no_such_method(&request, &allow));
        async move { answer }
    });
    let bare = path.trim_end_matches('/');
    let forms = [format!("{bare}/"), bare.to_owned()];
    let resource = web::resource(forms).default_service(others);
    entries
        .iter()
        .map(|entry| route(at, entry))
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

fn route(at: usize, entry: &Entry) -> Route {
    let demand = entry.demand;
    (entry.handler)()
        .guard(For(entry.method.clone()))
        .wrap(from_fn(move |request: ServiceRequest, next| {
            found(request.request(), at);
            around_handler(demand, request, next)
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
fn allow(entries: &[Entry]) -> HeaderValue {
    let mut methods = Vec::new();
    for entry in entries {
        methods.push(entry.method.as_str());
        if entry.method == Method::GET {
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
