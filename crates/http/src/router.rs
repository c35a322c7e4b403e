//! Router: finds the endpoint of a request by its path and its method.
//!
//! The router of actix-web tries one pattern after the other, each as a regular expression if it has
//! two forms, as paths with and without a slash at the end do: a quarter of the time of a health
//! check. Here a path without parameters is one look-up in a map, and one with parameters a few look-ups
//! and a comparison of segments.

use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::around_handler;
use crate::middleware::authenticate::RoutePolicy;
use actix_service::{Service, ServiceFactory};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{Error, HttpRequest, HttpResponse, Route};
use futures_util::future::{LocalBoxFuture, try_join_all};
use std::collections::HashMap;
use std::future::ready;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The paths of the route table.
pub(crate) struct Paths {
    /// Paths without parameters, by their text without the slash at the end.
    fixed: HashMap<&'static str, usize>,
    /// Paths with parameters, by their text before the first one.
    patterns: HashMap<&'static str, Vec<(Pattern, usize)>>,
    /// The length of the longest such text.
    longest: usize,
}

/// The segments of a path with parameters.
struct Pattern(Vec<Segment>);

enum Segment {
    Text(&'static str),
    /// A parameter, which is not empty, by its name.
    Parameter(&'static str),
}

/// The parameters of a path: names and values.
type Parameters<'a> = Vec<(&'static str, &'a str)>;

impl Paths {
    /// The paths of a table, such as `/api/products/{id}/`.
    pub(crate) fn new(table: impl Iterator<Item = &'static str>) -> Self {
        let mut fixed = HashMap::new();
        let mut patterns = HashMap::<_, Vec<_>>::new();
        for (at, path) in table.enumerate() {
            let bare = bare(path);
            match bare.split_once('{') {
                Some((start, _)) => {
                    let pattern = (Pattern::new(bare), at);
                    patterns.entry(start).or_default().push(pattern);
                }
                None => {
                    fixed.entry(bare).or_insert(at);
                }
            }
        }
        let longest = patterns.keys().map(|start| start.len()).max();
        Self {
            fixed,
            patterns,
            longest: longest.unwrap_or_default(),
        }
    }

    /// The index and the parameters of a path, with or without the slash at its end.
    pub(crate) fn find<'a>(&self, path: &'a str) -> Option<(usize, Parameters<'a>)> {
        let path = bare(path);
        if let Some(at) = self.fixed.get(path) {
            return Some((*at, Vec::new()));
        }
        let slashes = path.match_indices('/').map(|(at, _)| at);
        let starts = slashes.take_while(|at| *at < self.longest);
        let starts = starts.filter_map(|at| self.patterns.get(path.get(..=at)?));
        let mut first = None;
        for (pattern, at) in starts.flatten() {
            // The order of the table decides.
            if first.as_ref().is_none_or(|(first, _)| at < first)
                && let Some(parameters) = pattern.read(path)
            {
                first = Some((*at, parameters));
            }
        }
        first
    }
}

/// A path without the slash at its end.
fn bare(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

impl Pattern {
    fn new(path: &'static str) -> Self {
        let segment = |text: &'static str| {
            let name = text
                .strip_prefix('{')
                .and_then(|text| text.strip_suffix('}'));
            name.map_or(Segment::Text(text), Segment::Parameter)
        };
        Self(path.split('/').map(segment).collect())
    }

    /// The parameters of a path; `None` if it does not match.
    fn read<'a>(&self, path: &'a str) -> Option<Parameters<'a>> {
        let mut parameters = Vec::new();
        let mut texts = path.split('/');
        for segment in &self.0 {
            let text = texts.next()?;
            match segment {
                Segment::Text(known) if *known == text => {}
                Segment::Parameter(name) if !text.is_empty() => parameters.push((*name, text)),
                Segment::Text(_) | Segment::Parameter(_) => return None,
            }
        }
        texts.next().is_none().then_some(parameters)
    }
}

/// The response to a request that no endpoint serves; the index is that of its path in the table, if
/// that has it.
pub(crate) type Fallback = fn(&HttpRequest, Option<usize>) -> Result<HttpResponse, ApiError>;

/// Makes the router of each worker.
pub(crate) struct RouterFactory {
    pub(crate) paths: Rc<Paths>,
    /// The endpoints of each path, in the order of the table.
    pub(crate) endpoints: Vec<&'static [Endpoint]>,
    pub(crate) fallback: Fallback,
}

/// Calls the endpoint of each request.
pub(crate) struct Router {
    paths: Rc<Paths>,
    routes: Vec<Vec<Served>>,
    fallback: Fallback,
}

