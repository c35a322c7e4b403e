//! Accounts: usernames, credentials and staff rights.

use crate::decision::{AccountAttribute, AccountUpdate, Created, Decision, Event, EventKind};
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
    /// Whether the account is staff; set only by the command line and for the first staff user.
    pub is_staff: bool,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// An account to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The name to sign in with.
    pub username: Username,
    /// E-mail address.
    pub email: Option<Email>,
    /// The hash of the password.
    pub password: PasswordHash,
    /// Whether the account is staff.
    pub is_staff: bool,
    /// Time of creation.
    pub at: DateTime<Utc>,
}

impl NewAccount {
    /// `account.registered`, by the new user or, for staff, by the shop itself.
    #[must_use]
    pub fn event(&self, user: UserId) -> Event {
        Event {
            kind: EventKind::AccountRegistered { user },
            actor: (!self.is_staff).then_some(user),
            at: self.at,
        }
    }

    /// The account with its password hash, given its id.
    #[must_use]
    pub fn into_credentials(self, id: UserId) -> Credentials {
        let account = Account {
            id,
            username: self.username,
            email: self.email,
            is_staff: self.is_staff,
            is_active: true,
            session_epoch: 0,
            created_at: self.at,
        };
        Credentials {
            account,
            password: self.password,
        }
    }
}

/// Decides a registration, given the accounts that have its names.
///
/// # Errors
/// As [`decide_names`].
pub fn decide_registration(
    command: &Register,
    conflicts: NameConflicts,
) -> Result<Decision<Created<Account>>, Refusal> {
    decide_names(conflicts)?;
    let mut decision = Decision::of(Created::new());
    decision.changes.new_accounts.push(NewAccount {
        username: command.username.clone(),
        email: command.email.clone(),
        password: command.password.clone(),
        is_staff: command.is_staff,
        at: command.at,
    });
    Ok(decision)
}

