//! Content codings (RFC 9110, section 8.4): which one a request accepts, and gzip.

use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap};
use actix_web::web::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use std::cell::RefCell;

/// Smaller bodies are not compressed: they fit into one packet with their headers in either form.
pub(crate) const MIN_SIZE: usize = 1_024;

/// The level of gzip, from the measurement in ADR 0042: the next one needs twice the time for a
/// tenth of the bytes.
const LEVEL: u32 = 1;

/// The window of deflate, as a power of two: the largest one, as most answers are smaller.
const WINDOW_BITS: u8 = 15;

/// The content codings that a request accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AcceptedCodings {
    /// Whether the client can decode gzip, as far as it says.
    gzip: bool,
    /// Whether it prefers gzip to an unencoded body, or likes them as much.
    prefers_gzip: bool,
    /// Whether it refuses an unencoded body.
    refuses_identity: bool,
}

impl AcceptedCodings {
    /// No coding: the plain body.
    pub(crate) const NONE: Self = Self {
        gzip: false,
        prefers_gzip: false,
        refuses_identity: false,
    };

    /// Parses `Accept-Encoding` (RFC 9110, section 12.5.3). Without the header any coding is
    /// acceptable, but the body is not encoded: most clients that send none cannot decode it. A
    /// malformed member of the list counts as absent.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut weights = Weights::default();
        let mut is_given = false;
        for value in headers.get_all(ACCEPT_ENCODING) {
            is_given = true;
            for member in value.to_str().unwrap_or_default().split(',') {
                weights.add(member);
            }
        }
        if !is_given {
            return Self {
                gzip: true,
                prefers_gzip: false,
                refuses_identity: false,
            };
        }
        let gzip = weights.gzip.or(weights.any).unwrap_or(0);
        // Without a weight of its own, it is acceptable, unless `*` refuses it.
        let identity = weights.identity.or(weights.any);
        Self {
            gzip: gzip > 0,
            prefers_gzip: gzip > 0 && identity.is_none_or(|identity| gzip >= identity),
            refuses_identity: identity == Some(0),
        }
    }

    /// Whether a client may be referred to an encoded body that it holds.
    pub(crate) fn accepts_gzip(self) -> bool {
        self.gzip
    }

    /// Whether a body of this size is sent encoded.
    pub(crate) fn wants_gzip(self, size: usize) -> bool {
        self.prefers_gzip && (size > MIN_SIZE || self.refuses_identity)
    }
}

/// The weights of an `Accept-Encoding`, in thousandths.
#[derive(Debug, Default)]
struct Weights {
    gzip: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Weights {
    fn add(&mut self, member: &str) {
        let (coding, parameter) = match member.split_once(';') {
            Some((coding, parameter)) => (coding.trim(), Some(parameter)),
            None => (member.trim(), None),
        };
        let weight = match parameter.map(weight) {
            None => 1_000,
            Some(Some(weight)) => weight,
            Some(None) => return,
        };
        let known = match coding {
            "*" => &mut self.any,
            // An older name of it (RFC 9110, section 8.4.1.3).
            gzip if ["gzip", "x-gzip"]
                .iter()
                .any(|name| gzip.eq_ignore_ascii_case(name)) =>
            {
                &mut self.gzip
            }
            identity if identity.eq_ignore_ascii_case("identity") => &mut self.identity,
            _ => return,
        };
        *known = Some(weight);
    }
}

/// Parses a weight, such as `q=0.5`, in thousandths (RFC 9110, section 12.4.2).
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let is_number = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let whole = match whole {
        "0" => 0,
        "1" => 1_000,
        _ => return None,
    };
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    let weight = thousandths.checked_add(whole)?;
    (is_number && weight <= 1_000).then_some(weight)
}

thread_local! {
    /// The state of a compressor is a quarter of a megabyte: it is reused.
    static GZIP: RefCell<Compress> =
        RefCell::new(Compress::new_gzip(Compression::new(LEVEL), WINDOW_BITS));
}

/// The most bytes that gzip adds to a body of [`MIN_SIZE`]: header, trailer and an unpacked block.
const OVERHEAD: usize = 64;

