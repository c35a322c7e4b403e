//! The route table: every route of the admin interface, each declared once in the module of its
//! page. The router, the labels of the metrics and the access matrix derive from it.

use crate::admit::{self, Body};
use crate::pages;
use crate::{Shared, assets};
use actix_web::dev::ServiceRequest;
use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::http::header::ACCEPT;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, Route, web};
use std::sync::{Arc, LazyLock};
use tradepost_domain::kernel::Access;
use tradepost_http::kit::{BASE, For, allow_header, around_page, other_method};

/// The routes of each page. Those of one path are adjacent; a path comes before any other one that
/// would match it as well.
static PAGES: [&[AdminRoute]; 10] = [
    pages::welcome::ROUTES,
    assets::ROUTES,
    pages::sign_in::ROUTES,
    pages::setup::ROUTES,
    pages::account::ROUTES,
    pages::dashboard::ROUTES,
    pages::products::ROUTES,
    pages::orders::ROUTES,
    pages::customers::ROUTES,
    pages::audit::ROUTES,
];

/// A route: one method of one path.
#[derive(Debug, Clone)]
pub struct AdminRoute {
    method: Method,
    path: &'static str,
    access: Access,
    pub(crate) handler: fn() -> Route,
    /// Units that a request takes from the bucket of its user or address.
    pub(crate) cost: u32,
    pub(crate) body: Body,
}

impl AdminRoute {
    /// A page. It also answers HEAD.
    pub(crate) const fn get(path: &'static str, access: Access, handler: fn() -> Route) -> Self {
        Self::new(Method::GET, path, access, handler, Body::None)
    }

    /// A form. Its handler runs only if the CSRF token is right.
    pub(crate) const fn post(path: &'static str, access: Access, handler: fn() -> Route) -> Self {
        Self::new(Method::POST, path, access, handler, Body::Form)
    }

    /// A form with a file. Its handler runs only if the CSRF token is right, which comes first.
    pub(crate) const fn upload(path: &'static str, access: Access, handler: fn() -> Route) -> Self {
        Self::new(Method::POST, path, access, handler, Body::Upload)
    }

    const fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn() -> Route,
        body: Body,
    ) -> Self {
        Self {
            method,
            path,
            access,
            handler,
            cost: BASE,
            body,
        }
    }

    /// It costs this many units instead of one.
    pub(crate) const fn cost(mut self, cost: u32) -> Self {
        self.cost = cost;
        self
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path; `{id}` stands for a number. It is served with and without the slash at its end.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The callers that may use it.
    #[must_use]
    pub fn access(&self) -> Access {
        self.access
    }
}

/// The route table.
#[must_use]
pub fn table() -> &'static [AdminRoute] {
    static TABLE: LazyLock<Vec<AdminRoute>> = LazyLock::new(|| PAGES.concat());
    &TABLE
}

/// The routes of each path.
fn paths() -> impl Iterator<Item = &'static [AdminRoute]> {
    table().chunk_by(|one, other| one.path == other.path)
}

/// Each path once, in the order of the table.
pub(crate) fn patterns() -> impl Iterator<Item = &'static str> {
    paths()
        .filter_map(<[AdminRoute]>::first)
        .map(|route| route.path)
}

/// Adds the resources of all paths. `first` is the index of the first in the metrics.
pub(crate) fn configure(shared: &Arc<Shared>, first: usize, config: &mut web::ServiceConfig) {
    config.app_data(Arc::clone(shared));
    for (at, routes) in (first..).zip(paths()) {
        if let Some(path) = routes.first().map(AdminRoute::path) {
            config.service(resource(shared, at, path, routes));
        }
    }
}

fn resource(
    shared: &Arc<Shared>,
    at: usize,
    path: &'static str,
    routes: &'static [AdminRoute],
) -> actix_web::Resource {
    let allow = allow_header(routes.iter().map(AdminRoute::method));
    let others = web::to(move |request: HttpRequest| {
        let answer = other_method(&request, &allow);
        async move { answer }
    });
    let bare = path.trim_end_matches('/');
    let resource = if bare.is_empty() {
        // The root is a page for browsers alone: other clients get the answer of the API.
        web::resource("/").guard(fn_guard(|context| {
            let accept = context.head().headers().get(ACCEPT);
            accept.is_some_and(|accept| accept.to_str().is_ok_and(names_html))
        }))
    } else {
        web::resource([format!("{bare}/"), bare.to_owned()])
    };
    routes
        .iter()
        .map(|route| handler(shared, at, route))
        .fold(resource.default_service(others), actix_web::Resource::route)
}

fn names_html(accept: &str) -> bool {
    let mut ranges = accept
        .split(',')
        .filter_map(|range| range.split(';').next());
    ranges.any(|name| name.trim().eq_ignore_ascii_case("text/html"))
}

fn handler(shared: &Arc<Shared>, at: usize, route: &'static AdminRoute) -> Route {
    let shared = Arc::clone(shared);
    (route.handler)()
        .guard(For(route.method.clone()))
        .wrap(from_fn(move |request: ServiceRequest, next| {
            let shared = Arc::clone(&shared);
            around_page(at, request, next, async move |context, payload| {
                admit::admit(&shared, route, context, payload).await
            })
        }))
}
