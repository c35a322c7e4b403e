//! Builders of success responses. The only file beside [`crate::error`] that names status codes.

use crate::error::ApiError;
use crate::extract::request_context::RequestContext;
use crate::respond::coding::AcceptedCodings;
use crate::respond::etag::{self, ETag};
use crate::respond::rendered::Rendered;
use crate::respond::replay::{REPLAYED, ReplayableResponse};
use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderValue, LOCATION, REFERRER_POLICY,
};
use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The result of a handler.
pub(crate) type HttpResult = Result<HttpResponse, ApiError>;

/// 200 with a JSON body.
pub(crate) fn ok(shape: &impl Serialize) -> HttpResult {
    json(StatusCode::OK, shape)
}

/// 200 with a JSON body and its `ETag`; 304 if `If-None-Match` holds that tag.
pub(crate) fn ok_with_etag(
    call: &RequestContext,
    shape: &impl Serialize,
    tag: &ETag,
) -> HttpResult {
    not_modified_or(call, tag, || json(StatusCode::OK, shape))
}

/// 200 with a shared JSON body, and its `ETag` if it has one; 304 if `If-None-Match` holds that tag.
pub(crate) fn shared(call: &RequestContext, rendered: &Rendered) -> HttpResult {
    Ok(of_rendered(call, rendered, JSON))
}

/// A static text file, the same for the lifetime of the process.
pub(crate) struct File {
    media: HeaderValue,
    rendered: Rendered,
}

impl File {
    pub(crate) fn new(media: &'static str, text: impl Into<Bytes>) -> Self {
        let text = text.into();
        let tag = ETag::of_text(&text);
        Self {
            media: HeaderValue::from_static(media),
            rendered: Rendered::new(text, Some(tag)),
        }
    }

    /// A file that was compressed when the program was built.
    pub(crate) fn packed(media: &'static str, gzip: &'static [u8]) -> Self {
        Self {
            media: HeaderValue::from_static(media),
            rendered: Rendered::packed(gzip),
        }
    }
}

/// 200 with a file and its `ETag`; 304 if `If-None-Match` holds that tag.
pub(crate) fn file(call: &RequestContext, file: &File) -> HttpResult {
    let mut response = of_rendered(call, &file.rendered, file.media.clone());
    // Another version of the program may have another text.
    let keep = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(CACHE_CONTROL, keep);
    Ok(response)
}

fn of_rendered(call: &RequestContext, rendered: &Rendered, media: HeaderValue) -> HttpResponse {
    let tag = rendered.tag();
    let held = tag.and_then(|tag| tag.not_modified(call.request()));
    if held.is_some() {
        return tagged(HttpResponse::new(StatusCode::NOT_MODIFIED), held);
    }
    let accepted = AcceptedCodings::of(call.request().headers());
    let (body, is_compressed) = rendered.body(accepted);
    let mut response = of_bytes(StatusCode::OK, media, body);
    response = tagged(response, tag.and_then(ETag::header));
    if is_compressed {
        compressed(response.headers_mut());
    }
    response
}

/// Marks a response whose body is compressed.
pub(crate) fn compressed(headers: &mut HeaderMap) {
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    etag::mark_compressed(headers);
}

/// 200 with an HTML page. Its content security policy lets the browser load from this server alone.
pub(crate) fn page(call: &RequestContext, page: &File) -> HttpResult {
    // Swagger UI has images in its style sheet.
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; \
                  img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    let mut response = file(call, page)?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// The full response with this `ETag`, or 304 if `If-None-Match` holds that tag.
fn not_modified_or(
    call: &RequestContext,
    tag: &ETag,
    whole: impl FnOnce() -> HttpResult,
) -> HttpResult {
    match tag.not_modified(call.request()) {
        Some(held) => Ok(tagged(
            HttpResponse::new(StatusCode::NOT_MODIFIED),
            Some(held),
        )),
        None => Ok(tagged(whole()?, tag.header())),
    }
}

fn tagged(mut response: HttpResponse, tag: Option<HeaderValue>) -> HttpResponse {
    if let Some(tag) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// 200 with a text of this media type.
pub(crate) fn text(text: String, media: &'static str) -> HttpResponse {
    of_bytes(StatusCode::OK, HeaderValue::from_static(media), text.into())
}

/// 201 with a JSON body.
pub(crate) fn created_body(shape: &impl Serialize) -> HttpResult {
    json(StatusCode::CREATED, shape)
}

/// 201 with a body that may be a replay of an earlier response.
pub(crate) fn created(told: ReplayableResponse) -> HttpResult {
    if told.body.is_empty() {
        // Everything that is written has bounds, so its response can always be encoded.
        let defect = "there is no answer to what was written";
        return Err(ApiError::Defect(defect.to_owned()));
    }
    let mut response = with_body(StatusCode::CREATED, told.body);
    if told.replayed {
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, replayed);
    }
    Ok(tagged(response, told.tag.as_ref().and_then(ETag::header)))
}

/// 201 like [`created`], with a `Location` of this absolute collection URL and the id in the body.
pub(crate) fn created_at(collection: &str, told: ReplayableResponse) -> HttpResult {
    #[derive(Deserialize)]
    struct Made {
        id: i64,
    }
    let made: Made = serde_json::from_str(&told.body).map_err(defect)?;
    let location = format!("{collection}{}/", made.id);
    let location = HeaderValue::try_from(location).map_err(defect)?;
    let mut response = self::created(told)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// 204.
pub(crate) fn no_content() -> HttpResult {
    Ok(HttpResponse::new(StatusCode::NO_CONTENT))
}

/// 200 for OPTIONS, with this `Allow` header.
pub(crate) fn options(allow: HeaderValue) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn json(status: StatusCode, shape: &impl Serialize) -> HttpResult {
    let body = serde_json::to_string(shape).map_err(defect)?;
    Ok(with_body(status, body))
}

fn with_body(status: StatusCode, body: String) -> HttpResponse {
    of_bytes(status, JSON, body.into())
}

/// A response without the builder of actix-web, which takes several times as long.
fn of_bytes(status: StatusCode, media: HeaderValue, body: Bytes) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, BoxBody::new(body));
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

fn defect(error: impl Display) -> ApiError {
    ApiError::Defect(error.to_string())
}
