//! Secrets of sessions: random values that only a browser has, and the digests and tokens that are
//! derived from them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tradepost_domain::identity::SessionDigest;

/// Length of an encoded secret or token.
const ENCODED: usize = 43;

/// A new secret: 256 random bits as text.
pub(crate) fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a text has the form of a secret.
pub(crate) fn is_secret(text: &str) -> bool {
    text.len() == ENCODED && URL_SAFE_NO_PAD.decode(text).is_ok()
}

/// The digest under which a session is stored.
pub(crate) fn session_digest(secret: &str) -> SessionDigest {
    SessionDigest::new(digest("session", secret, ""))
}

/// The CSRF token of a session, or of a browser that is not signed in. The token does not reveal the
/// secret.
pub(crate) fn csrf_token(secret: &str) -> String {
    mac("csrf", secret, "")
}

/// Authenticates a text that a browser holds, such as a flash message.
pub(crate) fn mac(purpose: &str, secret: &str, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(purpose, secret, text))
}

/// A secret has a fixed length and comes before the text, so that no two inputs are the same.
fn digest(purpose: &str, secret: &str, text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in ["tradepost-admin\0", purpose, "\0", secret, "\0", text] {
        hash.update(part);
    }
    // The digest of a digest, so that a longer text cannot be derived from a shorter one.
    Sha256::digest(hash.finalize()).into()
}

/// Compares two texts in a time that does not depend on their contents.
pub(crate) fn is_equal(one: &str, other: &str) -> bool {
    let bytes = one.bytes().zip(other.bytes());
    let difference = bytes.fold(0, |difference, (one, other)| difference | (one ^ other));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_random_and_recognised() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one, other);
        assert!(is_secret(&one));
        for text in ["", "a", &one[1..], &format!("{one}A"), &"%".repeat(43)] {
            assert!(!is_secret(text), "{text}");
        }
    }

    #[test]
    fn tokens_differ_by_purpose_secret_and_text() {
        let secret = "s";
        assert_ne!(csrf_token(secret), mac("flash", secret, ""));
        assert_ne!(csrf_token(secret), csrf_token("t"));
        assert_ne!(mac("flash", secret, "a"), mac("flash", secret, "b"));
    }

    #[test]
    fn comparison_needs_all_of_a_text() {
        assert!(is_equal("abc", "abc"));
        for other in ["", "ab", "abd", "abcd", "xbc"] {
            assert!(!is_equal("abc", other), "{other}");
        }
    }
}
