mod people;
mod tokens;

pub use tokens::TokenPair;

use super::ShopError;
use crate::{
    Account, AccountRepository, Actor, Clock, Credentials, Email, LoginName, Password,
    PasswordHash, PasswordHasher, Refusal, Register, TokenClaims, TokenService, UserId, Username,
    decide_session,
};
use chrono::{DateTime, Duration, Utc};
use std::borrow::Cow;
use std::sync::Arc;

/// Who may come in, and who they are.
#[derive(Clone)]
pub struct Accounts {
    accounts: Arc<dyn AccountRepository>,
    hasher: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn TokenService>,
    clock: Arc<dyn Clock>,
    settings: AccountSettings,
}

/// What a shop can set about its accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountSettings {
    /// How long a token from [`Accounts::sign_in`] lasts, whose clients know no refresh.
    pub token_life: Duration,
    /// How long the access token of a [`TokenPair`] lasts.
    pub access_life: Duration,
    /// How long the refresh token of a [`TokenPair`] lasts, if it is not used.
    pub refresh_life: Duration,
}

/// A sign-in that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who signed in.
    pub account: Account,
    /// A token to come back with.
    pub token: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Who acts with a token, and until when at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Who acts.
    pub actor: Actor,
    /// [`Account::session_epoch`] when the token was issued.
    pub session_epoch: i64,
    /// When the token ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// Somebody who wants an account. The password has been checked against the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: Username,
    /// Where to write to.
    pub email: Option<Email>,
    /// The password.
    pub password: Password,
}

/// Somebody who wants an account, with the password hashed: all that takes long is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedUser {
    username: Username,
    email: Option<Email>,
    password: PasswordHash,
}

impl Accounts {
    /// The accounts kept in these ports.
    #[must_use]
    pub fn new(
        accounts: Arc<dyn AccountRepository>,
        hasher: Arc<dyn PasswordHasher>,
        tokens: Arc<dyn TokenService>,
        clock: Arc<dyn Clock>,
        settings: AccountSettings,
    ) -> Self {
        Self {
            accounts,
            hasher,
            tokens,
            clock,
            settings,
        }
    }

    /// Signs in: [`Accounts::recognise`] and [`Accounts::issue_token`] in one.
    ///
    /// # Errors
    /// As theirs.
    pub fn sign_in(&self, username: &str, password: &str) -> Result<SignedIn, ShopError> {
        Ok(self.issue_token(self.recognise(username, password)?))
    }

    /// Whose username and password these are. An unknown username, a wrong password and a user who
    /// is switched off get the same answer. It takes the same time where the password is hashed as
    /// it would be today; a hash from elsewhere, or of another cost, takes its own, a weaker one
    /// until the user signs in and it is renewed.
    ///
    /// # Errors
    /// [`Refusal::InvalidCredentials`]; if the store fails.
    pub fn recognise(&self, username: &str, password: &str) -> Result<Account, ShopError> {
        let credentials = self.credentials(&LoginName::new(username))?;
        let Some(credentials) = credentials else {
            for form in Password::hashed_forms(password) {
                self.hasher.verify_nobody(&form);
            }
            return Err(Refusal::InvalidCredentials.into());
        };
        let form = self.verify_password(password, &credentials.password);
        let Some(form) = form.filter(|_| credentials.account.is_active) else {
            return Err(Refusal::InvalidCredentials.into());
        };
        // Not worth refusing a right password for: the next sign-in tries again.
        let _ = self.renew_hash(&credentials, &form);
        Ok(credentials.account)
    }

    /// The account that a typed name means, and its password's hash.
    fn credentials(&self, username: &LoginName) -> Result<Option<Credentials>, ShopError> {
        for key in username.keys() {
            if let Some(credentials) = self.accounts.credentials(key)? {
                return Ok(Some(credentials));
            }
        }
        Ok(None)
    }

