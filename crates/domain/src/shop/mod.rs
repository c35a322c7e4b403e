//! Use cases: what somebody can do in the shop. Each takes the [`Actor`](crate::Actor) who asks,
//! checks that they may, makes the command, and hands it to a port.

mod accounts;
mod attempts;
mod carts;
mod catalogue;
mod orders;

pub use accounts::{AccountSettings, Accounts, HashedUser, NewUser, Session, SignedIn, TokenPair};
pub use attempts::{Attempts, SignInPriority};
pub use carts::Carts;
pub use catalogue::Catalogue;
pub use orders::Orders;

use crate::{HashingFailed, NoRandomness, Refusal, StoreError};

/// Why a use case gave nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ShopError {
    /// The shop refuses: an answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingFailed),
    /// No token could be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}
