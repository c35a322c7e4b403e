//! Staying signed in: a short access token, and a refresh token that gives the next pair.

use super::Accounts;
use crate::{Account, Refresh, RefreshToken, ShopError};
use std::fmt;

/// What a client comes back with.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenPair {
    /// Opens the shop for a while.
    pub access: String,
    /// Gives the next pair, once.
    pub refresh: String,
}

impl fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenPair(..)")
    }
}

impl Accounts {
    /// The first pair of tokens for somebody who was [recognised](Accounts::recognise).
    ///
    /// # Errors
    /// If there is no randomness; if the store fails.
    pub fn begin_session(&self, account: &Account) -> Result<TokenPair, ShopError> {
        let refresh = self.tokens.new_refresh()?;
        let digest = self.tokens.digest(&refresh);
        let (life, now) = (self.settings.refresh_life, self.clock.now());
        self.accounts
            .begin_family(RefreshToken::first(digest, account, life, now))?;
        Ok(self.pair(account, refresh))
    }

    /// The next pair of tokens for a refresh token, which is used up by it.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`](crate::Refusal::InvalidToken), whatever is wrong with it; if there
    /// is no randomness; if the store fails.
    pub fn refresh(&self, refresh: &str) -> Result<TokenPair, ShopError> {
        let next = self.tokens.new_refresh()?;
        let account = self.accounts.refresh(Refresh {
            token: self.tokens.digest(refresh),
            next: self.tokens.digest(&next),
            life: self.settings.refresh_life,
            at: self.clock.now(),
        })??;
        Ok(self.pair(&account, next))
    }

    /// Signs out: the whole family of a refresh token ends. One that is unknown has ended already.
    ///
    /// # Errors
    /// If the store fails.
    pub fn sign_out(&self, refresh: &str) -> Result<(), ShopError> {
        Ok(self.accounts.end_family(self.tokens.digest(refresh))?)
    }

    fn pair(&self, account: &Account, refresh: String) -> TokenPair {
        let (access, _) = self.access(account, self.settings.access_life);
        TokenPair { access, refresh }
    }
}