    /// The form of a typed password that was hashed; `None` if it is another password. The work for
    /// a wrong one depends on the typed text alone.
    fn verify_password<'a>(&self, typed: &'a str, hash: &PasswordHash) -> Option<Cow<'a, str>> {
        Password::hashed_forms(typed).find(|form| self.hasher.verify(form, hash))
    }

    /// A token for somebody who was recognised, and who knows no refresh.
    #[must_use]
    pub fn issue_token(&self, account: Account) -> SignedIn {
        let (token, expires_at) = self.access(&account, self.settings.token_life);
        SignedIn {
            account,
            token,
            expires_at,
        }
    }

    /// Replaces a hash that is weaker than those made today, or of a password before it was
    /// normalised. `form` is the one that fits.
    fn renew_hash(&self, credentials: &Credentials, form: &str) -> Result<(), ShopError> {
        let Credentials {
            account,
            password: old,
        } = credentials;
        if !self.hasher.is_outdated(old, form) {
            return Ok(());
        }
        // A password from before today's rules keeps its hash until it is changed.
        if let Ok(password) = Password::new(form, None) {
            let new = self.hasher.hash(&password)?;
            self.accounts.renew_hash(account.id, old.clone(), new)?;
        }
        Ok(())
    }

    /// A token of the account's current session, and when it ends.
    fn access(&self, account: &Account, life: Duration) -> (String, DateTime<Utc>) {
        let issued_at = whole_seconds(self.clock.now());
        let claims = TokenClaims {
            user: account.id,
            session_epoch: account.session_epoch,
            issued_at,
            expires_at: issued_at
                .checked_add_signed(life)
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
        };
        (self.tokens.issue(&claims), claims.expires_at)
    }

    /// Who acts with a token: [`Accounts::read_token`], [`Accounts::find_all`] and
    /// [`Accounts::session`] in one.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], whatever is wrong with it; if the store fails.
    pub fn authenticate(&self, token: &str) -> Result<Session, ShopError> {
        let claims = self.read_token(token)?;
        let account = self.find_all(&[claims.user])?.pop();
        Ok(Self::session(&claims, account.as_ref())?)
    }

    /// What a genuine token that has not expired says. It asks nobody.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], whatever is wrong with it.
    pub fn read_token(&self, token: &str) -> Result<TokenClaims, Refusal> {
        self.tokens.read(token, self.clock.now())
    }

    /// The accounts of these users, in any order, without those who are not there.
    ///
    /// # Errors
    /// If the store fails.
    pub fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, ShopError> {
        Ok(self.accounts.find_all(users)?)
    }

    /// Who acts with a token that says this, given its account as it is now.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`] if the account is gone or switched off, or its sessions have
    /// ended.
    pub fn session(claims: &TokenClaims, account: Option<&Account>) -> Result<Session, Refusal> {
        Ok(Session {
            actor: decide_session(claims, account)?,
            session_epoch: claims.session_epoch,
            expires_at: claims.expires_at,
        })
    }

    /// Whether the token of a session has ended by itself since it was authenticated.
    #[must_use]
    pub fn has_expired(&self, session: &Session) -> bool {
        session.expires_at <= self.clock.now()
    }

    /// Registers a customer: [`Accounts::hash`] and [`Accounts::register_hashed`] in one.
    ///
    /// # Errors
    /// As theirs.
    pub fn register(&self, user: NewUser) -> Result<Account, ShopError> {
        self.register_hashed(self.hash(user)?)
    }

    /// Hashes the password of somebody who wants an account. It takes long, and writes nothing.
    ///
    /// # Errors
    /// If the password cannot be hashed.
    pub fn hash(&self, user: NewUser) -> Result<HashedUser, ShopError> {
        Ok(HashedUser {
            password: self.hasher.hash(&user.password)?,
            username: user.username,
            email: user.email,
        })
    }

    /// Registers a customer whose password is hashed.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] naming what is taken; if the store fails.
    pub fn register_hashed(&self, user: HashedUser) -> Result<Account, ShopError> {
        self.create(user, false)
    }

    /// Makes a member of the staff. For the command line: whoever can run it owns the shop.
    ///
    /// # Errors
    /// As [`Accounts::register`].
    pub fn create_staff(&self, user: NewUser) -> Result<Account, ShopError> {
        self.create(self.hash(user)?, true)
    }

    fn create(&self, user: HashedUser, is_staff: bool) -> Result<Account, ShopError> {
        let HashedUser {
            username,
            email,
            password,
        } = user;
        let at = self.clock.now();
        Ok(self.accounts.register(Register {
            username,
            email,
            password,
            is_staff,
            at,
        })??)
    }

    /// Whether the shop has an active member of the staff.
    ///
    /// # Errors
    /// If the store fails.
    pub fn has_staff(&self) -> Result<bool, ShopError> {
        Ok(self.accounts.has_staff()?)
    }
}

/// Tokens tell time in whole seconds.
fn whole_seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
