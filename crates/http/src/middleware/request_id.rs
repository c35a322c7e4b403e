//! Request ids: sent by the client, or generated.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The most digits of the counter.
const COUNT: usize = 16;

/// Generator of request ids for requests that carry none: a random prefix for each process, and a
/// counter.
pub(crate) struct RequestIds {
    /// In hexadecimal, with a dash at its end.
    process: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> std::io::Result<Self> {
        let process = getrandom::u64().map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self {
            process: format!("{process:016x}-"),
            count: AtomicU64::new(1),
        })
    }

    /// The id that the client sent, if it is safe to log; otherwise a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> HeaderValue {
        let sent = headers.get(REQUEST_ID).filter(|id| is_sane(id));
        sent.cloned().unwrap_or_else(|| self.next())
    }

    fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut id = String::with_capacity(self.process.len() + COUNT);
        id.push_str(&self.process);
        // Digits without the zeros in front, but at least one.
        let zeros = count.leading_zeros().min(u64::BITS - 4) / 4;
        for place in (0..u64::BITS / 4 - zeros).rev() {
            let digit = u32::try_from(count >> (4 * place) & 15).ok();
            id.extend(digit.and_then(|digit| char::from_digit(digit, 16)));
        }
        // Hexadecimal digits are a valid header value.
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("-"))
    }
}

/// Names the request in the response headers.
pub(super) fn write(id: &HeaderValue, headers: &mut HeaderMap) {
    headers.insert(REQUEST_ID, id.clone());
}

/// Whether a request id from a client is safe for the log and a header.
fn is_sane(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=128).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_request_ids_are_kept_if_safe_to_log() {
        let long = "x".repeat(128);
        let longer = "x".repeat(129);
        for (id, sane) in [
            ("a", true),
            ("A-1._z", true),
            (&*long, true),
            (&*longer, false),
            ("", false),
            ("a b", false),
            ("a\tb", false),
            ("a\"b", false),
            ("é", false),
        ] {
            let value = HeaderValue::from_bytes(id.as_bytes()).unwrap();
            assert_eq!(is_sane(&value), sane, "{id:?}");
        }
    }

    #[test]
    fn generated_request_ids_are_unique_and_safe_to_log() {
        let ids = RequestIds::new().unwrap();
        let (one, other) = (ids.next(), ids.next());
        assert!(one != other && is_sane(&one) && is_sane(&other));
        assert_ne!(
            RequestIds::new().unwrap().next(),
            RequestIds::new().unwrap().next()
        );
        for count in [0, 1, 15, 16, 0xfedc_ba98_7654_3210, u64::MAX] {
            ids.count.store(count, Ordering::Relaxed);
            let id = ids.next();
            let (process, digits) = id.to_str().unwrap().split_once('-').unwrap();
            assert_eq!((process.len(), digits), (16, &*format!("{count:x}")));
        }
    }
}
