//! Seals by HMAC-SHA-256 (RFC 2104), of which the first 16 bytes are kept.

use crate::{JwtTokens, SigningKey};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tradepost_domain::Seal;

/// Half of a seal's bytes are enough (RFC 2104, section 5), and what clients carry stays short.
const BYTES: usize = 16;

/// What keys of seals are derived with: a seal is never the signature of a token.
const PURPOSE: &[u8] = b"tradepost seal\0";

/// The keys that sign tokens seal as well, each by way of a key that is derived from it. So a shop
/// has one secret, and what was sealed before it was replaced is known for as long as its tokens.
impl Seal for JwtTokens {
    fn seal(&self, message: &[u8]) -> Vec<u8> {
        let signing = self.keys().next();
        let mac = signing.and_then(|key| mac(key, message));
        // A MAC takes a key of any length. If that were wrong, an empty seal would be none.
        let mut seal = mac.map_or_else(Vec::new, |mac| mac.finalize().into_bytes().to_vec());
        seal.truncate(BYTES);
        seal
    }

    fn is_genuine(&self, message: &[u8], seal: &[u8]) -> bool {
        let verifies = |mac: Hmac<Sha256>| mac.verify_truncated_left(seal).is_ok();
        let known = |key| mac(key, message).is_some_and(verifies);
        seal.len() == BYTES && self.keys().any(known)
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

    fn key(letter: &str) -> SigningKey {
        SigningKey::from_secret(&letter.repeat(32)).unwrap()
    }

    #[test]
    fn a_seal_is_of_one_message_and_one_key() {
        let shop = JwtTokens::new(key("a"), Vec::new());
        let other = JwtTokens::new(key("b"), Vec::new());
        let seal = shop.seal(b"message");
        assert_eq!(seal.len(), 16);
        assert!(shop.is_genuine(b"message", &seal));
        assert!(!shop.is_genuine(b"Message", &seal));
        assert!(!other.is_genuine(b"message", &seal));
        for length in 0..16 {
            assert!(!shop.is_genuine(b"message", &seal[..length]), "{length}");
        }
        let longer = [&seal[..], &[0]].concat();
        assert!(!shop.is_genuine(b"message", &longer));
    }

    #[test]
    fn a_seal_outlives_the_key_until_it_is_forgotten() {
        let seal = JwtTokens::new(key("a"), Vec::new()).seal(b"message");
        let rotated = JwtTokens::new(key("b"), vec![key("a")]);
        assert!(rotated.is_genuine(b"message", &seal));
        assert_ne!(rotated.seal(b"message"), seal);
    }

    #[test]
    fn a_seal_is_no_signature() {
        let mut signature = Hmac::<Sha256>::new_from_slice(&[b'a'; 32]).unwrap();
        signature.update(b"message");
        let signature = signature.finalize().into_bytes();
        let shop = JwtTokens::new(key("a"), Vec::new());
        assert!(!shop.is_genuine(b"message", &signature[..16]));
    }
}
