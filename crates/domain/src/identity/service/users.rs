//! User management: one's own account, passwords, and updates by staff.

use super::Accounts;
use crate::identity::{
    Account, ChangeEmail, ChangePassword, Email, EndSessions, LoginName, Password, ResetUser,
    UpdateUser, UserChange, UserField, UserFilter,
};
use crate::kernel::{
    Actor, CursorPage, CursorRequest, Error, FieldError, Keyset, Page, PageRequest, Refusal, UserId,
};

impl Accounts {
    /// The actor's own account.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; if the store fails.
    pub fn own(&self, actor: Actor) -> Result<Account, Error> {
        let user = actor.customer()?;
        Ok(self.accounts.find(user)?.ok_or(Refusal::NotFound)?)
    }

    /// Changes the actor's own e-mail address: [`Accounts::prepare_email`] and
    /// [`Accounts::change_email`] in one.
    ///
    /// # Errors
    /// Those of the two.
    pub fn change_own_email(
        &self,
        actor: Actor,
        current: &str,
        email: Email,
    ) -> Result<Account, Error> {
        self.change_email(self.prepare_email(actor, current, email)?)
    }

    /// Verifies the actor's current password before a change of e-mail address. Slow; writes
    /// nothing.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::Invalid`] if `current` is not the password; if the
    /// store fails.
    pub fn prepare_email(
        &self,
        actor: Actor,
        current: &str,
        email: Email,
    ) -> Result<ChangeEmail, Error> {
        let account = self.verify_current(actor, current)?;
        Ok(ChangeEmail {
            user: account.id,
            verified: account.session_epoch,
            email,
            at: self.clock.now(),
        })
    }

    /// Executes a prepared change of e-mail address.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the address is taken, or the password was changed meanwhile; if the
    /// store fails.
    pub fn change_email(&self, command: ChangeEmail) -> Result<Account, Error> {
        self.accounts.change_email(command)
    }

    /// The actor's own account, if this is its password.
    fn verify_current(&self, actor: Actor, current: &str) -> Result<Account, Error> {
        let account = self.own(actor)?;
        let credentials = self
            .accounts
            .credentials(&account.username.key())?
            .ok_or(Refusal::NotFound)?;
        if self
            .verify_password(current, &credentials.password)
            .is_none()
        {
            return Err(Refusal::field("current_password", FieldError::WrongPassword).into());
        }
        Ok(credentials.account)
    }

    /// Changes the actor's own password and ends all their sessions: [`Accounts::prepare_password`]
    /// and [`Accounts::change_password`] in one.
    ///
    /// # Errors
    /// Those of the two.
    pub fn change_own_password(
        &self,
        actor: Actor,
        current: &str,
        new: &Password,
    ) -> Result<(), Error> {
        self.change_password(self.prepare_password(actor, current, new)?)
            .map(drop)
    }

    /// Verifies the actor's current password and hashes the new one. Slow; writes nothing.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::Invalid`] if `current` is not the password; if the
    /// store fails, or the password cannot be hashed.
    pub fn prepare_password(
        &self,
        actor: Actor,
        current: &str,
        new: &Password,
    ) -> Result<ChangePassword, Error> {
        let account = self.verify_current(actor, current)?;
        Ok(ChangePassword {
            user: account.id,
            verified: Some(account.session_epoch),
            new: self.hasher.hash(new)?,
            at: self.clock.now(),
        })
    }

    /// Executes a prepared change of password; every session of the user ends. Returns the account.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the password was changed meanwhile; if the store fails.
    pub fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        self.accounts.change_password(command)
    }

    /// Signs the actor out everywhere: all their sessions and tokens end.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::InvalidToken`] for a deactivated account; if the store
    /// fails.
    pub fn end_own_sessions(&self, actor: Actor) -> Result<Account, Error> {
        let user = actor.customer()?;
        let at = self.clock.now();
        self.accounts.end_sessions(EndSessions { user, at })
    }

    /// Resets a user's password without the current one; every session of the user ends. For the
    /// command line.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; if the store fails.
    pub fn reset_password(&self, username: &str, new: &Password) -> Result<Account, Error> {
        let account = self.by_username(username)?.ok_or(Refusal::NotFound)?;
        self.change_password(ChangePassword {
            user: account.id,
            verified: None,
            new: self.hasher.hash(new)?,
            at: self.clock.now(),
        })?;
        Ok(account)
    }

    /// The account with this username, regardless of case.
    ///
    /// # Errors
    /// If the store fails.
    pub fn by_username(&self, username: &str) -> Result<Option<Account>, Error> {
        let credentials = self.credentials(&LoginName::new(username))?;
        Ok(credentials.map(|credentials| credentials.account))
    }

    /// A page of the accounts, newest first.
    ///
    /// # Errors
    /// For actors other than staff; [`Refusal::NotFound`] for a page that does not exist; if the
    /// store fails.
    pub fn users(
        &self,
        actor: Actor,
        filter: UserFilter,
        page: PageRequest,
    ) -> Result<Page<Account>, Error> {
        actor.staff()?;
        Ok(self.accounts.list(filter, page)?.existing(page)?)
    }

    /// A cursor page of the accounts.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails.
    pub fn user_cursor_page(
        &self,
        actor: Actor,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, Error> {
        actor.staff()?;
        Ok(self.accounts.cursor_page(filter, keyset, span)?)
    }

    /// A user's account.
    ///
    /// # Errors
    /// For actors other than staff; [`Refusal::NotFound`]; if the store fails.
    pub fn user(&self, actor: Actor, user: UserId) -> Result<Account, Error> {
        actor.staff()?;
        Ok(self.accounts.find(user)?.ok_or(Refusal::NotFound)?)
    }

    /// Activates or deactivates a user, or changes their role.
    ///
    /// # Errors
    /// For actors other than staff; see [`decide_user_update`](crate::identity::decide_user_update); if the store
    /// fails.
    pub fn switch(&self, actor: Actor, user: UserId, change: UserChange) -> Result<Account, Error> {
        self.accounts.switch(UpdateUser {
            by: Some(actor.staff()?),
            user,
            change,
            at: self.clock.now(),
        })
    }

    /// Hashes a password that staff give another user. Slow; writes nothing.
    ///
    /// # Errors
    /// For actors other than staff; if the password cannot be hashed.
    pub fn prepare_reset(
        &self,
        actor: Actor,
        user: UserId,
        password: &Password,
    ) -> Result<ResetUser, Error> {
        let by = actor.staff()?;
        if by == user {
            return Err(Refusal::Forbidden.into());
        }
        Ok(ResetUser {
            by,
            user,
            password: Some(self.hasher.hash(password)?),
            at: self.clock.now(),
        })
    }

    /// Executes a prepared reset; every session of the user ends.
    ///
    /// # Errors
    /// See [`decide_user_reset`](crate::identity::decide_user_reset); if the store fails.
    pub fn reset_user(&self, command: ResetUser) -> Result<Account, Error> {
        self.accounts.reset_user(command)
    }

    /// Signs a user out everywhere, by staff.
    ///
    /// # Errors
    /// For actors other than staff; see [`decide_user_reset`](crate::identity::decide_user_reset);
    /// if the store fails.
    pub fn end_sessions(&self, actor: Actor, user: UserId) -> Result<Account, Error> {
        self.accounts.reset_user(ResetUser {
            by: actor.staff()?,
            user,
            password: None,
            at: self.clock.now(),
        })
    }
}
