//! The `Idempotency-Key` header: what is sent twice under one key happens once, and both get the
//! same answer, byte for byte.
//!
//! A key is bare or in double quotes, with what stands between them as the key: `abc` and `"abc"`
//! are the same one. No escapes are read in it.
//!
//! Whether it came with the same command is told by a fingerprint: the SHA-256 of the command as it
//! was understood, in a form of its own. So `{"quantity": "2"}`, `{"quantity": 2}` with whatever
//! spaces and unknown fields beside it are the same command, and a default is the same as its
//! absence. The form is a JSON array of what kind of command it is and its values in a fixed order.
//! Fingerprints are kept as long as keys are: whoever changes a form makes retries from before the
//! change look like other commands.

use crate::tags::Tag;
use actix_web::http::header::{HeaderMap, HeaderName};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tradepost_domain::{FieldName, IdempotencyKey, KeyScope, Keyed, Problem, Render, Written};

/// Its name as clients write it, and as it stands in errors.
pub(crate) const FIELD: FieldName = "Idempotency-Key";
const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer was given before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The key that a request came with, if it came with one.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all(KEY);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed = Problem::WrongType {
        expected: "one key, bare or in double quotes",
    };
    if values.next().is_some() {
        return Err(malformed);
    }
    let text = value.to_str().map_err(|_| Problem::NotVisibleAscii)?.trim();
    let inner = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or(malformed)?,
        None => text,
    };
    IdempotencyKey::new(inner).map(Some)
}

/// A key with the command that it came with. `path` is the canonical one: with the slash at its
/// end, and the id as a number.
pub(crate) fn keyed<T>(
    key: IdempotencyKey,
    path: &str,
    command: &impl Serialize,
    render: fn(&T) -> String,
) -> Keyed<T> {
    Keyed {
        scope: KeyScope {
            path: path.to_owned(),
            key,
        },
        fingerprint: fingerprint(command),
        render: Render(render),
    }
}

fn fingerprint(command: &impl Serialize) -> String {
    // Tuples of texts and numbers can always be written.
    let form = serde_json::to_vec(command).unwrap_or_default();
    format!("{:x}", Sha256::digest(form))
}

/// The answer to a command that may have been sent before.
pub(crate) struct Told {
    pub(crate) body: String,
    pub(crate) replayed: bool,
    /// Of what was made just now: what was made before may have changed since.
    pub(crate) tag: Option<Tag>,
}

impl Told {
    pub(crate) fn of<T>(written: Written<T>, render: fn(&T) -> String) -> Self {
        Self::tagged(written, render, |_| None)
    }

    /// The same, of something that has a tag.
    pub(crate) fn tagged<T>(
        written: Written<T>,
        render: fn(&T) -> String,
        tag: fn(&T) -> Option<Tag>,
    ) -> Self {
        match written {
            Written::Now(outcome) => Self {
                body: render(&outcome),
                replayed: false,
                tag: tag(&outcome),
            },
            Written::Before(body) => Self {
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
    fn headers_as_a_table() {
        let (long, longer) = ("k".repeat(255), "k".repeat(256));
        let quoted = format!("\"{long}\"");
        let malformed = || {
            Err(Problem::WrongType {
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
            (&*longer, Err(Problem::TooLong { max: 255 })),
            ("", Err(Problem::Blank)),
            ("  ", Err(Problem::Blank)),
            ("\"\"", Err(Problem::Blank)),
            ("\"", malformed()),
            ("\"abc", malformed()),
            ("\"abc\";x=1", malformed()),
            ("a b", Err(Problem::NotVisibleAscii)),
            ("\" a\"", Err(Problem::NotVisibleAscii)),
            ("a\tb", Err(Problem::NotVisibleAscii)),
            ("a, b", Err(Problem::NotVisibleAscii)),
            ("é", Err(Problem::NotVisibleAscii)),
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
    fn a_fingerprint_is_of_what_is_meant() {
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
