//! Token pairs: a short-lived access token, and a refresh token that gives the next pair.

use super::Accounts;
use crate::identity::{Account, Refresh, RefreshToken};
use crate::kernel::Error;
use std::fmt;

/// A pair of tokens (RFC 6749, section 1.5).
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// Access token.
    pub access: String,
    /// Refresh token: gives the next pair, once.
    pub refresh: String,
}

/// Separator between the first token of a family and the random part of a later one.
const NEXT: char = '.';

/// The first token of a token's family, with which it begins.
fn family(refresh: &str) -> &str {
    refresh.split(NEXT).next().unwrap_or_default()
}

impl fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenPair(..)")
    }
}

impl Accounts {
    /// The first token pair after [verified credentials](Accounts::verify_credentials).
    ///
    /// # Errors
    /// If the operating system gives no randomness; if the store fails.
    pub fn begin_session(&self, account: &Account) -> Result<TokenPair, Error> {
        let refresh = self.tokens.new_refresh()?;
        let digest = self.tokens.digest(&refresh);
        let (life, now) = (self.settings.refresh_life, self.clock.now());
        self.accounts
            .begin_family(RefreshToken::first(digest, account, life, now))?;
        Ok(self.pair(account, refresh))
    }

    /// Rotates a refresh token: uses it up, and returns the next token pair.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`](crate::kernel::Refusal::InvalidToken), the same for every reason; if the
    /// operating system gives no randomness; if the store fails.
    pub fn refresh(&self, refresh: &str) -> Result<TokenPair, Error> {
        let family = family(refresh);
        let next = format!("{family}{NEXT}{}", self.tokens.new_refresh()?);
        let account = self.accounts.refresh(Refresh {
            token: self.tokens.digest(refresh),
            family: self.tokens.digest(family),
            next: self.tokens.digest(&next),
            life: self.settings.refresh_life,
            at: self.clock.now(),
        })?;
        Ok(self.pair(&account, next))
    }

    /// Signs out: the whole family of a refresh token ends. An unknown one has ended already.
    ///
    /// # Errors
    /// If the store fails.
    pub fn sign_out(&self, refresh: &str) -> Result<(), Error> {
        let family = self.tokens.digest(family(refresh));
        Ok(self.accounts.end_family(family)?)
    }

    fn pair(&self, account: &Account, refresh: String) -> TokenPair {
        let (access, _) = self.access(account, self.settings.access_life);
        TokenPair { access, refresh }
    }
}
