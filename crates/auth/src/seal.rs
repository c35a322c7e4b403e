//! Seals by HMAC-SHA-256 (RFC 2104), of which the first 16 bytes are kept.

use crate::{JwtTokens, SigningKey, TimedKey};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tradepost_domain::Seal;

/// Half of a seal's bytes are enough (RFC 2104, section 5), and what clients carry stays short.
const BYTES: usize = 16;

/// What keys of seals are derived with: a seal is never the signature of a token.
const PURPOSE: &[u8] = b"tradepost seal\0";

/// The keys that sign tokens seal as well, each by way of a key that is derived from it. So a shop
/// has one secret. The oldest one seals, as every server has it; what another one sealed is genuine
/// for as long as that is kept.
impl Seal for JwtTokens {
    fn seal(&self, message: &[u8]) -> Vec<u8> {
        let ring = self.ring();
        let oldest = ring.keys().min_by_key(|key| key.signs_from);
        let mac = oldest.and_then(|key| mac(&key.key, message));
        // A MAC takes a key of any length. If that were wrong, an empty seal would be none.
        let mut seal = mac.map_or_else(Vec::new, |mac| mac.finalize().into_bytes().to_vec());
        seal.truncate(BYTES);
        seal
    }

    fn is_genuine(&self, message: &[u8], seal: &[u8]) -> bool {
        let verifies = |mac: Hmac<Sha256>| mac.verify_truncated_left(seal).is_ok();
        let known = |key: &TimedKey| mac(&key.key, message).is_some_and(verifies);
        seal.len() == BYTES && self.ring().keys().any(known)
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
        SigningKey::from_secret(&letter.repeat(32)).unwrap()
    }

    /// With keys of these letters, the oldest first.
    fn shop(letters: &str) -> JwtTokens {
        let timed = |(at, letter): (i64, char)| TimedKey {
            signs_from: DateTime::from_timestamp(at, 0),
            ..TimedKey::forever(key(&letter.to_string()))
        };
        let mut keys = (0..).zip(letters.chars()).map(timed);
        let first = keys.next().unwrap();
        JwtTokens::of(KeyRing::new(first, keys.collect()))
    }

    #[test]
    fn a_seal_is_of_one_message_and_one_key() {
        let tokens = shop("a");
        let other = shop("b");
        let seal = tokens.seal(b"message");
        assert_eq!(seal.len(), 16);
        assert!(tokens.is_genuine(b"message", &seal));
        assert!(!tokens.is_genuine(b"Message", &seal));
        assert!(!other.is_genuine(b"message", &seal));
        for length in 0..16 {
            assert!(!tokens.is_genuine(b"message", &seal[..length]), "{length}");
        }
        let longer = [&seal[..], &[0]].concat();
        assert!(!tokens.is_genuine(b"message", &longer));
    }

    #[test]
    fn a_seal_outlives_the_key_until_it_is_forgotten() {
        let seal = shop("a").seal(b"message");
        assert_eq!(shop("ab").seal(b"message"), seal);
        let other = shop("b").seal(b"message");
        assert_ne!(other, seal);
        assert!(shop("ab").is_genuine(b"message", &other));
        assert!(!shop("b").is_genuine(b"message", &seal));
    }

    #[test]
    fn a_seal_is_no_signature() {
        let mut signature = Hmac::<Sha256>::new_from_slice(&[b'a'; 32]).unwrap();
        signature.update(b"message");
        let signature = signature.finalize().into_bytes();
        let tokens = shop("a");
        assert!(!tokens.is_genuine(b"message", &signature[..16]));
    }
}
