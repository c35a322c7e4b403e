//! Compression of response bodies that are not shared; shared ones are compressed once, by
//! `respond/rendered.rs`.
//!
//! Only representations of resources are compressed: the responses of GET and HEAD, and of the
//! writes of a resource with an `ETag`. A response that issues a token or a key never is: its length would
//! show whether it has a text that an attacker chose (BREACH). Its routes are POST without an `ETag`.

use crate::extract::request_context::RequestInfo;
use crate::respond::coding::{AcceptedCodings, gzip};
use crate::respond::responses::compressed;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, VARY};

/// Compresses the body of a response if its client prefers that, and names the header that the
/// response depends on.
pub(super) fn compress(
    info: &RequestInfo,
    request: &HeaderMap,
    mut response: HttpResponse,
) -> HttpResponse {
    const VARIES: [StatusCode; 3] = [
        StatusCode::OK,
        StatusCode::CREATED,
        StatusCode::NOT_MODIFIED,
    ];
    if !info.is_compressible.get() || !VARIES.contains(&response.status()) {
        return response;
    }
    let vary = HeaderValue::from_static("Accept-Encoding");
    response.headers_mut().append(VARY, vary);
    if response.headers().contains_key(CONTENT_ENCODING) || !request.contains_key(ACCEPT_ENCODING) {
        return response;
    }
    let BodySize::Sized(size) = response.body().size() else {
        return response;
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if AcceptedCodings::of(request).wants_gzip(size) {
        encode(response)
    } else {
        response
    }
}

/// The response with a compressed body, if that is smaller.
fn encode(response: HttpResponse) -> HttpResponse {
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(body) => body,
        Err(body) => return response.set_body(body),
    };
    match gzip(&body) {
        Some(packed) => {
            compressed(response.headers_mut());
            response.set_body(BoxBody::new(packed))
        }
        None => response.set_body(BoxBody::new(body)),
    }
}