/// Decides the registration of the first staff user. It needs no permission, so it is allowed only
/// while the shop has no active staff user.
///
/// # Errors
/// [`Refusal::Forbidden`] if the shop has one; as [`decide_registration`].
pub fn decide_first_staff(
    command: &Register,
    conflicts: NameConflicts,
    has_staff: bool,
) -> Result<Decision<Created<Account>>, Refusal> {
    if has_staff {
        return Err(Refusal::Forbidden);
    }
    decide_registration(command, conflicts)
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
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Decides a change of e-mail address; the outcome is the account afterwards. Once the shop sends mail,
/// the notice to the previous address belongs to this decision.
///
/// # Errors
/// [`Refusal::NotFound`] for an unknown account, [`Refusal::InvalidToken`] for a deactivated one,
/// and [`Refusal::Invalid`] if the password changed after it was verified or the address is taken.
pub fn decide_email(
    command: &ChangeEmail,
    account: Option<&Account>,
    conflicts: NameConflicts,
) -> Result<Decision<Account>, Refusal> {
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
    let after = Account {
        email: Some(command.email.clone()),
        ..account.clone()
    };
    let event = Event {
        kind: EventKind::AccountChanged {
            user: account.id,
            attribute: AccountAttribute::Email,
        },
        actor: Some(account.id),
        at: command.at,
    };
    Ok(updated(account, after, None, event))
}

/// A changed account, with a new password hash if it has one.
fn updated(
    before: &Account,
    after: Account,
    password: Option<PasswordHash>,
    event: Event,
) -> Decision<Account> {
    let mut decision = Decision::of(after.clone());
    decision.changes.accounts.push(AccountUpdate {
        before: before.clone(),
        after,
        password,
    });
    decision.events.push(event);
    decision
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
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Decides a change of password; the outcome is the account afterwards. Every session ends.
///
/// # Errors
/// [`Refusal::NotFound`] for an unknown account, and [`Refusal::Invalid`] if the password changed,
/// or the user was deactivated, after the verification.
pub fn decide_password(
    command: &ChangePassword,
    account: Option<&Account>,
) -> Result<Decision<Account>, Refusal> {
    let account = account.ok_or(Refusal::NotFound)?;
    if command
        .verified
        .is_some_and(|verified| verified != account.session_epoch)
    {
        return Err(Refusal::field(
            "current_password",
            FieldError::WrongPassword,
        ));
    }
    let after = Account {
        session_epoch: account.session_epoch.wrapping_add(1),
        ..account.clone()
    };
    let event = Event {
        kind: EventKind::AccountChanged {
            user: account.id,
            attribute: AccountAttribute::Password,
        },
        actor: command.verified.map(|_| account.id),
        at: command.at,
    };
    Ok(updated(account, after, Some(command.new.clone()), event))
}

/// Command: end every session of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndSessions {
    /// The account.
    pub user: UserId,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Decides the end of all sessions and tokens of an account, by its user; the outcome is the account
/// afterwards.
///
/// # Errors
/// [`Refusal::InvalidToken`] if the account is gone or deactivated.
pub fn decide_end_of_sessions(
    command: &EndSessions,
    account: Option<&Account>,
) -> Result<Decision<Account>, Refusal> {
    decide_role(account)?;
    let before = account.ok_or(Refusal::InvalidToken)?;
    let after = Account {
        session_epoch: before.session_epoch.wrapping_add(1),
        ..before.clone()
    };
    let event = Event {
        kind: EventKind::AccountChanged {
            user: before.id,
            attribute: AccountAttribute::Sessions,
        },
        actor: Some(before.id),
        at: command.at,
    };
    Ok(updated(before, after, None, event))
}

/// Command: staff end every session of a user, and give the account another password if there is
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetUser {
    /// The acting staff user.
    pub by: UserId,
    /// The user to reset.
    pub user: UserId,
    /// The hash of the new password; `None` to keep the password.
    pub password: Option<PasswordHash>,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Decides a reset of a user by staff; the outcome is the account afterwards. `acting` is the
/// current account of the acting user. A stolen session must not suffice to take an account over:
/// staff change their own password with [`ChangePassword`], which needs the current one.
///
/// # Errors
/// [`Refusal::InvalidToken`] and [`Refusal::Forbidden`] if the acting user is deactivated or no
/// longer staff, or sets the own password; [`Refusal::NotFound`].
pub fn decide_user_reset(
    command: &ResetUser,
    account: Option<&Account>,
    acting: Option<&Account>,
) -> Result<Decision<Account>, Refusal> {
    decide_staff(Some(command.by), acting)?;
    let before = account.ok_or(Refusal::NotFound)?;
    if command.password.is_some() && command.by == command.user {
        return Err(Refusal::Forbidden);
    }
    let after = Account {
        session_epoch: before.session_epoch.wrapping_add(1),
        ..before.clone()
    };
    let event = Event {
        kind: EventKind::AccountChanged {
            user: before.id,
            attribute: match command.password {
                Some(_) => AccountAttribute::Password,
                None => AccountAttribute::Sessions,
            },
        },
        actor: Some(command.by),
        at: command.at,
    };
    Ok(updated(before, after, command.password.clone(), event))
}

/// Changes to a user by staff; `None` leaves a field unchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserChange {
    /// Whether the user may sign in.
    pub is_active: Option<bool>,
    /// Whether the user is staff.
    pub is_staff: Option<bool>,
}

/// Command: activate or deactivate a user, or change their role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdateUser {
    /// The acting staff user; `None` for the shop itself.
    pub by: Option<UserId>,
    /// The user to update.
    pub user: UserId,
    /// The changes.
    pub change: UserChange,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Decides an update of a user; the outcome is the account afterwards. Deactivating a user ends their
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
) -> Result<Decision<Account>, Refusal> {
    decide_staff(command.by, acting)?;
    let before = account.ok_or(Refusal::NotFound)?;
    let after = Account {
        is_active: command.change.is_active.unwrap_or(before.is_active),
        is_staff: command.change.is_staff.unwrap_or(before.is_staff),
        ..before.clone()
    };
    let acts_as_staff = |account: &Account| account.is_active && account.is_staff;
    if acts_as_staff(before) && !acts_as_staff(&after) && other_active_staff == 0 {
        return Err(Refusal::Identity(IdentityRefusal::LastStaff));
    }
    if after == *before {
        return Ok(Decision::of(after));
    }
    let ended = i64::from(before.is_active && !after.is_active);
    let event = Event {
        kind: EventKind::AccountSwitched {
            user: before.id,
            is_active: after.is_active,
            is_staff: after.is_staff,
        },
        actor: command.by,
        at: command.at,
    };
    let after = Account {
        session_epoch: before.session_epoch.wrapping_add(ended),
        ..after
    };
    Ok(updated(before, after, None, event))
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

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
