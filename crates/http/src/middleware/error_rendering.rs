//! Error rendering: one format for all error responses, those of the framework included.

use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::request_id::REQUEST_ID;
use crate::mount::{Failure, Rendered};
use crate::respond::problem;
use actix_cors::CorsError;
use actix_web::body::BoxBody;
use actix_web::http::header::{
    ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use actix_web::{Error, HttpResponse};

/// Renders and counts a response that is an error.
pub(super) fn render_errors(info: &RequestInfo, response: HttpResponse) -> HttpResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let rendered = response.extensions().get::<Rendered>().copied();
    if let Some(Rendered(code)) = rendered {
        info.state.metrics.failed(code);
        return response;
    }
    let error = match response.error() {
        Some(error) => cause(error),
        None => ApiError::Framework(status),
    };
    info.state.metrics.failed(error.code());
    render(info, &error, response)
}

/// The error behind an error response: those of the framework and of CORS have one of their own.
pub(super) fn cause(error: &Error) -> ApiError {
    if let Some(error) = error.as_error::<ApiError>() {
        error.clone()
    } else if error.as_error::<CorsError>().is_some() {
        ApiError::CrossOrigin
    } else {
        ApiError::Framework(error.as_response_error().status_code())
    }
}

/// Renders an error into a response whose headers are kept: those of CORS let a browser read it.
pub(super) fn render(
    info: &RequestInfo,
    error: &ApiError,
    mut response: HttpResponse,
) -> HttpResponse {
    error.log(info.id());
    let retry_after = error.retry_after(info.has_key.get());
    *response.status_mut() = error.code().status();
    let headers = response.headers_mut();
    let body = body(info, error, retry_after.as_ref(), headers);
    headers.insert(REQUEST_ID, info.id.clone());
    if let Some(seconds) = retry_after {
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

/// The body of an error response: a problem document, or a page of the interface that serves the
/// path.
fn body(
    info: &RequestInfo,
    error: &ApiError,
    retry_after: Option<&HeaderValue>,
    headers: &mut HeaderMap,
) -> Vec<u8> {
    let mount = info.state.mount.as_ref();
    if let Some(mount) = mount.filter(|mount| mount.serves(info.path())) {
        let failure = Failure {
            error,
            code: error.code(),
            retry_after,
            path: info.path(),
            request_id: info.id(),
            actor: info.actor.get(),
        };
        return mount.render(&failure, headers);
    }
    let media = if info.wants_problem {
        "application/problem+json"
    } else {
        "application/json"
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    problem::document(error, info.path(), info.id())
}
