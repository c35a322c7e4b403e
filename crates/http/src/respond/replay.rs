//! The `Idempotency-Key` header: a command that is sent twice under one key is executed once, and
//! both requests get the same response, byte for byte.
//!
//! A key is bare or in double quotes, which are not part of it: `abc` and `"abc"` are the same key.
//! No escapes are decoded.
//!
//! Whether two requests carry the same command is decided by a fingerprint: the SHA-256 of the
//! parsed command in a canonical form. So `{"quantity": "2"}` and `{"quantity": 2}` are the same
//! command, with any white space and unknown fields, and a default is the same as its absence. The
//! form is a JSON array of the kind of the command and its values in a fixed order. Fingerprints
//! are stored as long as keys are: a change of a form makes retries from before the change look
//! like other commands.

use crate::respond::etag::ETag;
use actix_web::http::header::{HeaderMap, HeaderName};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tradepost_domain::kernel::{
    Execution, FieldError, FieldName, IdempotencyKey, IdempotencyScope, Idempotent, ResponseEncoder,
};

/// The name of the header as clients write it, used in errors.
pub(crate) const FIELD: FieldName = "Idempotency-Key";
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Set on a response that was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key of a request, if it has one.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, FieldError> {
    let mut values = headers.get_all(KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed = FieldError::WrongType {
        expected: "one key, bare or in double quotes",
    };
    if values.next().is_some() {
        return Err(malformed);
    }
    let text = value
        .to_str()
        .map_err(|_| FieldError::NotVisibleAscii)?
        .trim();
    let inner = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or(malformed)?,
        None => text,
    };
    IdempotencyKey::new(inner).map(Some)
}

/// A key with its command. `path` is canonical: with the slash at its end, and the id as a number.
pub(crate) fn keyed<T>(
    key: IdempotencyKey,
    path: &str,
    command: &impl Serialize,
    render: fn(&T) -> String,
) -> Idempotent<T> {
    Idempotent {
        scope: IdempotencyScope {
            path: path.to_owned(),
            key,
        },
        fingerprint: fingerprint(command),
        render: ResponseEncoder(render),
    }
}

fn fingerprint(command: &impl Serialize) -> String {
    // Tuples of texts and numbers can always be serialized.
    let form = serde_json::to_vec(command).unwrap_or_default();
    format!("{:x}", Sha256::digest(form))
}

/// The response to a command, executed now or replayed.
pub(crate) struct ReplayableResponse {
    pub(crate) body: String,
    pub(crate) replayed: bool,
    /// The `ETag` of a resource that was created now; a replayed one may have changed since.
    pub(crate) tag: Option<ETag>,
}

impl ReplayableResponse {
    pub(crate) fn of<T>(written: Execution<T>, render: fn(&T) -> String) -> Self {
        Self::tagged(written, render, |_| None)
    }

    /// The same, for a resource with an `ETag`.
    pub(crate) fn tagged<T>(
        written: Execution<T>,
        render: fn(&T) -> String,
        tag: fn(&T) -> Option<ETag>,
    ) -> Self {
        match written {
            Execution::Executed(outcome) => Self {
                body: render(&outcome),
                replayed: false,
                tag: tag(&outcome),
            },
            Execution::Replayed(body) => Self {
                body,
                replayed: true,
                tag: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn keys_are_parsed_bare_or_quoted() {
        let (long, longer) = ("k".repeat(255), "k".repeat(256));
        let quoted = format!("\"{long}\"");
        let malformed = || {
            Err(FieldError::WrongType {
                expected: "one key, bare or in double quotes",
            })
        };
        for (header, expected) in [
            ("abc", Ok("abc")),
            ("\"abc\"", Ok("abc")),
            ("  abc ", Ok("abc")),
            ("a\"b", Ok("a\"b")),
            ("\"a\"b\"", Ok("a\"b")),
            ("\"a\\\"b\"", Ok("a\\\"b")),
            ("~!{}[]", Ok("~!{}[]")),
            (&*long, Ok(&*long)),
            (&*quoted, Ok(&*long)),
            (&*longer, Err(FieldError::TooLong { max: 255 })),
            ("", Err(FieldError::Blank)),
            ("  ", Err(FieldError::Blank)),
            ("\"\"", Err(FieldError::Blank)),
            ("\"", malformed()),
            ("\"abc", malformed()),
            ("\"abc\";x=1", malformed()),
            ("a b", Err(FieldError::NotVisibleAscii)),
            ("\" a\"", Err(FieldError::NotVisibleAscii)),
            ("a\tb", Err(FieldError::NotVisibleAscii)),
            ("a, b", Err(FieldError::NotVisibleAscii)),
            ("é", Err(FieldError::NotVisibleAscii)),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(read(&headers), Ok(None));
            headers.append(KEY, HeaderValue::from_bytes(header.as_bytes()).unwrap());
            let seen = read(&headers).map(|key| key.unwrap().as_str().to_owned());
            assert_eq!(seen, expected.map(str::to_owned), "{header:?}");
            headers.append(KEY, HeaderValue::from_static("abc"));
            assert_eq!(read(&headers).map(|_| ""), malformed(), "two of them");
        }
    }

    #[test]
    fn fingerprints_cover_the_parsed_command() {
        let one = fingerprint(&("order", Some(1)));
        // sha256sum of ["order",1]
        assert_eq!(
            one,
            "8cf673475949751b92b1386de33924ce944fe986dd6ba4650d11a7ca68514f5b"
        );
        assert_ne!(one, fingerprint(&("order", None::<i64>)));
        assert_ne!(fingerprint(&("a", "b,c")), fingerprint(&("a,b", "c")));
    }
}
