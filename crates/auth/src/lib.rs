//! Who may come in: passwords by bcrypt and tokens by JWT, behind the ports
//! [`PasswordHasher`](tradepost_domain::PasswordHasher) and
//! [`TokenService`](tradepost_domain::TokenService).
//!
//! - [`BcryptHasher`] hashes every character of a password, however long it is.
//! - [`JwtTokens`] signs with one [`SigningKey`] and accepts others beside it, so that keys can be
//!   replaced without signing everybody out.

#[cfg(test)]
mod forge;
mod hs256;
mod key;
mod password;
mod seal;
mod token;

pub use key::{KeyTooShort, NoRandomness, SigningKey};
pub use password::{BcryptHasher, CostOutOfRange};
pub use token::JwtTokens;

use std::fmt::Write;

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
