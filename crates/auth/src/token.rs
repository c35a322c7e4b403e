//! Access tokens by JWT (RFC 7519), signed with HS256 only.

use crate::key::{JWT, jose_header, random};
use crate::{KeyRing, SigningKey, TimedKey, hs256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, Validation, crypto, decode, decode_header, encode};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError, RwLock};
use tradepost_domain::identity::{RefreshDigest, TokenClaims};
use tradepost_domain::kernel::{NoRandomness, Refusal, TokenService, UserId};

/// Issuer and audience (`iss`, `aud`) of every token: the shop.
const SHOP: &str = "tradepost";
/// Token kind of access tokens (`typ` claim). Tokens of another kind are rejected.
const ACCESS: &str = "access";
/// Prefix of every refresh token, so that a leaked one is recognised as such.
const REFRESH: &str = "tpr_";

/// Maximum bytes of a token: more than twice as many as any issued token has. A longer one is
/// rejected before any work on it.
const LONGEST: usize = 4096;

/// Tolerated clock skew between servers on the same database.
const SKEW: Duration = Duration::seconds(60);

/// Issues and verifies access tokens. Clones share their keys.
#[derive(Debug, Clone)]
pub struct JwtTokens {
    ring: Arc<RwLock<Arc<KeyRing>>>,
    validation: Validation,
}

#[derive(Serialize)]
struct Issued<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    typ: &'a str,
    iat: i64,
    exp: i64,
    epoch: i64,
}

#[derive(Deserialize)]
struct Received {
    iss: String,
    aud: String,
    sub: String,
    typ: String,
    iat: i64,
    exp: i64,
    epoch: i64,
    nbf: Option<IgnoredAny>,
}

impl JwtTokens {
    /// Signs with one key. Tokens signed with the others are accepted as well.
    #[must_use]
    pub fn new(signing: SigningKey, also_accepted: Vec<SigningKey>) -> Self {
        let others = also_accepted.into_iter().map(TimedKey::forever).collect();
        Self::from_ring(KeyRing::new(TimedKey::forever(signing), others))
    }

    /// Signs with a random key that ends with this value, and its tokens with it.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn with_random_key() -> Result<Self, NoRandomness> {
        Ok(Self::new(SigningKey::generate()?, Vec::new()))
    }

    /// Signs with the keys of a ring, by their validity periods.
    #[must_use]
    pub fn from_ring(ring: KeyRing) -> Self {
        hs256::install();
        Self {
            ring: Arc::new(RwLock::new(Arc::new(ring))),
            validation: validation(),
        }
    }

    /// Replaces the keys.
    pub fn replace_keys(&self, ring: KeyRing) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Verifies the signature with the keys accepted now; returns the payload without checking its
    /// times. The header of a token that this shop has issued is known, and decoding it twice, as
    /// jsonwebtoken does, takes longer than the signature; any other header is decoded.
    fn genuine(&self, token: &str, now: DateTime<Utc>) -> Option<Received> {
        if token.len() > LONGEST {
            return None;
        }
        let ring = self.ring();
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let mut known = ring.all_accepted(now).filter(|key| key.header() == header);
        if let Some(key) = known.next() {
            return std::iter::once(key)
                .chain(known)
                .find(|key| is_signed(message, signature, key))
                .and_then(|_| Received::decode(payload));
        }
        let header = decode_header(token).ok()?;
        // `crit` lists extensions that a reader has to understand (RFC 7515, section 4.1.11): none
        // is supported.
        if header.typ.as_deref() != Some(JWT) || header.crit.is_some() {
            return None;
        }
        let kid = header.kid?;
        ring.accepted(&kid, now)
            .find_map(|key| decode(token, &key.verifies, &self.validation).ok())
            .map(|token| token.claims)
    }
}

/// Validation without times, which jsonwebtoken would compare with the system clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.leeway = 0;
    validation.set_issuer(&[SHOP]);
    validation.set_audience(&[SHOP]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

/// Whether a token has been signed with this key.
fn is_signed(message: &str, signature: &str, key: &SigningKey) -> bool {
    let message = message.as_bytes();
    crypto::verify(signature, message, &key.verifies, Algorithm::HS256).unwrap_or(false)
}

impl Received {
    /// The claims of an encoded payload.
    fn decode(payload: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// The claims, if they have the issued form and are valid at this time.
    fn checked(&self, now: DateTime<Utc>) -> Option<TokenClaims> {
        let ours = self.iss == SHOP && self.aud == SHOP && self.typ == ACCESS;
        // No issued token has an `nbf`.
        if !ours || self.nbf.is_some() {
            return None;
        }
        let claims = TokenClaims {
            user: UserId::parse(&self.sub)?,
            session_epoch: self.epoch,
            issued_at: DateTime::from_timestamp(self.iat, 0)?,
            expires_at: DateTime::from_timestamp(self.exp, 0)?,
        };
        let begun = claims.issued_at.signed_duration_since(now) <= SKEW;
        (begun && now < claims.expires_at).then_some(claims)
    }
}

impl TokenService for JwtTokens {
    fn issue(&self, claims: &TokenClaims) -> String {
        let ring = self.ring();
        let key = ring.signing(claims.issued_at);
        let header = jose_header(key.id());
        let issued = Issued {
            iss: SHOP,
            aud: SHOP,
            sub: claims.user.to_string(),
            typ: ACCESS,
            iat: claims.issued_at.timestamp(),
            exp: claims.expires_at.timestamp(),
            epoch: claims.session_epoch,
        };
        // Strings and numbers always encode as JSON, and HMAC does not fail. If that were wrong, an
        // empty token would authenticate no user.
        encode(&header, &issued, &key.signs).unwrap_or_default()
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Result<TokenClaims, Refusal> {
        self.genuine(token, now)
            .and_then(|received| received.checked(now))
            .ok_or(Refusal::InvalidToken)
    }

    fn new_refresh(&self) -> Result<String, NoRandomness> {
        Ok(format!("{REFRESH}{}", random()?))
    }

    fn digest(&self, refresh: &str) -> RefreshDigest {
        // A random token needs no salt and no slow hash: 256 bits cannot be guessed.
        RefreshDigest::new(Sha256::digest(refresh.as_bytes()).into())
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
