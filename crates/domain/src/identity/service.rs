mod tokens;
mod users;

pub use tokens::TokenPair;

use crate::identity::{
    Account, AccountRepository, Credentials, Email, IdentityRefusal, LoginName, Password,
    PasswordHash, Register, TokenClaims, Username, decide_session,
};
use crate::kernel::Error;
use crate::kernel::System;
use crate::kernel::{Actor, Clock, PasswordHasher, Refusal, TokenService, UserId};
use crate::{Service, ServicesConfig, Stores};
use chrono::{DateTime, Duration, Utc};
use std::borrow::Cow;
use std::sync::Arc;

/// Account service: sign-in, registration and tokens.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// shop.accounts.register(NewUser::new("ada", "tea at ten")?)?;
/// let signed_in = shop.accounts.sign_in("ada", "tea at ten")?;
/// let session = shop.accounts.authenticate(&signed_in.token)?;
/// assert_eq!(session.actor, signed_in.account.actor());
///
/// let wrong = shop.accounts.sign_in("ada", "coffee at ten").unwrap_err();
/// assert!(matches!(wrong, Error::Refused(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Accounts {
    accounts: Arc<dyn AccountRepository>,
    hasher: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn TokenService>,
    clock: Arc<dyn Clock>,
    settings: AccountSettings,
}

/// Account settings of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountSettings {
    /// Lifetime of a token from [`Accounts::sign_in`], for clients without refresh tokens.
    pub token_life: Duration,
    /// Lifetime of the access token of a [`TokenPair`].
    pub access_life: Duration,
    /// Lifetime of the unused refresh token of a [`TokenPair`].
    pub refresh_life: Duration,
}

impl Default for AccountSettings {
    /// An hour for the access token of a pair, and thirty days for the others.
    fn default() -> Self {
        Self {
            token_life: Duration::days(30),
            access_life: Duration::hours(1),
            refresh_life: Duration::days(30),
        }
    }
}

/// A successful sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The account.
    pub account: Account,
    /// The access token.
    pub token: String,
    /// Expiry of the token.
    pub expires_at: DateTime<Utc>,
}

/// An authenticated session: the actor of a token, and its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The actor.
    pub actor: Actor,
    /// [`Account::session_epoch`] when the token was issued.
    pub session_epoch: i64,
    /// Expiry of the token.
    pub expires_at: DateTime<Utc>,
}

/// A registration. The password has been validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: Username,
    /// E-mail address.
    pub email: Option<Email>,
    /// The password.
    pub password: Password,
}

impl NewUser {
    /// A registration without an e-mail address.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with the username, or else with the password.
    pub fn new(username: &str, password: &str) -> Result<Self, Refusal> {
        let username = Username::new(username);
        let username = username.map_err(|problem| Refusal::field("username", problem))?;
        let password = Password::new(password, Some(&username));
        let password = password.map_err(|problem| Refusal::field("password", problem))?;
        Ok(Self {
            username,
            email: None,
            password,
        })
    }
}

/// A registration with its password hashed: the slow part is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedUser {
    username: Username,
    email: Option<Email>,
    password: PasswordHash,
}

impl Service for Accounts {
    fn of(stores: &Stores, system: &System, config: &ServicesConfig) -> Self {
        Self::new(
            stores.accounts.clone(),
            system.hasher.clone(),
            system.tokens.clone(),
            system.clock.clone(),
            config.accounts,
        )
    }
}

impl Accounts {
    /// The service over these ports.
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

    /// Signs in: [`Accounts::verify_credentials`] and [`Accounts::issue_token`] in one.
    ///
    /// # Errors
    /// Those of the two.
    pub fn sign_in(&self, username: &str, password: &str) -> Result<SignedIn, Error> {
        Ok(self.issue_token(self.verify_credentials(username, password)?))
    }

    /// Verifies credentials; returns their account. An unknown username, a wrong password and a
    /// deactivated user get the same answer. They take the same time if the password hash has the
    /// current parameters; an imported hash, or one of another cost, takes its own time, a weaker
    /// one until the user signs in and it is renewed.
    ///
    /// # Errors
    /// [`IdentityRefusal::InvalidCredentials`]; if the store fails.
    pub fn verify_credentials(&self, username: &str, password: &str) -> Result<Account, Error> {
        let credentials = self.credentials(&LoginName::new(username))?;
        let Some(credentials) = credentials else {
            for form in Password::hashed_forms(password) {
                self.hasher.verify_dummy(&form);
            }
            return Err(Refusal::Identity(IdentityRefusal::InvalidCredentials).into());
        };
        let form = self.verify_password(password, &credentials.password);
        let Some(form) = form.filter(|_| credentials.account.is_active) else {
            return Err(Refusal::Identity(IdentityRefusal::InvalidCredentials).into());
        };
        // No reason to refuse a correct password: the next sign-in retries.
        let _ = self.renew_hash(&credentials, &form);
        Ok(credentials.account)
    }

