//! Accounts: usernames, credentials and staff rights.

use crate::identity::{
    Email, IdentityRefusal, NameConflicts, PasswordHash, Username, decide_names,
};
use crate::kernel::{Actor, FieldError, Refusal, UserId};
use chrono::{DateTime, Utc};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// The name to sign in with.
    pub username: Username,
    /// E-mail address; imported accounts may have none.
    pub email: Option<Email>,
    /// Whether the user is staff.
    pub is_staff: bool,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// Session epoch: incremented when every session of the account ends. A token carries the epoch
    /// under which it was issued.
    pub session_epoch: i64,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
}

impl Account {
    /// The actor that this account acts as; [`Actor::Anonymous`] if it is deactivated.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match (self.is_active, self.is_staff) {
            (false, _) => Actor::Anonymous,
            (true, false) => Actor::Customer(self.id),
            (true, true) => Actor::Staff(self.id),
        }
    }
}

/// An account with its password hash.
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
    /// E-mail address.
    pub email: Option<Email>,
    /// The hash of the password.
    pub password: PasswordHash,
    /// Whether the account is staff; set only by the command line.
    pub is_staff: bool,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Command: change the e-mail address of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEmail {
    /// The account.
    pub user: UserId,
    /// [`Account::session_epoch`] when the current password was verified.
    pub verified: i64,
    /// The new address.
    pub email: Email,
}

/// Decides a change of e-mail address; returns the account afterwards. Once the shop sends mail,
/// the notice to the previous address belongs to this decision.
///
/// # Errors
/// [`Refusal::NotFound`] for an unknown account, [`Refusal::InvalidToken`] for a deactivated one,
/// and [`Refusal::Invalid`] if the password changed after it was verified or the address is taken.
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
        return Err(Refusal::field(
            "current_password",
            FieldError::WrongPassword,
        ));
    }
    decide_names(conflicts)?;
    Ok(Account {
        email: Some(command.email.clone()),
        ..account.clone()
    })
}

/// Command: change a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePassword {
    /// The account.
    pub user: UserId,
    /// [`Account::session_epoch`] when the current password was verified; `None` if it was not
    /// asked for (the command line). A new password has a new epoch; a stronger hash of the same
    /// password does not.
    pub verified: Option<i64>,
    /// The hash of the new password.
    pub new: PasswordHash,
}

/// Decides a change of password; returns the account afterwards. Every session ends.
///
/// # Errors
/// [`Refusal::NotFound`] for an unknown account, and [`Refusal::Invalid`] if the password changed,
/// or the user was deactivated, after the verification.
pub fn decide_password(
    command: &ChangePassword,
    credentials: Option<&Credentials>,
) -> Result<Credentials, Refusal> {
    let Credentials { account, .. } = credentials.ok_or(Refusal::NotFound)?;
    if command
        .verified
        .is_some_and(|verified| verified != account.session_epoch)
    {
        return Err(Refusal::field(
            "current_password",
            FieldError::WrongPassword,
        ));
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

/// Command: activate or deactivate a user, or change their role; `None` leaves a field unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdateUser {
    /// The acting staff user; `None` for the shop itself.
    pub by: Option<UserId>,
    /// The user to update.
    pub user: UserId,
    /// Whether the user may sign in.
    pub is_active: Option<bool>,
    /// Whether the user is staff.
    pub is_staff: Option<bool>,
}

/// Decides an update of a user; returns the account afterwards. Deactivating a user ends their
/// sessions. `acting` is the current account of the acting user; with the account from their
/// session, a demoted user could undo the demotion. `other_active_staff` counts the active staff
/// besides this user.
///
/// # Errors
/// [`Refusal::InvalidToken`] and [`Refusal::Forbidden`] if the acting user is deactivated or no
/// longer staff, [`Refusal::NotFound`], and [`IdentityRefusal::LastStaff`] if no active staff would be
/// left.
pub fn decide_user_update(
    command: &UpdateUser,
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
        return Err(Refusal::Identity(IdentityRefusal::LastStaff));
    }
    let ended = i64::from(before.is_active && !after.is_active);
    Ok(Account {
        session_epoch: before.session_epoch.wrapping_add(ended),
        ..after
    })
}

/// Decides the role in which a user acts, given their account under the command's lock. The role
/// cached in a session may be out of date.
///
/// # Errors
/// [`Refusal::InvalidToken`] if the account is gone or deactivated.
pub fn decide_role(acting: Option<&Account>) -> Result<Actor, Refusal> {
    acting
        .map(Account::actor)
        .filter(|actor| *actor != Actor::Anonymous)
        .ok_or(Refusal::InvalidToken)
}

/// Decides whether a staff-only write is allowed. `by` is the acting user, or `None` for the shop
/// itself (the command line); `acting` is the account of that user under the command's lock.
///
/// # Errors
/// As [`decide_role`], and [`Refusal::Forbidden`] if the user is no longer staff.
pub fn decide_staff(by: Option<UserId>, acting: Option<&Account>) -> Result<(), Refusal> {
    if by.is_some() {
        decide_role(acting)?.staff()?;
    }
    Ok(())
}

/// Claims of an access token: user, session epoch, time of issue and expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenClaims {
    /// The user.
    pub user: UserId,
    /// [`Account::session_epoch`] at the time of issue.
    pub session_epoch: i64,
    /// Time of issue, in whole seconds.
    pub issued_at: DateTime<Utc>,
    /// Expiry, in whole seconds.
    pub expires_at: DateTime<Utc>,
}

/// Decides the actor of a genuine, unexpired token, given the current account.
///
/// # Errors
/// [`Refusal::InvalidToken`] if the account is gone or deactivated, or its sessions have ended.
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
