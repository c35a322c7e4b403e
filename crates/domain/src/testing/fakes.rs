use super::clock;
use crate::identity::{Password, PasswordHash, RefreshDigest, TokenClaims};
use crate::kernel::{
    HashingFailed, NoRandomness, PasswordHasher, PlacementIds, Refusal, System, TokenService,
    UserId,
};
use crate::orders::PlacementId;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An environment of fakes: a clock at [`at(0)`](super::at), [`SequentialIds`], [`PlainHasher`] and
/// [`PlainTokens`]. `System { clock: .., ..system() }` replaces one of them.
#[must_use]
pub fn system() -> System {
    System {
        clock: Arc::new(clock(0)),
        placement_ids: Arc::new(SequentialIds::default()),
        hasher: Arc::new(PlainHasher),
        tokens: Arc::new(PlainTokens::default()),
    }
}

/// Placement ids 0, 1, 2 and so on: as good as random ones where no client guesses them.
#[derive(Debug, Default)]
pub struct SequentialIds(AtomicU64);

impl PlacementIds for SequentialIds {
    fn next(&self) -> PlacementId {
        PlacementId::new(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Password hasher whose hashes are the passwords, after the prefix `plain:`. It takes no time.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainHasher;

impl PasswordHasher for PlainHasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, HashingFailed> {
        Ok(PasswordHash::new(format!("plain:{}", password.reveal())))
    }

    fn verify(&self, candidate: &str, hash: &PasswordHash) -> bool {
        hash.reveal().strip_prefix("plain:") == Some(candidate)
    }

    fn verify_dummy(&self, _: &str) {}

    fn is_outdated(&self, _: &PasswordHash, _: &str) -> bool {
        false
    }
}

/// Token service whose access tokens are claims in plain text (`plain.USER.EPOCH.EXPIRES`, without
/// the time of issue), and whose refresh tokens are `refresh0`, `refresh1` and so on.
#[derive(Debug, Default)]
pub struct PlainTokens(AtomicU64);

impl TokenService for PlainTokens {
    fn issue(&self, claims: &TokenClaims) -> String {
        let (user, epoch) = (claims.user, claims.session_epoch);
        format!("plain.{user}.{epoch}.{}", claims.expires_at.timestamp())
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Result<TokenClaims, Refusal> {
        let claims = claims(token, now).ok_or(Refusal::InvalidToken)?;
        if now < claims.expires_at {
            Ok(claims)
        } else {
            Err(Refusal::InvalidToken)
        }
    }

    fn new_refresh(&self) -> Result<String, NoRandomness> {
        Ok(format!("refresh{}", self.0.fetch_add(1, Ordering::Relaxed)))
    }

    fn digest(&self, refresh: &str) -> RefreshDigest {
        let mut bytes = [0; 32];
        for (byte, sent) in bytes.iter_mut().zip(refresh.bytes()) {
            *byte = sent;
        }
        RefreshDigest::new(bytes)
    }
}

fn claims(token: &str, now: DateTime<Utc>) -> Option<TokenClaims> {
    let parts: Vec<_> = token.split('.').collect();
    let ["plain", user, epoch, expires] = parts[..] else {
        return None;
    };
    Some(TokenClaims {
        user: UserId::parse(user)?,
        session_epoch: epoch.parse().ok()?,
        issued_at: now,
        expires_at: DateTime::from_timestamp(expires.parse().ok()?, 0)?,
    })
}
