//! Fake ports that need nothing from the outside.

use chrono::{DateTime, Duration, Utc};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use tradepost_domain::identity::{Password, PasswordHash, RefreshDigest, TokenClaims};
use tradepost_domain::kernel::{
    Clock, HashingFailed, MessageSigner, NoRandomness, PasswordHasher, PlacementIds, Refusal,
    TokenService, UserId,
};
use tradepost_domain::orders::PlacementId;

/// 2023-11-14T22:13:20Z, and some microseconds, which must be visible in responses.
const START: i64 = 1_700_000_000_000_250;

/// A clock that tests advance.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let start = DateTime::from_timestamp_micros(START).unwrap();
        start + Duration::seconds(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
pub(crate) struct CountedIds(AtomicU64);

impl PlacementIds for CountedIds {
    fn next(&self) -> PlacementId {
        PlacementId::new(u128::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A hasher that takes next to no time.
pub(crate) struct PlainHasher;

impl PasswordHasher for PlainHasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, HashingFailed> {
        Ok(PasswordHash::new(format!("plain:{}", password.reveal())))
    }

    fn verify(&self, candidate: &str, hash: &PasswordHash) -> bool {
        // Long enough for concurrent sign-ins to overlap.
        std::thread::sleep(std::time::Duration::from_millis(5));
        hash.reveal().strip_prefix("plain:") == Some(candidate)
    }

    fn verify_dummy(&self, _: &str) {}

    fn is_outdated(&self, _: &PasswordHash, _: &str) -> bool {
        false
    }
}

/// Token signer whose tokens are their claims in plain text.
pub(crate) struct PlainTokens;

impl TokenService for PlainTokens {
    fn issue(&self, claims: &TokenClaims) -> String {
        let (user, epoch) = (claims.user, claims.session_epoch);
        format!("plain.{user}.{epoch}.{}", claims.expires_at.timestamp())
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Result<TokenClaims, Refusal> {
        let parts: Vec<&str> = token.split('.').collect();
        let ["plain", user, epoch, until] = parts[..] else {
            return Err(Refusal::InvalidToken);
        };
        let expires_at = DateTime::from_timestamp(until.parse().unwrap(), 0).unwrap();
        if expires_at <= now {
            return Err(Refusal::InvalidToken);
        }
        Ok(TokenClaims {
            user: UserId::parse(user).unwrap(),
            session_epoch: epoch.parse().unwrap(),
            issued_at: now,
            expires_at,
        })
    }

    fn new_refresh(&self) -> Result<String, NoRandomness> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        Ok(format!("refresh{}", MADE.fetch_add(1, Ordering::Relaxed)))
    }

    fn digest(&self, refresh: &str) -> RefreshDigest {
        let mut bytes = [0; 32];
        for (byte, sent) in bytes.iter_mut().zip(refresh.bytes()) {
            *byte = sent;
        }
        RefreshDigest::new(bytes)
    }
}

/// Signer whose signatures differ with every byte.
pub(crate) struct PlainSeal;

impl MessageSigner for PlainSeal {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let step = |sum: u128, byte: &u8| (sum ^ u128::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        message
            .iter()
            .fold(0x6c62_272e, step)
            .to_be_bytes()
            .to_vec()
    }

    fn verify(&self, message: &[u8], seal: &[u8]) -> bool {
        self.sign(message) == seal
    }
}
