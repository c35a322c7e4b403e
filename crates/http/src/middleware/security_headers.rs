//! Security and cache headers.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};

/// Sets the security and cache headers, except for those that a response sets itself.
///
/// - `nosniff`: the declared media type counts, and browsers do not guess.
/// - Content security policy: opened as a page, a response loads nothing, runs nothing, and is
///   shown in no frame.
/// - Cache control: a response with an `ETag` may be stored by the browser, which has to revalidate
///   it; that costs a 304. One without may not be stored: it carries a token, concerns one user, or
///   is an error.
pub(super) fn set(headers: &mut HeaderMap) {
    const ALONE: &str = "default-src 'none'; frame-ancestors 'none'";
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(ALONE));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        let keep = if headers.contains_key(ETAG) {
            "private, no-cache"
        } else {
            "no-store"
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    }
}
