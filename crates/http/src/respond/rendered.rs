//! Rendered response bodies: one serialisation, shared as bytes by all requests that it answers.

use crate::respond::coding::{self, AcceptedCodings};
use crate::respond::etag::ETag;
use actix_web::web::Bytes;
use flate2::read::GzDecoder;
use serde::Serialize;
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A response body. It is compressed at most once, when the first client that accepts it asks.
pub(crate) struct Rendered {
    plain: OnceLock<Bytes>,
    /// `None` inside if compression makes it no smaller.
    gzip: OnceLock<Option<Bytes>>,
    tag: Option<ETag>,
}

impl Rendered {
    /// A body with the tag of its resource, if that has one.
    pub(crate) fn new(body: impl Into<Bytes>, tag: Option<ETag>) -> Self {
        Self {
            plain: OnceLock::from(body.into()),
            gzip: OnceLock::new(),
            tag,
        }
    }

    /// A JSON body.
    ///
    /// # Errors
    /// If it cannot be serialized, which every response DTO can.
    pub(crate) fn json(shape: &impl Serialize, tag: Option<ETag>) -> serde_json::Result<Self> {
        Ok(Self::new(serde_json::to_vec(shape)?, tag))
    }

    /// A body that was compressed when the program was built. It is decompressed at most once, for
    /// the first client that does not accept gzip.
    pub(crate) fn packed(gzip: &'static [u8]) -> Self {
        Self {
            plain: OnceLock::new(),
            gzip: OnceLock::from(Some(Bytes::from_static(gzip))),
            tag: Some(ETag::of_text(gzip)),
        }
    }

    pub(crate) fn tag(&self) -> Option<&ETag> {
        self.tag.as_ref()
    }

    /// The body for a client that accepts these codings, and whether it is compressed.
    pub(crate) fn body(&self, accepted: AcceptedCodings) -> (Bytes, bool) {
        // A body that was compressed from the beginning is large.
        let size = self.plain.get().map_or(usize::MAX, Bytes::len);
        if accepted.wants_gzip(size)
            && let Some(gzip) = self.gzip()
        {
            return (gzip.clone(), true);
        }
        (self.plain().clone(), false)
    }

    fn gzip(&self) -> Option<&Bytes> {
        let gzip = self.gzip.get_or_init(|| coding::gzip(self.plain.get()?));
        gzip.as_ref()
    }

    fn plain(&self) -> &Bytes {
        self.plain.get_or_init(|| {
            let mut plain = Vec::new();
            let packed = self.gzip.get().and_then(Option::as_deref);
            // The build has compressed it, so it can be decompressed.
            let _ = GzDecoder::new(packed.unwrap_or_default()).read_to_end(&mut plain);
            plain.into()
        })
    }
}

/// Whole bodies made of one read, by their page and links.
pub(crate) struct Variants<K>(Mutex<Vec<(K, Arc<Rendered>)>>);

/// The most bodies that are kept of one read. Requests for one page name one host and one order of
/// the parameters, except by intent.
const MAX_VARIANTS: usize = 4;

impl<K: PartialEq> Variants<K> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// The body under this key, rendered by the first request that needs it.
    ///
    /// # Errors
    /// Those of `render`.
    pub(crate) fn get_or_render<E>(
        &self,
        key: K,
        render: impl FnOnce(&K) -> Result<Rendered, E>,
    ) -> Result<Arc<Rendered>, E> {
        // The list is consistent even if a thread panicked while it held the lock.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, rendered)) = known.iter().find(|(other, _)| *other == key) {
            return Ok(Arc::clone(rendered));
        }
        let rendered = Arc::new(render(&key)?);
        if known.len() < MAX_VARIANTS {
            known.push((key, Arc::clone(&rendered)));
        }
        Ok(rendered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
    use std::convert::Infallible;

    fn accepts(coding: &'static str) -> AcceptedCodings {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(coding));
        AcceptedCodings::of(&headers)
    }

    #[test]
    fn a_body_is_compressed_once_for_all_clients_that_accept_it() {
        let text = "a page of the catalogue ".repeat(100);
        let rendered = Rendered::new(text.clone(), None);
        let (one, is_packed) = rendered.body(accepts("gzip"));
        let (other, _) = rendered.body(accepts("gzip, br"));
        assert!(is_packed && one.as_ptr() == other.as_ptr());
        let (plain, is_packed) = rendered.body(accepts("br"));
        assert!(!is_packed && plain == text);
        let small = Rendered::new("{}", None);
        assert_eq!(small.body(accepts("gzip")), (Bytes::from("{}"), false));
        assert!(small.body(accepts("gzip, identity;q=0")).1);
    }

    #[test]
    fn a_body_that_was_built_compressed_is_decompressed_once() {
        let text = "the script of the docs page ".repeat(100);
        let packed = coding::gzip(text.as_bytes()).unwrap().to_vec().leak();
        let rendered = Rendered::packed(packed);
        let (gzip, is_packed) = rendered.body(accepts("gzip"));
        assert!(is_packed && gzip.as_ptr() == packed.as_ptr());
        let (one, is_packed) = rendered.body(accepts("identity"));
        let (other, _) = rendered.body(accepts("identity"));
        assert!(!is_packed && one == text && one.as_ptr() == other.as_ptr());
    }

    #[test]
    fn a_variant_is_rendered_once_and_their_number_is_bounded() {
        let variants = Variants::new();
        let mut count = 0;
        for key in [1, 2, 1, 2, 3, 4, 5, 5, 1] {
            let rendered = variants.get_or_render(key, |key| {
                count += 1;
                Ok::<_, Infallible>(Rendered::new(key.to_string(), None))
            });
            let (body, _) = rendered.unwrap().body(accepts(""));
            assert_eq!(body, key.to_string());
        }
        // The fifth finds no room, and is rendered for each request.
        assert_eq!(count, 6);
    }
}
