//! Deterministic, cheap implementations of hasher and tokens.

use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicI64, Ordering};
use tradepost_domain::identity::{Password, PasswordHash, RefreshDigest, TokenClaims};
use tradepost_domain::kernel::{
    HashingFailed, NoRandomness, PasswordHasher, Refusal, TokenService, UserId,
};

/// A password hasher that stores plaintext, after a prefix for the strength of the hash.
pub(crate) struct Plain;

const TODAY: &str = "today:";
const FORMERLY: &str = "formerly:";

pub(crate) fn hash(password: &str) -> PasswordHash {
    PasswordHash::new(format!("{TODAY}{password}"))
}

/// A hash that the next sign-in renews.
pub(crate) fn old_hash(password: &str) -> PasswordHash {
    PasswordHash::new(format!("{FORMERLY}{password}"))
}

pub(crate) fn is_hash_of(hash: &PasswordHash, candidate: &str) -> bool {
    let text = hash.reveal();
    let kept = text
        .strip_prefix(TODAY)
        .or_else(|| text.strip_prefix(FORMERLY));
    kept == Some(candidate)
}

impl PasswordHasher for Plain {
    fn hash(&self, password: &Password) -> Result<PasswordHash, HashingFailed> {
        Ok(hash(password.reveal()))
    }

    fn verify(&self, candidate: &str, hash: &PasswordHash) -> bool {
        is_hash_of(hash, candidate)
    }

    fn verify_dummy(&self, _: &str) {}

    fn is_outdated(&self, hash: &PasswordHash, _: &str) -> bool {
        hash.reveal().starts_with(FORMERLY)
    }
}

/// Unsigned tokens, as no client forges any. It counts the refresh tokens.
#[derive(Default)]
pub(crate) struct Notes(AtomicI64);

impl Notes {
    /// The refresh token issued last.
    pub(crate) fn last_refresh(&self) -> String {
        format!("refresh {}", self.0.load(Ordering::Relaxed))
    }

    /// The user of an access token.
    pub(crate) fn user(access: &str) -> UserId {
        let (user, _) = access.split_once('.').unwrap();
        UserId::new(user.parse().unwrap()).unwrap()
    }
}

impl TokenService for Notes {
    fn issue(&self, claims: &TokenClaims) -> String {
        let (issued, expires) = (claims.issued_at.timestamp(), claims.expires_at.timestamp());
        let TokenClaims {
            user,
            session_epoch,
            ..
        } = claims;
        format!("{user}.{session_epoch}.{issued}.{expires}")
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Result<TokenClaims, Refusal> {
        let parts: Result<Vec<i64>, _> = token.split('.').map(str::parse).collect();
        let Ok([user, session_epoch, issued, expires]) =
            <[i64; 4]>::try_from(parts.unwrap_or_default())
        else {
            return Err(Refusal::InvalidToken);
        };
        let moment = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let claims = TokenClaims {
            user: UserId::new(user).unwrap(),
            session_epoch,
            issued_at: moment(issued),
            expires_at: moment(expires),
        };
        if now < claims.expires_at {
            Ok(claims)
        } else {
            Err(Refusal::InvalidToken)
        }
    }

    fn new_refresh(&self) -> Result<String, NoRandomness> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(self.last_refresh())
    }

    fn digest(&self, refresh: &str) -> RefreshDigest {
        let mut bytes = [0; 32];
        for (byte, sent) in bytes.iter_mut().zip(refresh.bytes()) {
            *byte = sent;
        }
        RefreshDigest::new(bytes)
    }
}
