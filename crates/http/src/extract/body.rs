//! Request body extractor, bounded in size and time.

use crate::error::ApiError;
use crate::extract::fields::Fields;
use crate::extract::form;
use crate::extract::request_context::RequestInfo;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde_json::error::Category;
use std::time::Instant;

/// The largest body that is read, in bytes: 64 KiB.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// The media type that a body declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Form,
    Multipart,
    /// Compressed, or encoded in another way (`Content-Encoding`).
    Encoded,
    Other,
}

/// Extracts the fields of a JSON object or of a form in either encoding, as the default parsers of
/// Django REST framework do. A missing body counts as an object without fields.
impl FromRequest for Fields {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = read(&request, payload, MAX_BODY).await?;
            if body.is_empty() {
                return Ok(Self::default());
            }
            match media(request.headers()) {
                Media::Json => json(&body),
                Media::Form => form::urlencoded(&body),
                Media::Multipart => form::multipart(request.headers(), body).await,
                Media::Encoded => Err(ApiError::UnsupportedEncoding),
                Media::Other => Err(ApiError::UnsupportedMediaType),
            }
        })
    }
}

/// Reads a urlencoded form as its pairs of names and values, in order.
///
/// # Errors
/// For another media type or encoding, a body above `max` bytes or past the deadline, and text that
/// is not UTF-8.
pub async fn read_form(
    request: &HttpRequest,
    payload: Payload,
    max: usize,
) -> Result<Vec<(String, String)>, ApiError> {
    let body = read(request, payload, max).await?;
    match media(request.headers()) {
        _ if body.is_empty() => Ok(Vec::new()),
        Media::Form => form::pairs(&body),
        Media::Encoded => Err(ApiError::UnsupportedEncoding),
        Media::Json | Media::Multipart | Media::Other => Err(ApiError::UnsupportedMediaType),
    }
}

/// Reads the whole body, until the deadline of the request: a client that sends one byte a minute
/// would otherwise hold its slot indefinitely.
async fn read(request: &HttpRequest, payload: Payload, max: usize) -> Result<Bytes, ApiError> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let fits = |length| usize::try_from(length).is_ok_and(|length| length <= max);
    if announced.is_some_and(|length| !fits(length)) {
        return Err(ApiError::BodyTooLarge);
    }
    let deadline = RequestInfo::of(request).map_or_else(Instant::now, |info| info.deadline);
    tokio::time::timeout_at(deadline.into(), collect(payload, max))
        .await
        .unwrap_or(Err(ApiError::BodyTimeout))
}

async fn collect(mut payload: Payload, max: usize) -> Result<Bytes, ApiError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::MalformedBody("The body is not complete."))?;
        if body.len() + chunk.len() > max {
            return Err(ApiError::BodyTooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn media(headers: &HeaderMap) -> Media {
    let encoded = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return Media::Encoded;
    }
    let Some(Ok(declared)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return Media::Other;
    };
    let mut parts = declared.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let foreign_text = parts.any(|parameter| {
        parameter
            .split_once('=')
            .is_some_and(|(name, value)| name.eq_ignore_ascii_case("charset") && !is_utf8(value))
    });
    if foreign_text {
        return Media::Other;
    }
    for (name, media) in [
        ("application/json", Media::Json),
        ("application/x-www-form-urlencoded", Media::Form),
        ("multipart/form-data", Media::Multipart),
    ] {
        if essence.eq_ignore_ascii_case(name) {
            return media;
        }
    }
    Media::Other
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

pub(crate) fn json(body: &[u8]) -> Result<Fields, ApiError> {
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::MalformedBody("The body is not valid UTF-8."))?;
    serde_json::from_str(text)
        .map(Fields::new)
        .map_err(|error| match error.classify() {
            Category::Data => ApiError::MalformedBody("The body has to be a JSON object."),
            Category::Syntax | Category::Eof | Category::Io => {
                ApiError::MalformedBody("The body is not valid JSON.")
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn bodies_are_json_in_utf_8_or_forms() {
        for (declared, expected) in [
            ("application/json", Media::Json),
            ("Application/JSON", Media::Json),
            ("application/json; charset=utf-8", Media::Json),
            ("application/json;charset=\"UTF-8\"", Media::Json),
            ("application/json; charset=utf-8; x=y", Media::Json),
            ("application/json; charset=latin1", Media::Other),
            ("application/json-patch+json", Media::Other),
            ("text/json", Media::Other),
            ("text/plain", Media::Other),
            ("", Media::Other),
            ("application/x-www-form-urlencoded", Media::Form),
            ("multipart/form-data; boundary=x", Media::Multipart),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(media(&headers), Media::Other);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(declared));
            assert_eq!(media(&headers), expected, "{declared}");
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
            assert_eq!(media(&headers), expected, "{declared}");
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            assert_eq!(media(&headers), Media::Encoded, "{declared}");
        }
    }

    #[test]
    fn only_an_object_is_a_body() {
        for (text, sentence) in [
            ("[]", "The body has to be a JSON object."),
            ("\"x\"", "The body has to be a JSON object."),
            ("null", "The body has to be a JSON object."),
            ("1", "The body has to be a JSON object."),
            ("{", "The body is not valid JSON."),
            ("{}x", "The body is not valid JSON."),
            ("{\"a\": 01}", "The body is not valid JSON."),
            ("{\"a\": NaN}", "The body is not valid JSON."),
            ("{'a': 1}", "The body is not valid JSON."),
        ] {
            let error = json(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), sentence, "{text}");
        }
        let error = json(b"{\"a\": \"\xff\"}").unwrap_err();
        assert_eq!(error.to_string(), "The body is not valid UTF-8.");
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(30_000), "]".repeat(30_000));
        assert!(json(deep.as_bytes()).is_ok());
    }
}
