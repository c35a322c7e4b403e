//! Use cases of the shop, as services over the ports. Each takes the acting
//! [`Actor`](crate::Actor), checks authorisation, builds the command, and passes it to a port.

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

/// Error of a use case.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ShopError {
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
