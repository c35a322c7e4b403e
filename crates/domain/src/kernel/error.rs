use crate::kernel::{HashingFailed, NoRandomness, Refusal, StoreError};

/// Error of a use case.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A refusal by the rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
    /// A token could not be generated.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}
