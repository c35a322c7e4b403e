use super::{Source, micros, new_row};
use crate::schema::{refresh_tokens, staff_sessions, users};
use diesel::prelude::*;
use tradepost_domain::decision::AccountUpdate;
use tradepost_domain::identity::{
    Account, Credentials, Email, NewAccount, PasswordHash, RefreshDigest, RefreshToken,
    SessionDigest, StaffSession, Username,
};
use tradepost_domain::kernel::{StoreError, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct AccountRow {
    id: i64,
    username: String,
    email: Option<String>,
    is_staff: bool,
    is_active: bool,
    session_epoch: i64,
    created_at: i64,
}

impl AccountRow {
    pub(crate) fn account(self) -> Result<Account, StoreError> {
        let from = Source::new("users", self.id);
        Ok(Account {
            id: from.good("id", UserId::new(self.id))?,
            username: from.good("username", Username::existing(&self.username).ok())?,
            email: from.text("email", self.email.as_deref(), Email::existing)?,
            is_staff: self.is_staff,
            is_active: self.is_active,
            session_epoch: self.session_epoch,
            created_at: from.at("created_at", self.created_at)?,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct CredentialsRow {
    #[diesel(embed)]
    account: AccountRow,
    password: String,
}

impl CredentialsRow {
    pub(crate) fn credentials(self) -> Result<Credentials, StoreError> {
        Ok(Credentials {
            account: self.account.account()?,
            password: PasswordHash::new(self.password),
        })
    }
}

new_row! {
    NewUserRow<'a>, ImportedUser: users {
        username: &'a str,
        username_key: String,
        username_skeleton: String,
        email: Option<&'a str>,
        email_key: Option<String>,
        password: &'a str,
        is_staff: bool,
        is_active: bool,
        session_epoch: i64,
        created_at: i64,
    }
}

impl<'a> From<&'a NewAccount> for NewUserRow<'a> {
    fn from(new: &'a NewAccount) -> Self {
        let (username, email) = (&new.username, new.email.as_ref());
        Self {
            username: username.as_str(),
            username_key: username.key(),
            username_skeleton: username.skeleton(),
            email: email.map(Email::as_str),
            email_key: email.map(Email::key),
            password: new.password.reveal(),
            is_staff: new.is_staff,
            is_active: true,
            session_epoch: 0,
            created_at: micros(new.at),
        }
    }
}

/// An update of a user, whose username never changes.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub(crate) struct UserChanges<'a> {
    /// `None` if it stays.
    email: Option<Option<&'a str>>,
    email_key: Option<Option<String>>,
    /// `None` if it stays.
    password: Option<&'a str>,
    is_staff: bool,
    is_active: bool,
    session_epoch: i64,
}

impl<'a> From<&'a AccountUpdate> for UserChanges<'a> {
    fn from(update: &'a AccountUpdate) -> Self {
        let AccountUpdate {
            before,
            after,
            password,
        } = update;
        let email = after.email.as_ref();
        let is_new = before.email.as_ref() != email;
        Self {
            email: is_new.then(|| email.map(Email::as_str)),
            email_key: is_new.then(|| email.map(Email::key)),
            password: password.as_ref().map(PasswordHash::reveal),
            is_staff: after.is_staff,
            is_active: after.is_active,
            session_epoch: after.session_epoch,
        }
    }
}

impl<'a> From<&'a Credentials> for NewUserRow<'a> {
    fn from(Credentials { account, password }: &'a Credentials) -> Self {
        let (username, email) = (&account.username, account.email.as_ref());
        Self {
            username: username.as_str(),
            username_key: username.key(),
            username_skeleton: username.skeleton(),
            email: email.map(Email::as_str),
            email_key: email.map(Email::key),
            password: password.reveal(),
            is_staff: account.is_staff,
            is_active: account.is_active,
            session_epoch: account.session_epoch,
            created_at: micros(account.created_at),
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens)]
pub(crate) struct RefreshTokenRow {
    digest: String,
    family: String,
    user_id: i64,
    session_epoch: i64,
    signed_in_at: i64,
    issued_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

impl From<&RefreshToken> for RefreshTokenRow {
    fn from(token: &RefreshToken) -> Self {
        Self {
            digest: token.digest.to_string(),
            family: token.family.to_string(),
            user_id: token.user.get(),
            session_epoch: token.session_epoch,
            signed_in_at: micros(token.signed_in_at),
            issued_at: micros(token.issued_at),
            expires_at: micros(token.expires_at),
            used_at: token.used_at.map(micros),
        }
    }
}

impl RefreshTokenRow {
    pub(crate) fn token(self) -> Result<RefreshToken, StoreError> {
        let from = Source::new("refresh_tokens", self.user_id);
        let used_at = self.used_at.map(|at| from.at("used_at", at)).transpose()?;
        Ok(RefreshToken {
            digest: from.good("digest", RefreshDigest::parse(&self.digest))?,
            family: from.good("family", RefreshDigest::parse(&self.family))?,
            user: from.good("user_id", UserId::new(self.user_id))?,
            session_epoch: self.session_epoch,
            signed_in_at: from.at("signed_in_at", self.signed_in_at)?,
            issued_at: from.at("issued_at", self.issued_at)?,
            expires_at: from.at("expires_at", self.expires_at)?,
            used_at,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = staff_sessions)]
pub(crate) struct StaffSessionRow {
    digest: String,
    user_id: i64,
    session_epoch: i64,
    signed_in_at: i64,
    used_at: i64,
    expires_at: i64,
}

impl From<&StaffSession> for StaffSessionRow {
    fn from(session: &StaffSession) -> Self {
        Self {
            digest: session.digest.to_string(),
            user_id: session.user.get(),
            session_epoch: session.session_epoch,
            signed_in_at: micros(session.signed_in_at),
            used_at: micros(session.used_at),
            expires_at: micros(session.expires_at),
        }
    }
}

impl StaffSessionRow {
    pub(crate) fn session(self) -> Result<StaffSession, StoreError> {
        let from = Source::new("staff_sessions", self.user_id);
        Ok(StaffSession {
            digest: from.good("digest", SessionDigest::parse(&self.digest))?,
            user: from.good("user_id", UserId::new(self.user_id))?,
            session_epoch: self.session_epoch,
            signed_in_at: from.at("signed_in_at", self.signed_in_at)?,
            used_at: from.at("used_at", self.used_at)?,
            expires_at: from.at("expires_at", self.expires_at)?,
        })
    }
}
