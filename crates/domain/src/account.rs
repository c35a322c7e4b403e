//! Accounts: who may sign in, with what, and who is staff.

use crate::{
    Actor, Email, NameConflicts, PasswordHash, Problem, Refusal, UserId, Username, decide_names,
};
use chrono::{DateTime, Utc};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// The name to sign in with.
    pub username: Username,
    /// Where to write to; accounts from elsewhere may have none.
    pub email: Option<Email>,
    /// Whether this is a member of the staff.
    pub is_staff: bool,
    /// Whether it may sign in at all.
    pub is_active: bool,
    /// Counts up when every session of the account ends. A token names the count that it was
    /// issued under.
    pub session_epoch: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl Account {
    /// Who acts when this account acts; nobody if it is switched off.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match (self.is_active, self.is_staff) {
            (false, _) => Actor::Anonymous,
            (true, false) => Actor::Customer(self.id),
            (true, true) => Actor::Staff(self.id),
        }
    }
}

/// An account with what its password is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub account: Account,
    /// The hash of its password.
    pub password: PasswordHash,
}

/// Command: create an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The name to sign in with.
    pub username: Username,
    /// Where to write to.
    pub email: Option<Email>,
    /// The hash of the password.
    pub password: PasswordHash,
    /// Whether the account is staff's. Only the command line says so.
    pub is_staff: bool,
    /// When.
    pub at: DateTime<Utc>,
}

/// Command: give an account another e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEmail {
    /// The account.
    pub user: UserId,
    /// [`Account::session_epoch`] when the current password was checked.
    pub verified: i64,
    /// The address from now on.
    pub email: Email,
}

/// Decides on another e-mail address; the account afterwards. A message to the previous address,
/// once the shop sends mail, belongs to this decision.
///
/// # Errors
/// [`Refusal::NotFound`] for an account that is not there, [`Refusal::InvalidToken`] for one that is
/// deactivated, and [`Refusal::Invalid`] if the password was changed after it was checked, or if the
/// address is not free.
pub fn decide_email(
    command: &ChangeEmail,
    account: Option<&Account>,
    conflicts: NameConflicts,
) -> Result<Account, Refusal> {
    let account = account.ok_or(Refusal::NotFound)?;
    if !account.is_active {
        return Err(Refusal::InvalidToken);
    }
    if command.verified != account.session_epoch {
        return Err(Refusal::field("current_password", Problem::WrongPassword));
    }
    decide_names(conflicts)?;
    Ok(Account {
        email: Some(command.email.clone()),
        ..account.clone()
    })
}

/// Command: store another password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePassword {
    /// Whose.
    pub user: UserId,
    /// [`Account::session_epoch`] when the current password was checked; `None` if it was not asked
    /// for (the command line). Another password has another epoch, and a stronger hash of the same
    /// one does not.
    pub verified: Option<i64>,
    /// The hash of the new password.
    pub new: PasswordHash,
}

/// Decides on a change of password; the account afterwards. Every session ends.
///
/// # Errors
/// [`Refusal::NotFound`] for an account that is not there, and [`Refusal::Invalid`] if the
/// password was changed, or the user switched off, by somebody else after it was checked.
pub fn decide_password(
    command: &ChangePassword,
    credentials: Option<&Credentials>,
) -> Result<Credentials, Refusal> {
    let Credentials { account, .. } = credentials.ok_or(Refusal::NotFound)?;
    if command
        .verified
        .is_some_and(|verified| verified != account.session_epoch)
    {
        return Err(Refusal::field("current_password", Problem::WrongPassword));
    }
    let account = Account {
        session_epoch: account.session_epoch.wrapping_add(1),
        ..account.clone()
    };
    Ok(Credentials {
        account,
        password: command.new.clone(),
    })
}

/// Command: switch a user on or off, or make them staff or customer; what is `None` stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchUser {
    /// Which member of the staff does; `None` for the shop itself.
    pub by: Option<UserId>,
    /// Whom.
    pub user: UserId,
    /// Whether they may sign in.
    pub is_active: Option<bool>,
    /// Whether they are staff.
    pub is_staff: Option<bool>,
}

/// Decides on switching a user; the account afterwards. A user who is switched off loses every
/// session. `acting` is the account of whoever does it, as it is now: who was demoted a moment ago
/// could else undo it. `other_active_staff` counts the active staff besides this user.
///
/// # Errors
/// [`Refusal::InvalidToken`] and [`Refusal::Forbidden`] if whoever does it is switched off or no
/// staff any more, [`Refusal::NotFound`], and [`Refusal::LastStaff`] if no active staff would be
/// left.
pub fn decide_switch(
    command: &SwitchUser,
    account: Option<&Account>,
    acting: Option<&Account>,
    other_active_staff: u64,
) -> Result<Account, Refusal> {
    decide_staff(command.by, acting)?;
    let before = account.ok_or(Refusal::NotFound)?;
    let after = Account {
        is_active: command.is_active.unwrap_or(before.is_active),
        is_staff: command.is_staff.unwrap_or(before.is_staff),
        ..before.clone()
    };
    let acts_as_staff = |account: &Account| account.is_active && account.is_staff;
    if acts_as_staff(before) && !acts_as_staff(&after) && other_active_staff == 0 {
        return Err(Refusal::LastStaff);
    }
    let ended = i64::from(before.is_active && !after.is_active);
    Ok(Account {
        session_epoch: before.session_epoch.wrapping_add(ended),
        ..after
    })
}

/// Decides in which role a user acts, given their account under the command's lock. The role
/// that a session remembers may be out of date.
///
/// # Errors
/// [`Refusal::InvalidToken`] if the account is gone or deactivated.
pub fn decide_role(acting: Option<&Account>) -> Result<Actor, Refusal> {
    acting
        .map(Account::actor)
        .filter(|actor| *actor != Actor::Anonymous)
        .ok_or(Refusal::InvalidToken)
}

/// Decides whether a write that only staff may do is allowed. `by` is the acting user, or
/// `None` for the shop itself (the command line); `acting` is the account of that user under the
/// command's lock.
///
/// # Errors
/// As [`decide_role`], and [`Refusal::Forbidden`] if the user is not staff any more.
pub fn decide_staff(by: Option<UserId>, acting: Option<&Account>) -> Result<(), Refusal> {
    if by.is_some() {
        decide_role(acting)?.staff()?;
    }
    Ok(())
}

/// What a token says: who, since when, until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenClaims {
    /// Whose token it is.
    pub user: UserId,
    /// [`Account::session_epoch`] when it was issued.
    pub session_epoch: i64,
    /// When it was issued, in whole seconds.
    pub issued_at: DateTime<Utc>,
    /// When it ends, in whole seconds.
    pub expires_at: DateTime<Utc>,
}

/// Decides who acts with a token that is genuine and has not expired, given its account as it is
/// now.
///
/// # Errors
/// [`Refusal::InvalidToken`] if the account is gone or switched off, or its sessions have ended.
pub fn decide_session(claims: &TokenClaims, account: Option<&Account>) -> Result<Actor, Refusal> {
    account
        .filter(|account| account.session_epoch == claims.session_epoch)
        .map(Account::actor)
        .filter(|actor| *actor != Actor::Anonymous)
        .ok_or(Refusal::InvalidToken)
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
