//! Mounted interface: pages of another crate, served in the same application and behind the same
//! middleware as the API.

use crate::error::{ApiError, Code};
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::web::ServiceConfig;
use tradepost_domain::kernel::Actor;

/// An interface beside the API.
pub trait Mount: Send + Sync {
    /// The path of each of its routes, for the metrics.
    fn patterns(&self) -> Vec<&'static str>;

    /// Adds its routes. `first` is the index of its first pattern in the metrics.
    fn configure(&self, first: usize, config: &mut ServiceConfig);

    /// Whether a path belongs to it, so that errors there are rendered by [`Mount::render`].
    fn serves(&self, path: &str) -> bool;

    /// The body of an error response. It sets the headers of the body.
    fn render(&self, failure: &Failure<'_>, headers: &mut HeaderMap) -> Vec<u8>;
}

/// An error response to be rendered.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// The error.
    pub error: &'a ApiError,
    /// The code of the error.
    pub code: Code,
    /// Seconds after which a retry may succeed.
    pub retry_after: Option<&'a HeaderValue>,
    /// The path of the request.
    pub path: &'a str,
    /// The id of the request.
    pub request_id: &'a str,
    /// The caller, if the route has admitted it.
    pub actor: Option<Actor>,
}

/// Extension of an error response that has a body of its own, such as a form with its errors. It is
/// counted under this code and not rendered again.
#[derive(Debug, Clone, Copy)]
pub struct Rendered(pub Code);
