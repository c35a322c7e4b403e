//! Entity tags (RFC 9110, section 8.8.3), for conditional requests.
//!
//! A tag is a digest of the whole response, in two parts: the fields that edits change, and the
//! volatile ones that change without an edit, as the stock of a product does with every sale.
//! `If-None-Match` compares both; `If-Match` only the fields that the request would edit.

use actix_web::http::header::{EntityTag, Header, HeaderValue, IfMatch, IfNoneMatch};
use actix_web::{HttpRequest, http::Method};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tradepost_domain::kernel::{Precondition, ResponseEncoder};

/// The `ETag` of a representation.
pub(crate) struct ETag {
    version: String,
    volatile: String,
}

impl ETag {
    /// The tag of these digests; `volatile` is empty if no field changes without an edit.
    pub(crate) fn new(version: String, volatile: String) -> Self {
        Self { version, volatile }
    }

    /// The digest of the fields that edits change.
    pub(crate) fn into_version(self) -> String {
        self.version
    }

    /// The tag of a static text.
    pub(crate) fn of_text(text: &[u8]) -> Self {
        Self {
            version: short(text),
            volatile: String::new(),
        }
    }

    /// A fixed tag of two parts.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn for_fuzzing() -> Self {
        Self {
            version: digest(&"version"),
            volatile: digest(&"volatile"),
        }
    }

    /// The tag without its quotes.
    pub(crate) fn text(&self) -> String {
        match self.volatile.as_str() {
            "" => self.version.clone(),
            volatile => format!("{}.{volatile}", self.version),
        }
    }

    /// The value of the `ETag` header.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("\"{}\"", self.text())).ok()
    }

    /// Whether `If-None-Match` holds this tag, so that the response is 304.
    pub(crate) fn matches_if_none_match(&self, request: &HttpRequest) -> bool {
        let reads = [Method::GET, Method::HEAD].contains(request.method());
        let own = EntityTag::new_strong(self.text());
        reads
            && match IfNoneMatch::parse(request) {
                Ok(IfNoneMatch::Any) => true,
                Ok(IfNoneMatch::Items(held)) => held.iter().any(|tag| tag.weak_eq(&own)),
                Err(_) => false,
            }
    }
}

/// The tags in `If-Match`, if it has any; an unparsable value counts as a tag that matches nothing.
/// A weak tag counts like the strong one: tags are given out strong, and a proxy that compresses
/// responses (nginx with gzip) makes them weak on their way.
pub(crate) fn if_match<T>(
    request: &HttpRequest,
    part: fn(&str) -> &str,
    tag: fn(&T) -> String,
) -> Option<Precondition<T>> {
    if !request.headers().contains_key(IfMatch::name()) {
        return None;
    }
    let tags = match IfMatch::parse(request) {
        // `*` matches any current representation; a missing resource is 404 in any case.
        Ok(IfMatch::Any) => return None,
        Ok(IfMatch::Items(tags)) => tags,
        Err(_) => Vec::new(),
    };
    let tags = tags.iter().map(|tag| part(tag.tag()).to_owned());
    Some(Precondition {
        tags: tags.collect(),
        tag: ResponseEncoder(tag),
    })
}

/// The first part of a tag.
pub(crate) fn version(tag: &str) -> &str {
    tag.split_once('.').map_or(tag, |(version, _)| version)
}

/// Sixty-four bits of SHA-256: a collision can only deceive the client that constructs it.
pub(crate) fn digest(shape: &impl Serialize) -> String {
    // DTOs can always be serialized.
    short(&serde_json::to_vec(shape).unwrap_or_default())
}

fn short(form: &[u8]) -> String {
    let digest = format!("{:x}", Sha256::digest(form));
    digest.get(..16).unwrap_or_default().to_owned()
}
