//! Successes. The only place beside [`crate::error`] that names status codes.

use crate::call::Call;
use crate::error::ApiError;
use crate::idempotency::{REPLAYED, Told};
use crate::tags::Tag;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue, LOCATION,
    REFERRER_POLICY,
};
use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// What a handler gives.
pub(crate) type Answer = Result<HttpResponse, ApiError>;

/// Here it is.
pub(crate) fn ok(shape: &impl Serialize) -> Answer {
    json(StatusCode::OK, shape)
}

/// Here it is, with its tag; nothing of it if the client holds it already.
pub(crate) fn shown(call: &Call, shape: &impl Serialize, tag: &Tag) -> Answer {
    unless_held(call, tag, || json(StatusCode::OK, shape))
}

/// Something that is the same as long as the program runs.
pub(crate) struct File {
    media: HeaderValue,
    text: Bytes,
    tag: Tag,
}

impl File {
    pub(crate) fn new(media: &'static str, text: impl Into<Bytes>) -> Self {
        let text = text.into();
        Self {
            media: HeaderValue::from_static(media),
            tag: Tag::of_text(&text),
            text,
        }
    }
}

/// Here it is; nothing of it if the client holds it already.
pub(crate) fn file(call: &Call, file: &File) -> Answer {
    let whole = || {
        let media = (CONTENT_TYPE, file.media.clone());
        Ok(HttpResponse::Ok()
            .insert_header(media)
            .body(file.text.clone()))
    };
    let mut response = unless_held(call, &file.tag, whole)?;
    // Another version of the program has another text.
    let keep = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(CACHE_CONTROL, keep);
    Ok(response)
}

/// The same, for a browser, which is to ask nobody else for anything.
pub(crate) fn page(call: &Call, page: &File) -> Answer {
    // Swagger UI has pictures in its style sheet.
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; \
                  img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    let mut response = file(call, page)?;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// What has this tag; nothing of it if the client holds it already.
fn unless_held(call: &Call, tag: &Tag, whole: impl FnOnce() -> Answer) -> Answer {
    let response = if tag.is_held(call.request()) {
        HttpResponse::new(StatusCode::NOT_MODIFIED)
    } else {
        whole()?
    };
    Ok(tagged(response, Some(tag)))
}

fn tagged(mut response: HttpResponse, tag: Option<&Tag>) -> HttpResponse {
    if let Some(tag) = tag.and_then(Tag::header) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// Here it is, as a text of this type.
pub(crate) fn text(text: String, media: &'static str) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .insert_header((CONTENT_TYPE, HeaderValue::from_static(media)))
        .body(text)
}

/// It was made.
pub(crate) fn created(shape: &impl Serialize) -> Answer {
    json(StatusCode::CREATED, shape)
}

/// It was made, now or when the same was sent before.
pub(crate) fn told(told: Told) -> Answer {
    if told.body.is_empty() {
        // What is written has bounds, so that all of it can be told.
        let defect = "there is no answer to what was written";
        return Err(ApiError::Defect(defect.to_owned()));
    }
    let mut response = with_body(StatusCode::CREATED, told.body);
    if told.replayed {
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, replayed);
    }
    Ok(tagged(response, told.tag.as_ref()))
}

/// The same, and it is below this absolute address from now on, under its id.
pub(crate) fn told_at(collection: &str, told: Told) -> Answer {
    #[derive(Deserialize)]
    struct Made {
        id: i64,
    }
    let made: Made = serde_json::from_str(&told.body).map_err(defect)?;
    let location = format!("{collection}{}/", made.id);
    let location = HeaderValue::try_from(location).map_err(defect)?;
    let mut response = self::told(told)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// It is done, and there is nothing to show.
pub(crate) fn done() -> Answer {
    Ok(HttpResponse::new(StatusCode::NO_CONTENT))
}

/// These methods there are.
pub(crate) fn options(allow: HeaderValue) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn json(status: StatusCode, shape: &impl Serialize) -> Answer {
    let body = serde_json::to_string(shape).map_err(defect)?;
    Ok(with_body(status, body))
}

fn with_body(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .body(body)
}

fn defect(error: impl Display) -> ApiError {
    ApiError::Defect(error.to_string())
}
