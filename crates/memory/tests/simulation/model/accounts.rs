use super::{Expected, Fresh, Model, Session, somebody, staff, wrong};
use crate::command::Answer;
use crate::outside::{Notes, hash, is_hash_of, old_hash};
use chrono::{DateTime, Duration, Utc};
use tradepost_domain::identity::{
    Account, ChangePassword, Credentials, IdentityRefusal, NewUser, Password, PasswordHash,
    SignedIn, TokenClaims, UserChange,
};
use tradepost_domain::kernel::{
    Actor, FieldError, Refusal, TokenService, UserId, ValidationErrors,
};

pub(crate) const TOKEN_LIFE: Duration = Duration::minutes(30);

impl Model {
    pub(super) fn register(
        &mut self,
        user: &NewUser,
        is_staff: bool,
        at: DateTime<Utc>,
        fresh: &Fresh,
    ) -> Expected {
        let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        let accounts = || self.accounts.values().map(|one| &one.account);
        let username = accounts().any(|one| same(one.username.as_str(), user.username.as_str()));
        let email = user.email.as_ref().is_some_and(|email| {
            accounts().any(|one| {
                let held = one.email.as_ref();
                held.is_some_and(|held| same(held.as_str(), email.as_str()))
            })
        });
        let mut errors = ValidationErrors::default();
        for (field, taken) in [("username", username), ("email", email)] {
            if taken {
                errors.push(field, FieldError::Taken);
            }
        }
        if !errors.is_empty() {
            return Err(Refusal::Invalid(errors));
        }
        let account = Account {
            id: fresh.user.unwrap_or(UserId::new(i64::MAX).unwrap()),
            username: user.username.clone(),
            email: user.email.clone(),
            is_staff,
            is_active: true,
            session_epoch: 0,
            created_at: at,
        };
        self.write_account(account.clone(), hash(user.password.reveal()));
        Ok(Answer::Account(account))
    }

    pub(super) fn switch(&mut self, by: Actor, user: UserId, change: UserChange) -> Expected {
        staff(by)?;
        staff(self.acting(by)?)?;
        let Credentials {
            mut account,
            password,
        } = self.account(user)?;
        let active = account.is_active;
        account.is_active = change.is_active.unwrap_or(active);
        account.is_staff = change.is_staff.unwrap_or(account.is_staff);
        if active && !account.is_active {
            account.session_epoch += 1;
        }
        let mut after = self.clone_accounts();
        after.retain(|one| one.id != account.id);
        after.push(account.clone());
        if self.clone_accounts().iter().any(acts_as_staff) && !after.iter().any(acts_as_staff) {
            return Err(Refusal::Identity(IdentityRefusal::LastStaff));
        }
        self.write_account(account.clone(), password);
        self.end_sessions(&account);
        Ok(Answer::Account(account))
    }

    pub(super) fn change_password(&mut self, by: Actor, current: &str, new: &Password) -> Expected {
        let held = self.account(somebody(by)?)?;
        if !is_hash_of(&held.password, current) {
            return wrong("current_password", FieldError::WrongPassword);
        }
        self.new_password(held.account, hash(new.reveal()));
        Ok(Answer::Done)
    }

    pub(super) fn reset_password(&mut self, username: &str, new: &Password) -> Expected {
        let held = self.named(username).ok_or(Refusal::NotFound)?;
        self.new_password(held.account.clone(), hash(new.reveal()));
        Ok(Answer::Account(held.account))
    }

    pub(super) fn store_password(&mut self, change: &ChangePassword) -> Expected {
        let held = self.account(change.user)?;
        if change
            .verified
            .is_some_and(|verified| verified != held.account.session_epoch)
        {
            return wrong("current_password", FieldError::WrongPassword);
        }
        let account = self.new_password(held.account, change.new.clone());
        Ok(Answer::Account(account))
    }

    pub(super) fn sign_in(
        &mut self,
        username: &str,
        password: &str,
        at: DateTime<Utc>,
        renewed: bool,
    ) -> Expected {
        let account = self.verify_credentials(username, password, renewed)?;
        let (token, expires_at) = self.issue(&account, at);
        Ok(Answer::SignedIn(SignedIn {
            account,
            token,
            expires_at,
        }))
    }

    pub(super) fn verify_credentials(
        &mut self,
        username: &str,
        password: &str,
        renewed: bool,
    ) -> Expected<Account> {
        let held = self.named(username);
        let held =
            held.filter(|held| held.account.is_active && is_hash_of(&held.password, password));
        let Credentials {
            account,
            password: before,
        } = held.ok_or(Refusal::Identity(IdentityRefusal::InvalidCredentials))?;
        if renewed && before == old_hash(password) {
            self.write_account(account.clone(), hash(password));
        }
        Ok(account)
    }

    /// Issues an access token; returns it with its expiry.
    pub(super) fn issue(
        &mut self,
        account: &Account,
        at: DateTime<Utc>,
    ) -> (String, DateTime<Utc>) {
        let issued_at = DateTime::from_timestamp(at.timestamp(), 0).unwrap();
        let expires_at = issued_at + TOKEN_LIFE;
        let token = Notes::default().issue(&TokenClaims {
            user: account.id,
            session_epoch: account.session_epoch,
            issued_at,
            expires_at,
        });
        let session = Session {
            user: account.id,
            epoch: account.session_epoch,
            expires_at,
        };
        self.sessions.insert(token.clone(), session);
        (token, expires_at)
    }

    pub(super) fn authenticate(&self, token: &str, at: DateTime<Utc>) -> Expected {
        let session = self.sessions.get(token).ok_or(Refusal::InvalidToken)?;
        let account = self.account(session.user)?.account;
        if at >= session.expires_at || account.session_epoch != session.epoch || !account.is_active
        {
            return Err(Refusal::InvalidToken);
        }
        let actor = if account.is_staff {
            Actor::Staff(account.id)
        } else {
            Actor::Customer(account.id)
        };
        Ok(Answer::Session(tradepost_domain::identity::Session {
            actor,
            session_epoch: session.epoch,
            expires_at: session.expires_at,
        }))
    }

    /// The actor in the current role of their account.
    pub(super) fn acting(&self, by: Actor) -> Expected<Actor> {
        let account = self.accounts.get(&somebody(by)?);
        match account.map(|held| &held.account) {
            Some(account) if account.is_active && account.is_staff => Ok(Actor::Staff(account.id)),
            Some(account) if account.is_active => Ok(Actor::Customer(account.id)),
            _ => Err(Refusal::InvalidToken),
        }
    }

    fn account(&self, user: UserId) -> Expected<Credentials> {
        self.accounts.get(&user).cloned().ok_or(Refusal::NotFound)
    }

    fn named(&self, username: &str) -> Option<Credentials> {
        let mut accounts = self.accounts.values();
        let wanted = username.to_lowercase();
        accounts
            .find(|one| one.account.username.as_str().to_lowercase() == wanted)
            .cloned()
    }

    fn clone_accounts(&self) -> Vec<Account> {
        self.accounts
            .values()
            .map(|one| one.account.clone())
            .collect()
    }

    /// Stores a password and ends every session.
    fn new_password(&mut self, mut account: Account, password: PasswordHash) -> Account {
        account.session_epoch += 1;
        self.write_account(account.clone(), password);
        self.end_sessions(&account);
        account
    }

    pub(crate) fn write_account(&mut self, account: Account, password: PasswordHash) {
        self.touched.users.push(account.id);
        let credentials = Credentials { account, password };
        self.accounts.insert(credentials.account.id, credentials);
    }
}

fn acts_as_staff(account: &Account) -> bool {
    account.is_active && account.is_staff
}
