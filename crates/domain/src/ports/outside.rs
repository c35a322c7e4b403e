use crate::{Password, PasswordHash, PlacementId, RefreshDigest, Refusal, TokenClaims};
use chrono::{DateTime, Utc};

/// What time it is.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds: what every store can keep.
    fn now(&self) -> DateTime<Utc>;
}

/// Names for attempts to place an order.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait PlacementIds: Send + Sync {
    /// A random id, never given before.
    fn next(&self) -> PlacementId;
}

/// A password could not be hashed: a defect, or no randomness to be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashingFailed(pub String);

/// Hashes passwords. Each call may take a quarter of a second of one core.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait PasswordHasher: Send + Sync {
    /// The hash to store. No part of the password may be left out of it.
    ///
    /// # Errors
    /// [`HashingFailed`].
    fn hash(&self, password: &Password) -> Result<PasswordHash, HashingFailed>;

    /// Whether this is the password that was hashed. The candidate may be of any length.
    fn verify(&self, candidate: &str, hash: &PasswordHash) -> bool;

    /// Takes as long as a [`PasswordHasher::verify`] that fails: for a user who does not exist.
    fn verify_nobody(&self, candidate: &str);

    /// Whether the hash is weaker than those made today, or of a candidate that is not
    /// [normalised](Password::is_normalised), and is to be replaced by one of this candidate, which
    /// fits it. It is not if it may be that of a part of the candidate alone.
    fn is_outdated(&self, hash: &PasswordHash, candidate: &str) -> bool;
}

/// There was no randomness to be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoRandomness(pub String);

/// Makes and reads tokens.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait TokenService: Send + Sync {
    /// A signed token that says this.
    fn issue(&self, claims: &TokenClaims) -> String;

    /// What a token says, if it is genuine and has not expired.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], for whatever reason: the same answer for each.
    fn read(&self, token: &str, now: DateTime<Utc>) -> Result<TokenClaims, Refusal>;

    /// A new refresh token: 256 random bits as text.
    ///
    /// # Errors
    /// [`NoRandomness`].
    fn new_refresh(&self) -> Result<String, NoRandomness>;

    /// What is stored of a refresh token.
    fn digest(&self, refresh: &str) -> RefreshDigest;
}

/// Seals what clients carry about for the shop, so that it is known again.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Seal: Send + Sync {
    /// The seal of a message, which nobody else can make. 16 bytes.
    fn seal(&self, message: &[u8]) -> Vec<u8>;

    /// Whether this is the message's seal, from this server or another one of the shop. Takes as
    /// long for every wrong one.
    fn is_genuine(&self, message: &[u8], seal: &[u8]) -> bool;
}
