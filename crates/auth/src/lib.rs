//! Authentication: passwords by bcrypt and tokens by JWT, behind the ports
//! [`PasswordHasher`](tradepost_domain::kernel::PasswordHasher) and
//! [`TokenService`](tradepost_domain::kernel::TokenService).
//!
//! - [`BcryptHasher`] hashes every character of a password of any length.
//! - [`JwtTokens`] signs with one [`SigningKey`] of a [`KeyRing`] and accepts the others beside it,
//!   so that keys can be rotated without ending any session.

mod django;
mod hs256;
mod key;
mod password;
mod ring;
mod signer;
#[cfg(test)]
mod test_tokens;
mod token;

pub use key::{KeyTooShort, SigningKey};
pub use password::{BcryptHasher, CostOutOfRange, is_checkable};
pub use ring::{KeyRing, TimedKey};
pub use token::JwtTokens;
