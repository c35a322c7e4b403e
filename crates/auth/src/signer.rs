//! Message signer: HMAC-SHA-256 (RFC 2104), truncated to 16 bytes.

use crate::{JwtTokens, SigningKey, TimedKey};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tradepost_domain::kernel::MessageSigner;

/// Half of the MAC's bytes are enough (RFC 2104, section 5), and keep cursors short.
const BYTES: usize = 16;

/// Key derivation label (domain separation): no MAC of a message is the signature of a token.
const PURPOSE: &[u8] = b"tradepost seal\0";

/// Signs messages with keys that are derived from the token signing keys, so that a shop has one
/// secret. The oldest key signs, as every server has it; MACs of another key are valid for as long
/// as that key is accepted.
impl MessageSigner for JwtTokens {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let ring = self.ring();
        let oldest = ring.keys().min_by_key(|key| key.signs_from);
        let mac = oldest.and_then(|key| mac(&key.key, message));
        // HMAC takes a key of any length. If that were wrong, an empty MAC would verify as false.
        let mut tag = mac.map_or_else(Vec::new, |mac| mac.finalize().into_bytes().to_vec());
        tag.truncate(BYTES);
        tag
    }

    fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        let verifies = |mac: Hmac<Sha256>| mac.verify_truncated_left(tag).is_ok();
        let known = |key: &TimedKey| mac(&key.key, message).is_some_and(verifies);
        tag.len() == BYTES && self.ring().keys().any(known)
    }
}

fn mac(key: &SigningKey, message: &[u8]) -> Option<Hmac<Sha256>> {
    let deriving = Hmac::<Sha256>::new_from_slice(key.signs.as_bytes()).ok()?;
    let derived = deriving.chain_update(PURPOSE).finalize().into_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(&derived).ok()?;
    Some(mac.chain_update(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyRing;
    use chrono::DateTime;

    fn key(letter: &str) -> SigningKey {
        SigningKey::from_secret(letter.repeat(32)).unwrap()
    }

    /// A service with keys of these letters, the oldest first.
    fn shop(letters: &str) -> JwtTokens {
        let timed = |(at, letter): (i64, char)| TimedKey {
            signs_from: DateTime::from_timestamp(at, 0),
            ..TimedKey::forever(key(&letter.to_string()))
        };
        let mut keys = (0..).zip(letters.chars()).map(timed);
        let first = keys.next().unwrap();
        JwtTokens::from_ring(KeyRing::new(first, keys.collect()))
    }

    #[test]
    fn a_mac_verifies_one_message_under_one_key() {
        let tokens = shop("a");
        let other = shop("b");
        let tag = tokens.sign(b"message");
        assert_eq!(tag.len(), 16);
        assert!(tokens.verify(b"message", &tag));
        assert!(!tokens.verify(b"Message", &tag));
        assert!(!other.verify(b"message", &tag));
        for length in 0..16 {
            assert!(!tokens.verify(b"message", &tag[..length]), "{length}");
        }
        let longer = [&tag[..], &[0]].concat();
        assert!(!tokens.verify(b"message", &longer));
    }

    #[test]
    fn a_mac_stays_valid_until_its_key_is_removed() {
        let tag = shop("a").sign(b"message");
        assert_eq!(shop("ab").sign(b"message"), tag);
        let other = shop("b").sign(b"message");
        assert_ne!(other, tag);
        assert!(shop("ab").verify(b"message", &other));
        assert!(!shop("b").verify(b"message", &tag));
    }

    #[test]
    fn a_mac_is_no_token_signature() {
        let mut signature = Hmac::<Sha256>::new_from_slice(&[b'a'; 32]).unwrap();
        signature.update(b"message");
        let signature = signature.finalize().into_bytes();
        let tokens = shop("a");
        assert!(!tokens.verify(b"message", &signature[..16]));
    }
}