    /// The account of a typed username, and its password hash.
    fn credentials(&self, username: &LoginName) -> Result<Option<Credentials>, Error> {
        for key in username.keys() {
            if let Some(credentials) = self.accounts.credentials(key)? {
                return Ok(Some(credentials));
            }
        }
        Ok(None)
    }

    /// The form of a typed password that matches the hash; `None` if the password is wrong. The
    /// work for a wrong one depends on the typed text alone.
    fn verify_password<'a>(&self, typed: &'a str, hash: &PasswordHash) -> Option<Cow<'a, str>> {
        Password::hashed_forms(typed).find(|form| self.hasher.verify(form, hash))
    }

    /// Issues an access token for verified credentials, without a refresh token.
    #[must_use]
    pub fn issue_token(&self, account: Account) -> SignedIn {
        let (token, expires_at) = self.access(&account, self.settings.token_life);
        SignedIn {
            account,
            token,
            expires_at,
        }
    }

    /// Renews a hash that is weaker than current ones, or of a password that was not normalised.
    /// `form` is the form that matches.
    fn renew_hash(&self, credentials: &Credentials, form: &str) -> Result<(), Error> {
        let Credentials {
            account,
            password: old,
        } = credentials;
        if !self.hasher.is_outdated(old, form) {
            return Ok(());
        }
        // A password that violates today's rules keeps its hash until it is changed.
        if let Ok(password) = Password::new(form, None) {
            let new = self.hasher.hash(&password)?;
            self.accounts.renew_hash(account.id, old.clone(), new)?;
        }
        Ok(())
    }

    /// An access token of the account's current session, and its expiry.
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

    /// Authenticates a token: [`Accounts::read_token`], [`Accounts::find_all`] and
    /// [`Accounts::session`] in one.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], the same for every reason; if the store fails.
    pub fn authenticate(&self, token: &str) -> Result<Session, Error> {
        let claims = self.read_token(token)?;
        let account = self.find_all(&[claims.user])?.pop();
        Ok(Self::session(&claims, account.as_ref())?)
    }

    /// The claims of a genuine, unexpired token. It queries no store.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`], the same for every reason.
    pub fn read_token(&self, token: &str) -> Result<TokenClaims, Refusal> {
        self.tokens.read(token, self.clock.now())
    }

    /// The accounts with these ids, in any order; unknown ids are left out.
    ///
    /// # Errors
    /// If the store fails.
    pub fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, Error> {
        Ok(self.accounts.find_all(users)?)
    }

    /// The session of a token with these claims, given its current account.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`] if the account is gone or deactivated, or its sessions have ended.
    pub fn session(claims: &TokenClaims, account: Option<&Account>) -> Result<Session, Refusal> {
        Ok(Session {
            actor: decide_session(claims, account)?,
            session_epoch: claims.session_epoch,
            expires_at: claims.expires_at,
        })
    }

    /// Whether the token of a session has expired since it was authenticated.
    #[must_use]
    pub fn has_expired(&self, session: &Session) -> bool {
        session.expires_at <= self.clock.now()
    }

    /// Registers a customer: [`Accounts::hash`] and [`Accounts::register_hashed`] in one.
    ///
    /// # Errors
    /// Those of the two.
    pub fn register(&self, user: NewUser) -> Result<Account, Error> {
        self.register_hashed(self.hash(user)?)
    }

    /// Hashes the password of a registration. Slow; writes nothing.
    ///
    /// # Errors
    /// If the password cannot be hashed.
    pub fn hash(&self, user: NewUser) -> Result<HashedUser, Error> {
        Ok(HashedUser {
            password: self.hasher.hash(&user.password)?,
            username: user.username,
            email: user.email,
        })
    }

    /// Registers a customer whose password is hashed.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] naming the fields that are taken; if the store fails.
    pub fn register_hashed(&self, user: HashedUser) -> Result<Account, Error> {
        self.create(user, false)
    }

    /// Creates a staff user. For the command line, whose operator owns the shop.
    ///
    /// # Errors
    /// As [`Accounts::register`].
    pub fn create_staff(&self, user: NewUser) -> Result<Account, Error> {
        self.create(self.hash(user)?, true)
    }

    /// Creates the first staff user, whose password is hashed. For the setup page.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] if the shop has an active staff user; as [`Accounts::register`].
    pub fn create_first_staff(&self, user: HashedUser) -> Result<Account, Error> {
        self.accounts
            .register_first_staff(self.register_command(user, true))
    }

    fn create(&self, user: HashedUser, is_staff: bool) -> Result<Account, Error> {
        self.accounts
            .register(self.register_command(user, is_staff))
    }

    fn register_command(&self, user: HashedUser, is_staff: bool) -> Register {
        let HashedUser {
            username,
            email,
            password,
        } = user;
        Register {
            username,
            email,
            password,
            is_staff,
            at: self.clock.now(),
        }
    }

    /// Whether the shop has an active staff user.
    ///
    /// # Errors
    /// If the store fails.
    pub fn has_staff(&self) -> Result<bool, Error> {
        Ok(self.accounts.has_staff()?)
    }
}

/// Truncates to whole seconds, the precision of times in tokens.
fn whole_seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