/// An endpoint of this worker.
struct Served {
    method: Method,
    policy: RoutePolicy,
    handler: Rc<<Route as ServiceFactory<ServiceRequest>>::Service>,
}

impl ServiceFactory<ServiceRequest> for RouterFactory {
    type Response = ServiceResponse;
    type Error = Error;
    type Config = ();
    type Service = Router;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Router, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let (paths, fallback) = (Rc::clone(&self.paths), self.fallback);
        let routes = self.endpoints.iter().map(|endpoints| {
            let served = endpoints.iter().map(|endpoint| {
                let (method, policy) = (endpoint.method().clone(), endpoint.policy);
                let handler = (endpoint.handler)().new_service(());
                async move {
                    Ok::<_, ()>(Served {
                        method,
                        policy,
                        handler: Rc::new(handler.await?),
                    })
                }
            });
            try_join_all(served)
        });
        let routes = try_join_all(routes);
        Box::pin(async move {
            Ok(Router {
                paths,
                routes: routes.await?,
                fallback,
            })
        })
    }
}

impl Service<ServiceRequest> for Router {
    type Response = ServiceResponse;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, Error>>;

    /// Handlers are always ready.
    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let Some(info) = RequestInfo::of(request.request()) else {
            let defect = "a request came past the middleware".to_owned();
            return Box::pin(ready(Ok(request.error_response(ApiError::Defect(defect)))));
        };
        let found = self.paths.find(request.match_info().as_str());
        let at = found.as_ref().map(|(at, _)| *at);
        info.route.set(at);
        let endpoints = at.and_then(|at| self.routes.get(at)).map(Vec::as_slice);
        let mut endpoints = endpoints.unwrap_or_default().iter();
        let endpoint = endpoints.find(|endpoint| serves(&endpoint.method, request.method()));
        if let Some(endpoint) = endpoint {
            let parameters = found.into_iter().flat_map(|(_, parameters)| parameters);
            let parameters = parameters.map(|(name, value)| (name, value.to_owned()));
            let parameters: Vec<_> = parameters.collect();
            for (name, value) in parameters {
                request.match_info_mut().add_static(name, value);
            }
            let handler = Rc::clone(&endpoint.handler);
            return Box::pin(around_handler(endpoint.policy, request, handler));
        }
        let answer = match (self.fallback)(request.request(), at) {
            Ok(response) => request.into_response(response),
            Err(error) => request.error_response(error),
        };
        Box::pin(ready(Ok(answer)))
    }
}

/// Whether an endpoint of one method serves another: GET endpoints serve HEAD as well.
fn serves(endpoint: &Method, asked: &Method) -> bool {
    endpoint == asked || (*asked == Method::HEAD && *endpoint == Method::GET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_by_its_segments_with_or_without_the_slash_at_its_end() {
        let paths = Paths::new(
            [
                "/api/",
                "/healthz",
                "/api/users/me/",
                "/api/users/{id}/",
                "/api/users/{id}/carts/{name}/",
                "/api/{kind}/{id}/last/",
                "/api/users/{id}/{part}/",
            ]
            .into_iter(),
        );
        for (path, expected) in [
            ("/api/", Some((0, vec![]))),
            ("/api", Some((0, vec![]))),
            ("/healthz", Some((1, vec![]))),
            ("/healthz/", Some((1, vec![]))),
            ("/api/users/me/", Some((2, vec![]))),
            ("/api/users/12/", Some((3, vec![("id", "12")]))),
            ("/api/users/12", Some((3, vec![("id", "12")]))),
            ("/api/users/é x/", Some((3, vec![("id", "é x")]))),
            (
                "/api/users/1/carts/a",
                Some((4, vec![("id", "1"), ("name", "a")])),
            ),
            (
                "/api/users/1/last/",
                Some((5, vec![("kind", "users"), ("id", "1")])),
            ),
            (
                "/api/users/1/first",
                Some((6, vec![("id", "1"), ("part", "first")])),
            ),
            ("/", None),
            ("", None),
            ("*", None),
            ("/api//", None),
            ("/API/", None),
            ("//healthz", None),
            ("/healthz//", None),
            ("/api/users/", None),
            ("/api/users//", None),
            ("/api/users/12//", None),
            (
                "/api/users/12/carts/",
                Some((6, vec![("id", "12"), ("part", "carts")])),
            ),
            ("/api/users//carts/a/", None),
            ("/api/users/12/carts/a/b/", None),
            ("api/users/12/", None),
        ] {
            assert_eq!(paths.find(path), expected, "{path:?}");
        }
    }
}
