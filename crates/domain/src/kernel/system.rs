use crate::identity::{Password, PasswordHash, RefreshDigest, TokenClaims};
use crate::kernel::Refusal;
use crate::orders::PlacementId;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The environment of the services: clock, randomness and cryptography, each behind its port.
/// `tradepost-auth` has the one of a real program, and `testing` (feature `test-support`) one of
/// fakes.
#[derive(Clone)]
pub struct System {
    /// Wall clock.
    pub clock: Arc<dyn Clock>,
    /// Generator of placement ids.
    pub placement_ids: Arc<dyn PlacementIds>,
    /// Password hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Access tokens and refresh tokens.
    pub tokens: Arc<dyn TokenService>,
}

/// Wall clock.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// let clock = FixedClock::new(at(0));
/// clock.advance(60);
/// assert_eq!(clock.now(), at(60));
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait Clock: Send + Sync {
    /// The current time, in whole microseconds: the precision of every store.
    fn now(&self) -> DateTime<Utc>;
}

/// Generator of placement ids.
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait PlacementIds: Send + Sync {
    /// A random id, never given before.
    fn next(&self) -> PlacementId;
}

/// A password could not be hashed: a defect, or the operating system gave no randomness.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashingFailed(pub String);

/// Password hashing. Each call may take a quarter of a second of one core.
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait PasswordHasher: Send + Sync {
    /// The hash to store. It covers the whole password.
    ///
    /// # Errors
    /// [`HashingFailed`].
    fn hash(&self, password: &Password) -> Result<PasswordHash, HashingFailed>;

    /// Whether the candidate is the hashed password. The candidate may be of any length.
    fn verify(&self, candidate: &str, hash: &PasswordHash) -> bool;

    /// Dummy verification: takes as long as a [`PasswordHasher::verify`] that fails, for an unknown
    /// user.
    fn verify_dummy(&self, candidate: &str);

    /// Whether the hash should be replaced by one of this candidate, which matches it: because it
    /// is weaker than current hashes, or of a candidate that is not
    /// [normalised](Password::is_normalised). `false` if the hash may cover only a part of the
    /// candidate.
    fn is_outdated(&self, hash: &PasswordHash, candidate: &str) -> bool;
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoRandomness(pub String);

/// Token service: issues and verifies access tokens (JWT, RFC 7519), and generates refresh tokens.
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait TokenService: Send + Sync {
    /// A signed access token with these claims.
    fn issue(&self, claims: &TokenClaims) -> String;

    /// The claims of a token, if it is genuine and has not expired.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], the same for every reason.
    fn read(&self, token: &str, now: DateTime<Utc>) -> Result<TokenClaims, Refusal>;

    /// A new refresh token: 256 random bits as text.
    ///
    /// # Errors
    /// [`NoRandomness`].
    fn new_refresh(&self) -> Result<String, NoRandomness>;

    /// The digest under which a refresh token is stored.
    fn digest(&self, refresh: &str) -> RefreshDigest;
}

/// Message signer: authenticates values that clients hold for the shop, such as cursors.
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait MessageSigner: Send + Sync {
    /// The MAC of a message, 16 bytes. It cannot be computed without the shop's key.
    fn sign(&self, message: &[u8]) -> Vec<u8>;

    /// Verifies a message's MAC, made by this server or another one of the shop. Takes constant
    /// time for every wrong MAC.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}
