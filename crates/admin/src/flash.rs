//! Flash messages: a sentence for the next page, after a form was accepted. It travels in a cookie
//! that only the same session can have written.

use crate::secrets::{is_equal, mac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Longest message in bytes: cookies have limits.
const LONGEST: usize = 1_000;

/// A message with its signature, for a cookie.
pub(crate) fn encode(message: &str, secret: &str) -> String {
    let end = message.floor_char_boundary(LONGEST);
    let text = URL_SAFE_NO_PAD.encode(message.get(..end).unwrap_or_default());
    format!("{text}.{}", mac("flash", secret, &text))
}

/// The message of a cookie; `None` if this session did not write it.
pub(crate) fn decode(cookie: &str, secret: &str) -> Option<String> {
    let (text, signature) = cookie.split_once('.')?;
    if !is_equal(signature, &mac("flash", secret, text)) {
        return None;
    }
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_belong_to_their_session() {
        let cookie = encode("The “mug” was changed.", "one");
        assert_eq!(decode(&cookie, "one").unwrap(), "The “mug” was changed.");
        assert_eq!(decode(&cookie, "other"), None);
        for forged in ["", ".", "QQ.x", &format!("A{cookie}")] {
            assert_eq!(decode(forged, "one"), None, "{forged}");
        }
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let cookie = encode(&"€".repeat(1_000), "one");
        assert_eq!(decode(&cookie, "one").unwrap(), "€".repeat(333));
    }
}
