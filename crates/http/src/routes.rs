//! The table of routes.

use crate::answer;
use crate::error::ApiError;
use crate::gate::{Demand, gate};
use crate::handlers::{accounts, cart, docs, orders, probes, products, root, stock, tokens, users};
use crate::state::State;
use actix_web::guard::{Guard, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, web};
use std::sync::Arc;
use tradepost_domain::Access::{self, Customer, Public, Staff};
use tradepost_domain::Refusal;

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Entry {
    method: Method,
    path: &'static str,
    demand: Demand,
    handler: fn() -> Route,
}

impl Entry {
    /// The method; what answers GET answers HEAD as well.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, below `/api` with a slash at its end; `{id}` stands for a number, and `{file}`
    /// for the name of a file. The same path without that slash, or with one, serves the same.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Who may.
    #[must_use]
    pub fn access(&self) -> Access {
        self.demand.access
    }

    /// Whether the `Authorization` header counts.
    pub(crate) fn reads_token(&self) -> bool {
        self.demand.reads_token
    }

    /// A route that takes no notice of the `Authorization` header.
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

/// Every route there is. Those of one path stand together; a path that another one would match as
/// well stands before it.
#[rustfmt::skip]
static TABLE: &[Entry] = &[
    entry(GET,    "/api/",                      Public,   || web::to(root::index)),
    entry(POST,   "/api-token-auth/",           Public,   || web::to(accounts::sign_in)).without_token(),
    entry(POST,   "/api/token/",                Public,   || web::to(tokens::begin)).without_token(),
    entry(POST,   "/api/token/refresh/",        Public,   || web::to(tokens::refresh)).without_token(),
    entry(POST,   "/api/token/revoke/",         Public,   || web::to(tokens::revoke)).without_token(),
    entry(POST,   "/api/token/verify/",         Public,   || web::to(tokens::verify)).without_token(),
    entry(POST,   "/api/register/",             Public,   || web::to(accounts::register)),
    entry(GET,    "/api/users/",                Staff,    || web::to(users::list)),
    entry(GET,    "/api/users/me/",             Customer, || web::to(accounts::own)),
    entry(PATCH,  "/api/users/me/",             Customer, || web::to(accounts::change)),
    entry(POST,   "/api/users/me/password/",    Customer, || web::to(accounts::change_password)),
    entry(GET,    "/api/users/{id}/",           Staff,    || web::to(users::show)),
    entry(PATCH,  "/api/users/{id}/",           Staff,    || web::to(users::switch)),
    entry(GET,    "/api/products/",             Public,   || web::to(products::list)),
    entry(POST,   "/api/products/",             Staff,    || web::to(products::create)),
    entry(GET,    "/api/products/{id}/",        Public,   || web::to(products::show)),
    entry(PUT,    "/api/products/{id}/",        Staff,    || web::to(products::replace)),
    entry(PATCH,  "/api/products/{id}/",        Staff,    || web::to(products::change)),
    entry(DELETE, "/api/products/{id}/",        Staff,    || web::to(products::archive)),
    entry(GET,    "/api/products/{id}/stock/",  Staff,    || web::to(stock::list)),
    entry(POST,   "/api/products/{id}/stock/",  Staff,    || web::to(stock::adjust)),
    entry(GET,    "/api/cart/",                 Customer, || web::to(cart::list)),
    entry(POST,   "/api/cart/",                 Customer, || web::to(cart::add)),
    entry(DELETE, "/api/cart/",                 Customer, || web::to(cart::empty)),
    entry(GET,    "/api/cart/{id}/",            Customer, || web::to(cart::show)),
    entry(PUT,    "/api/cart/{id}/",            Customer, || web::to(cart::replace)),
    entry(PATCH,  "/api/cart/{id}/",            Customer, || web::to(cart::change)),
    entry(DELETE, "/api/cart/{id}/",            Customer, || web::to(cart::remove)),
    entry(GET,    "/api/orders/",               Customer, || web::to(orders::list)),
    entry(POST,   "/api/orders/",               Customer, || web::to(orders::place)),
    entry(GET,    "/api/orders/{id}/",          Customer, || web::to(orders::show)),
    entry(PUT,    "/api/orders/{id}/",          Customer, || web::to(orders::replace)),
    entry(PATCH,  "/api/orders/{id}/",          Customer, || web::to(orders::change)),
    entry(DELETE, "/api/orders/{id}/",          Customer, || web::to(orders::delete)),
    entry(GET,    "/api/schema/",               Public,   || web::to(docs::schema)).without_token(),
    entry(GET,    "/api/docs/",                 Public,   || web::to(docs::page)).without_token(),
    entry(GET,    "/api/docs/{file}/",          Public,   || web::to(docs::file)).without_token(),
    entry(GET,    "/healthz",                   Public,   || web::to(probes::health)).without_token(),
    entry(GET,    "/readyz",                    Public,   || web::to(probes::readiness)).without_token(),
];

const fn entry(
    method: Method,
    path: &'static str,
    access: Access,
    handler: fn() -> Route,
) -> Entry {
    let demand = Demand {
        access,
        reads_token: true,
    };
    Entry {
        method,
        path,
        demand,
        handler,
    }
}

/// The table of routes: each method of each path, and who may.
#[must_use]
pub fn table() -> &'static [Entry] {
    TABLE
}

/// Builds the resources: each serves its path with and without the slash at the end, and answers
/// for the methods that it does not have.
pub(crate) fn configure(state: &Arc<State>, config: &mut web::ServiceConfig) {
    for entries in TABLE.chunk_by(|one, other| one.path == other.path) {
        if let Some(first) = entries.first() {
            config.service(resource(state, first.path, entries));
        }
    }
    config.default_service(web::to(nothing_here));
}

fn resource(state: &Arc<State>, path: &'static str, entries: &[Entry]) -> Resource {
    let allow = allow(entries);
    let others = web::to(move |request: HttpRequest| {
        let answer = no_such_method(&request, &allow);
        async move { answer }
    });
    let bare = path.trim_end_matches('/');
    let forms = [format!("{bare}/"), bare.to_owned()];
    let resource = web::resource(forms).default_service(others);
    entries
        .iter()
        .map(|entry| route(state, entry))
        .fold(resource, Resource::route)
}

fn route(state: &Arc<State>, entry: &Entry) -> Route {
    let (state, demand) = (Arc::clone(state), entry.demand);
    (entry.handler)()
        .guard(For(entry.method.clone()))
        .wrap(from_fn(move |request, next| {
            gate(Arc::clone(&state), demand, request, next)
        }))
}

/// Lets requests of one method through, and HEAD where it is GET.
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
    // Names of methods and commas are a header value.
    HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

fn no_such_method(request: &HttpRequest, allow: &HeaderValue) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        Ok(answer::options(allow.clone()))
    } else {
        Err(ApiError::MethodNotAllowed(allow.clone()))
    }
}

/// There is nothing, except for who asks about the server as a whole (`OPTIONS *`).
async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS && request.path() == "*" {
        let every = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return Ok(answer::options(every));
    }
    Err(Refusal::NotFound.into())
}
