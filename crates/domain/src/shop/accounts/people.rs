//! People: one's own account, passwords, and what staff see and switch.

use super::Accounts;
use crate::{
    Account, Actor, ChangeEmail, ChangePassword, Email, Page, PageRequest, Password, Problem,
    Refusal, ShopError, SwitchUser, UserFilter, UserId, fold_case,
};

impl Accounts {
    /// The actor's own account.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; if the store fails.
    pub fn own(&self, actor: Actor) -> Result<Account, ShopError> {
        let user = actor.customer()?;
        Ok(self.accounts.find(user)?.ok_or(Refusal::NotFound)?)
    }

    /// Gives the actor's own account another e-mail address, or leaves it as it is.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::Invalid`] if the address is taken; if the store
    /// fails.
    pub fn change_own(&self, actor: Actor, email: Option<Email>) -> Result<Account, ShopError> {
        let user = actor.customer()?;
        match email {
            Some(email) => Ok(self.accounts.change_email(ChangeEmail { user, email })??),
            None => self.own(actor),
        }
    }

    /// Changes the actor's own password; every session of theirs ends:
    /// [`Accounts::prepare_password`] and [`Accounts::change_password`] in one.
    ///
    /// # Errors
    /// As theirs.
    pub fn change_own_password(
        &self,
        actor: Actor,
        current: &str,
        new: &Password,
    ) -> Result<(), ShopError> {
        self.change_password(self.prepare_password(actor, current, new)?)
    }

    /// Checks the actor's current password and hashes the new one. It takes long, and writes
    /// nothing.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::Invalid`] if `current` is not the password; if the
    /// store fails, or the password cannot be hashed.
    pub fn prepare_password(
        &self,
        actor: Actor,
        current: &str,
        new: &Password,
    ) -> Result<ChangePassword, ShopError> {
        let account = self.own(actor)?;
        let credentials = self
            .accounts
            .credentials(&account.username.key())?
            .ok_or(Refusal::NotFound)?;
        if !self.hasher.verify(current, &credentials.password) {
            return Err(Refusal::field("current_password", Problem::WrongPassword).into());
        }
        Ok(ChangePassword {
            user: account.id,
            verified: Some(credentials.account.session_epoch),
            new: self.hasher.hash(new)?,
        })
    }

    /// Changes a password that was prepared; every session of the user ends.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the password was changed by somebody else meanwhile; if the store
    /// fails.
    pub fn change_password(&self, command: ChangePassword) -> Result<(), ShopError> {
        self.accounts.change_password(command)??;
        Ok(())
    }

    /// Changes somebody's password without asking for the current one; every session of theirs
    /// ends. For the command line.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; if the store fails.
    pub fn reset_password(&self, username: &str, new: &Password) -> Result<Account, ShopError> {
        let account = self.by_username(username)?.ok_or(Refusal::NotFound)?;
        self.change_password(ChangePassword {
            user: account.id,
            verified: None,
            new: self.hasher.hash(new)?,
        })?;
        Ok(account)
    }

    /// The account with this username, whatever its case.
    ///
    /// # Errors
    /// If the store fails.
    pub fn by_username(&self, username: &str) -> Result<Option<Account>, ShopError> {
        let credentials = self.accounts.credentials(&fold_case(username.trim()))?;
        Ok(credentials.map(|credentials| credentials.account))
    }

    /// A page of the accounts, newest first.
    ///
    /// # Errors
    /// For anybody but staff; [`Refusal::NotFound`] for a page that is not there; if the store
    /// fails.
    pub fn users(
        &self,
        actor: Actor,
        filter: UserFilter,
        page: PageRequest,
    ) -> Result<Page<Account>, ShopError> {
        actor.staff()?;
        Ok(self.accounts.list(filter, page)?.existing(page)?)
    }

    /// Somebody's account.
    ///
    /// # Errors
    /// For anybody but staff; [`Refusal::NotFound`]; if the store fails.
    pub fn user(&self, actor: Actor, user: UserId) -> Result<Account, ShopError> {
        actor.staff()?;
        Ok(self.accounts.find(user)?.ok_or(Refusal::NotFound)?)
    }

    /// Switches a user on or off, or makes them staff or customer: the actor does, whoever the
    /// command names.
    ///
    /// # Errors
    /// For anybody but staff; see [`decide_switch`](crate::decide_switch); if the store fails.
    pub fn switch(&self, actor: Actor, command: SwitchUser) -> Result<Account, ShopError> {
        let by = Some(actor.staff()?);
        Ok(self.accounts.switch(SwitchUser { by, ..command })??)
    }
}
