//! Authentication: passwords by bcrypt and tokens by JWT, behind the ports
//! [`PasswordHasher`](tradepost_domain::kernel::PasswordHasher) and
//! [`TokenService`](tradepost_domain::kernel::TokenService).
//!
//! - [`BcryptHasher`] hashes every character of a password of any length.
//! - [`JwtTokens`] signs with one [`SigningKey`] of a [`KeyRing`] and accepts the others beside it,
//!   so that keys can be rotated without ending any session.
//! - [`SystemClock`] and [`RandomPlacementIds`] are the clock and the randomness of the operating
//!   system; [`system`](fn@system) has all of them as the environment of the services:
//!
//! ```
//! use tradepost_auth::{BcryptHasher, JwtTokens, system};
//!
//! let system = system(BcryptHasher::default(), JwtTokens::with_random_key()?)?;
//! assert!(system.clock.now().timestamp() > 1_700_000_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod django;
mod hs256;
mod key;
mod password;
mod ring;
mod signer;
mod system;
#[cfg(test)]
mod test_tokens;
mod token;

pub use key::{KeyTooShort, SigningKey};
pub use password::{BcryptHasher, CostOutOfRange, is_checkable};
pub use ring::{KeyRing, TimedKey};
pub use system::{RandomPlacementIds, SystemClock, system};
pub use token::JwtTokens;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
