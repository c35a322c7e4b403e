//! Signing keys of tokens.

use crate::hs256;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, encode};
use sha2::{Digest, Sha256};
use std::fmt;
use tradepost_domain::kernel::NoRandomness;

/// A key has fewer than [`SigningKey::MIN_BYTES`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signing key has {0} bytes, but needs at least 32")]
pub struct KeyTooShort(pub usize);

/// A signing key for HS256. It never appears in a log.
#[derive(Clone)]
pub struct SigningKey {
    id: String,
    /// The first part of every token that it signs.
    header: String,
    pub(crate) signs: EncodingKey,
    pub(crate) verifies: DecodingKey,
}

impl SigningKey {
    /// Minimum bytes of a key: as many as the hash has (RFC 7518, section 3.2).
    pub const MIN_BYTES: usize = 32;

    /// The key with the bytes of this text.
    ///
    /// # Errors
    /// [`KeyTooShort`] under [`SigningKey::MIN_BYTES`] bytes.
    pub fn from_secret(secret: impl AsRef<[u8]>) -> Result<Self, KeyTooShort> {
        let bytes = secret.as_ref();
        if bytes.len() < Self::MIN_BYTES {
            return Err(KeyTooShort(bytes.len()));
        }
        Ok(Self::from_bytes(bytes))
    }

    /// A new random key, for a program whose tokens end with it.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<Self, NoRandomness> {
        Ok(Self::from_bytes(random()?.as_bytes()))
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"tradepost key id\0")
            .chain_update(bytes)
            .finalize();
        let id: String = format!("{digest:x}").chars().take(8).collect();
        let signs = EncodingKey::from_secret(bytes);
        hs256::install();
        // Strings always encode as JSON, and HMAC does not fail.
        let token = encode(&jose_header(&id), &(), &signs).unwrap_or_default();
        let header = token.split('.').next().unwrap_or_default();
        Self {
            header: header.to_owned(),
            id,
            signs,
            verifies: DecodingKey::from_secret(bytes),
        }
    }

    /// The first part of every token that this key signs: the encoded header.
    pub(crate) fn header(&self) -> &str {
        &self.header
    }

    /// The text of a new key: 32 random bytes in 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate_secret() -> Result<String, NoRandomness> {
        random()
    }

    /// Key id (`kid`, RFC 7515): eight hexadecimal digits that are derived from the key and reveal
    /// nothing about it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The header type (`typ`) of every token.
pub(crate) const JWT: &str = "JWT";

/// The header of the tokens that the key with this id signs.
pub(crate) fn jose_header(id: &str) -> Header {
    Header {
        typ: Some(JWT.to_owned()),
        kid: Some(id.to_owned()),
        ..Header::new(Algorithm::HS256)
    }
}

/// 256 random bits in 64 hexadecimal digits.
pub(crate) fn random() -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| NoRandomness(error.to_string()))?;
    Ok(bytes.map(|byte| format!("{byte:02x}")).concat())
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_32_bytes_or_more() {
        for length in [0, 1, 31] {
            let refused = SigningKey::from_secret("k".repeat(length)).unwrap_err();
            assert_eq!(refused, KeyTooShort(length));
        }
        assert!(SigningKey::from_secret("k".repeat(32)).is_ok());
        assert!(SigningKey::from_secret("é".repeat(16)).is_ok());
    }

    #[test]
    fn new_keys_differ_and_are_long_enough() {
        let [one, other] = [(); 2].map(|()| SigningKey::generate_secret().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
        assert!(SigningKey::from_secret(&one).is_ok());
    }

    #[test]
    fn the_id_follows_from_the_key() {
        let key = |letter: &str| SigningKey::from_secret(letter.repeat(32)).unwrap();
        assert_eq!(key("a").id(), key("a").id());
        assert_ne!(key("a").id(), key("b").id());
        assert_eq!(key("a").id().len(), 8);
    }

    #[test]
    fn a_key_does_not_show() {
        let key = SigningKey::from_secret("a-very-secret-key-of-many-letters").unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.id()));
    }
}
