use super::{Outcome, StoreError};
use crate::{Account, ChangePassword, Credentials, PasswordHash, Register, SwitchUser, UserId};

/// Accounts.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait AccountRepository: Send + Sync {
    /// An account.
    ///
    /// # Errors
    /// If the store fails.
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError>;

    /// These accounts, in any order; none for a user who is not there. Those who come at the same
    /// time are looked up together, so this is one query.
    ///
    /// MUST give each account once (`accounts_are_found_together`).
    ///
    /// # Errors
    /// If the store fails.
    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError>;

    /// The account with this username, whatever its case, and its password's hash. The key is
    /// [`Username::key`](crate::Username::key).
    ///
    /// # Errors
    /// If the store fails.
    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError>;

    /// Creates what [`decide_registration`](crate::decide_registration) allows.
    ///
    /// MUST let one username and one e-mail address have one account, whatever their case and
    /// whoever races (`one_username_goes_to_one_account`).
    ///
    /// # Errors
    /// If the store fails.
    fn register(&self, command: Register) -> Outcome<Account>;

    /// Changes what [`decide_password`](crate::decide_password) allows.
    ///
    /// # Errors
    /// If the store fails.
    fn change_password(&self, command: ChangePassword) -> Outcome<Account>;

    /// Stores a stronger hash of the same password. Does nothing if the password has changed since
    /// `old` was read (`a_renewed_hash_does_not_undo_a_change`).
    ///
    /// # Errors
    /// If the store fails.
    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError>;

    /// Switches what [`decide_switch`](crate::decide_switch) allows.
    ///
    /// MUST leave one active member of the staff, whoever races (`the_last_staff_user_stays`).
    ///
    /// # Errors
    /// If the store fails.
    fn switch(&self, command: SwitchUser) -> Outcome<Account>;

    /// Whether there is an active member of the staff.
    ///
    /// # Errors
    /// If the store fails.
    fn has_staff(&self) -> Result<bool, StoreError>;
}
