//! Tokens by JWT (RFC 7519), signed with HS256 and nothing else.

use crate::key::random;
use crate::{KeyRing, SigningKey, TimedKey, hs256};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError, RwLock};
use tradepost_domain::{NoRandomness, RefreshDigest, Refusal, TokenClaims, TokenService, UserId};

/// Who issues the tokens, and for whom: the shop, for itself.
const SHOP: &str = "tradepost";
/// The header's type of every token.
const JWT: &str = "JWT";
/// What kind of token it is. Whatever other kinds there will be, none opens this door.
const ACCESS: &str = "access";
/// What every refresh token begins with, so that one that leaked is known for what it is.
const REFRESH: &str = "tpr_";

/// No token of ours has half as many bytes; a longer one is refused before any work is done on it.
const LONGEST: usize = 4096;

/// How far ahead the clock of another server on the same database may be.
const SKEW: Duration = Duration::seconds(60);

/// Makes and reads tokens. Clones share their keys.
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
    /// Signs with one key. Tokens that were signed with the others are accepted as well.
    #[must_use]
    pub fn new(signing: SigningKey, also_accepted: Vec<SigningKey>) -> Self {
        let others = also_accepted.into_iter().map(TimedKey::forever).collect();
        Self::of(KeyRing::new(TimedKey::forever(signing), others))
    }

    /// Signs with the keys of a ring, each at its time.
    #[must_use]
    pub fn of(ring: KeyRing) -> Self {
        hs256::install();
        Self {
            ring: Arc::new(RwLock::new(Arc::new(ring))),
            validation: validation(),
        }
    }

    /// Takes these keys from now on, and no other.
    pub fn replace_keys(&self, ring: KeyRing) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a token says if its signature is genuine, whenever that was.
    fn genuine(&self, token: &str, now: DateTime<Utc>) -> Option<Received> {
        if token.len() > LONGEST {
            return None;
        }
        let header = decode_header(token).ok()?;
        // `crit` lists what a reader has to understand (RFC 7515, section 4.1.11): we know of none.
        if header.typ.as_deref() != Some(JWT) || header.crit.is_some() {
            return None;
        }
        let kid = header.kid?;
        self.ring()
            .accepted(&kid, now)
            .find_map(|key| decode(token, &key.verifies, &self.validation).ok())
            .map(|token| token.claims)
    }
}

/// Everything but time, which jsonwebtoken would take from the system's clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.leeway = 0;
    validation.set_issuer(&[SHOP]);
    validation.set_audience(&[SHOP]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

impl Received {
    /// The claims, if they are as we make them and this is their time.
    fn checked(&self, now: DateTime<Utc>) -> Option<TokenClaims> {
        let ours = self.iss == SHOP && self.aud == SHOP && self.typ == ACCESS;
        // We issue nothing that begins later than at once.
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
        let header = Header {
            typ: Some(JWT.to_owned()),
            kid: Some(key.id().to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let issued = Issued {
            iss: SHOP,
            aud: SHOP,
            sub: claims.user.to_string(),
            typ: ACCESS,
            iat: claims.issued_at.timestamp(),
            exp: claims.expires_at.timestamp(),
            epoch: claims.session_epoch,
        };
        // Texts and numbers are always JSON, and an HMAC of them can always be made. If that were
        // wrong, an empty token would sign nobody in.
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
        // Random as it is, it needs no salt and no cost: nobody tries 256 bits.
        RefreshDigest::new(Sha256::digest(refresh.as_bytes()).into())
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
