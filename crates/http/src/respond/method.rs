//! Methods of a route: the guard of a handler, and the response to other methods.

use crate::error::ApiError;
use crate::respond::responses;
use actix_web::guard::{Guard, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse};

/// Guard that matches one method, and HEAD as well if it is GET.
#[derive(Debug, Clone)]
pub struct For(pub Method);

impl Guard for For {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let asked = &context.head().method;
        *asked == self.0 || (*asked == Method::HEAD && self.0 == Method::GET)
    }
}

/// The value of the `Allow` header for these methods of a path.
pub fn allow_header<'a>(methods: impl IntoIterator<Item = &'a Method>) -> HeaderValue {
    let mut names = Vec::new();
    for method in methods {
        names.push(method.as_str());
        if *method == Method::GET {
            names.push("HEAD");
        }
    }
    names.push("OPTIONS");
    // Names of methods and commas are a valid header value.
    HeaderValue::try_from(names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

/// The response to a method that a path does not have: 405, or 200 for OPTIONS.
///
/// # Errors
/// [`ApiError::MethodNotAllowed`].
pub fn other_method(request: &HttpRequest, allow: &HeaderValue) -> Result<HttpResponse, ApiError> {
    if request.method() == Method::OPTIONS {
        Ok(responses::options(allow.clone()))
    } else {
        Err(ApiError::MethodNotAllowed(allow.clone()))
    }
}