/// Compresses a body; `None` if that makes it no smaller. One of up to [`MIN_SIZE`] may grow: it is
/// compressed only if the client accepts nothing else.
pub(crate) fn gzip(body: &[u8]) -> Option<Bytes> {
    let room = if body.len() > MIN_SIZE { 0 } else { OVERHEAD };
    let mut packed = Vec::with_capacity(body.len().saturating_add(room));
    let status = GZIP.with_borrow_mut(|gzip| {
        gzip.reset();
        // Writes no more than fits into the capacity.
        gzip.compress_vec(body, &mut packed, FlushCompress::Finish)
    });
    matches!(status, Ok(Status::StreamEnd)).then(|| packed.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;
    use flate2::read::GzDecoder;
    use std::io::Read;

    fn accepted(values: &[&str]) -> AcceptedCodings {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        }
        AcceptedCodings::of(&headers)
    }

    #[test]
    fn accept_encoding_is_parsed_with_its_weights() {
        // The header, and whether gzip is acceptable, preferred, and the only choice.
        for (values, expected) in [
            (&[][..], [true, false, false]),
            (&[""], [false, false, false]),
            (&["gzip"], [true, true, false]),
            (&["GZip"], [true, true, false]),
            (&["x-gzip"], [true, true, false]),
            (&["gzip, deflate, br, zstd"], [true, true, false]),
            (&["br;q=1, gzip;q=0.001"], [true, true, false]),
            (&["br", "gzip"], [true, true, false]),
            (&["deflate, br"], [false, false, false]),
            (&["identity"], [false, false, false]),
            (&["gzip;q=0"], [false, false, false]),
            (&["gzip; q=0.000"], [false, false, false]),
            (&["gzip;q=0, *"], [false, false, false]),
            (&["*"], [true, true, false]),
            (&["*;q=0"], [false, false, true]),
            (&["gzip, *;q=0"], [true, true, true]),
            (&["gzip, identity;q=0"], [true, true, true]),
            (&["identity;q=0"], [false, false, true]),
            (&["identity;q=0, *"], [true, true, true]),
            (&["gzip;q=0.5, identity;q=0.8"], [true, false, false]),
            (&["gzip;q=0.8, identity;q=0.5"], [true, true, false]),
            (&["gzip;q=0.5, *;q=0.8"], [true, false, false]),
            (&["gzip ; Q = 0.5"], [true, true, false]),
            (&["gzip;q=1.000"], [true, true, false]),
            // No weights.
            (&["gzip;q=1.001"], [false, false, false]),
            (&["gzip;q=0.1234"], [false, false, false]),
            (&["gzip;q=2"], [false, false, false]),
            (&["gzip;q=-1"], [false, false, false]),
            (&["gzip;q=+0.5"], [false, false, false]),
            (&["gzip;q=0.+5"], [false, false, false]),
            (&["gzip;q="], [false, false, false]),
            (&["gzip;level=9"], [false, false, false]),
            (&["gzipped, my gzip"], [false, false, false]),
        ] {
            let codings = accepted(values);
            let seen = [codings.gzip, codings.prefers_gzip, codings.refuses_identity];
            assert_eq!(seen, expected, "{values:?}");
        }
    }

    #[test]
    fn small_bodies_are_compressed_only_if_nothing_else_is_acceptable() {
        for (header, sizes) in [
            ("gzip", [false, false, true]),
            ("gzip, identity;q=0", [true, true, true]),
            ("identity", [false, false, false]),
        ] {
            let codings = accepted(&[header]);
            let seen = [0, MIN_SIZE, MIN_SIZE + 1].map(|size| codings.wants_gzip(size));
            assert_eq!(seen, sizes, "{header}");
        }
    }

    #[test]
    fn compressed_bodies_decode_to_the_original_one_after_the_other() {
        for size in [1_025, 100_000, 2_000] {
            let bytes = (0..=250_u8).cycle().flat_map(|byte| [byte; 7]);
            let body: Vec<u8> = bytes.take(size).collect();
            let packed = gzip(&body).unwrap();
            assert!(packed.len() < body.len());
            let mut decoded = Vec::new();
            GzDecoder::new(&packed[..])
                .read_to_end(&mut decoded)
                .unwrap();
            assert!(decoded == body, "{size}");
        }
    }

    #[test]
    fn a_body_that_would_grow_is_left_alone_unless_it_is_small() {
        assert!(gzip(b"").is_some() && gzip(b"{}").is_some());
        let digests = (0..40_u8).flat_map(|number| {
            use sha2::{Digest, Sha256};
            Sha256::digest([number])
        });
        assert_eq!(gzip(&digests.collect::<Vec<_>>()), None);
        assert!(gzip(&[b'a'; 2_000]).is_some());
    }
}
