//! Entity tags (RFC 9110, section 8.8.3), for conditional requests.
//!
//! A tag is a digest of the whole response, in two parts: the fields that edits change, and the
//! volatile ones that change without an edit, as the stock of a product does with every sale.
//! `If-None-Match` compares both; `If-Match` only the fields that the request would edit.
//!
//! The compressed form of a response is another representation, and its tag ends with [`GZIP`].

use crate::respond::coding::AcceptedCodings;
use actix_web::http::header::{
    ETAG, EntityTag, Header, HeaderMap, HeaderValue, IF_NONE_MATCH, IfMatch, IfNoneMatch,
};
use actix_web::{HttpRequest, http::Method};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use tradepost_domain::kernel::{Precondition, ResponseEncoder};

/// The end of the tag of a compressed representation.
const GZIP: &str = "-gzip";

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
            volatile => [&self.version, ".", volatile].concat(),
        }
    }

    /// The value of the `ETag` header.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        quoted(&self.text())
    }

    /// The value of the `ETag` header of a 304, if `If-None-Match` holds this tag: that of the
    /// representation that the client holds. The compressed one counts only for a client that
    /// accepts gzip: a cache may name it on behalf of a client that does not.
    pub(crate) fn not_modified(&self, request: &HttpRequest) -> Option<HeaderValue> {
        let headers = request.headers();
        let reads = [Method::GET, Method::HEAD].contains(request.method());
        if !reads || !headers.contains_key(IF_NONE_MATCH) {
            return None;
        }
        let held = match IfNoneMatch::parse(request).ok()? {
            IfNoneMatch::Any => return self.header(),
            IfNoneMatch::Items(held) => held,
        };
        let holds = |tag: &str| held.iter().any(|held| held.tag() == tag);
        let own = self.text();
        if holds(&own) {
            return self.header();
        }
        let packed = [&own, GZIP].concat();
        let accepts = holds(&packed) && AcceptedCodings::of(headers).accepts_gzip();
        accepts.then(|| quoted(&packed)).flatten()
    }
}

fn quoted(tag: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(["\"", tag, "\""].concat()).ok()
}

/// Changes the `ETag` of a response to that of its compressed representation.
pub(crate) fn mark_compressed(headers: &mut HeaderMap) {
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.and_then(|tag| tag.strip_suffix('"')?.strip_prefix('"'));
    if let Some(tag) = tag.and_then(|tag| quoted(&format!("{tag}{GZIP}"))) {
        headers.insert(ETAG, tag);
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
    // The compressed representation is one of the same state.
    let state = |tag: &EntityTag| {
        let tag = tag.tag();
        part(tag.strip_suffix(GZIP).unwrap_or(tag)).to_owned()
    };
    let tags = tags.iter().map(state);
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
    let mut form = Form(Sha256::new());
    // DTOs can always be serialized.
    let _ = serde_json::to_writer(&mut form, shape);
    hexadecimal(&form.0.finalize())
}

/// The digest of a text in parts.
pub(crate) fn digest_of(parts: &[&str]) -> String {
    let digest = parts.iter().fold(Sha256::new(), |digest, part| {
        digest.chain_update(part.as_bytes())
    });
    hexadecimal(&digest.finalize())
}

fn short(form: &[u8]) -> String {
    hexadecimal(&Sha256::digest(form))
}

fn hexadecimal(digest: &[u8]) -> String {
    let bits = digest.first_chunk().copied().map(u64::from_be_bytes);
    format!("{:016x}", bits.unwrap_or_default())
}

/// A writer that computes the digest of its input.
struct Form(Sha256);

impl Write for Form {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
