use super::{Outcome, StoreError};
use crate::{
    Account, ChangeEmail, ChangePassword, Credentials, Page, PageRequest, PasswordHash, Refresh,
    RefreshDigest, RefreshToken, Register, SwitchUser, UserId, UserSearch,
};

/// Which accounts a list is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// What occurs in the username or in the e-mail address, whatever its case.
    pub search: Option<UserSearch>,
}

/// Accounts, and the refresh tokens that keep them signed in.
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

    /// A page of accounts, newest first.
    ///
    /// MUST take every character of what is searched for as itself
    /// (`users_are_found_by_part_of_a_name`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError>;

    /// Creates an account whose names [`decide_names`](crate::decide_names) allows.
    ///
    /// MUST let one username and one e-mail address have one account, regardless of case and
    /// in a race (`one_username_goes_to_one_account`); one of the usernames that look alike
    /// (`one_of_the_names_that_look_alike_is_taken`); and no username that is the address of another
    /// account, or the other way about (`a_username_races_the_same_address`). Existing accounts
    /// keep their names.
    ///
    /// # Errors
    /// If the store fails.
    fn register(&self, command: Register) -> Outcome<Account>;

    /// Changes what [`decide_email`](crate::decide_email) allows.
    ///
    /// MUST decide by the account under a lock
    /// (`an_address_is_changed_by_an_active_account`), and let one e-mail address have one account,
    /// in any case of its letters and in races (`one_address_goes_to_one_account`), and none that is the
    /// username of another account (`a_username_is_no_address_of_another_account`).
    ///
    /// # Errors
    /// If the store fails.
    fn change_email(&self, command: ChangeEmail) -> Outcome<Account>;

    /// Changes what [`decide_password`](crate::decide_password) allows.
    ///
    /// MUST forget the refresh tokens of sessions that end with it
    /// (`tokens_are_forgotten_with_their_session`).
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
    /// MUST decide by the account of the acting user under a lock that lasts until
    /// the commit (`a_role_is_given_by_current_staff`), leave one active member of the staff, also in
    /// races (`the_last_staff_user_stays`), let
    /// nobody undo their own demotion (`who_is_demoted_cannot_undo_it`), and forget the refresh
    /// tokens of sessions that end with it.
    ///
    /// # Errors
    /// If the store fails.
    fn switch(&self, command: SwitchUser) -> Outcome<Account>;

    /// Whether there is an active member of the staff.
    ///
    /// # Errors
    /// If the store fails.
    fn has_staff(&self) -> Result<bool, StoreError>;

    /// Stores the first token of a family, and ends the families that
    /// [`decide_family_quota`](crate::decide_family_quota) names, under the lock of the user.
    ///
    /// MUST leave no more than there may be (`a_user_has_a_bounded_number_of_families`), also when
    /// the user signs in several times at once (`sign_ins_at_once_stay_within_the_quota`).
    ///
    /// # Errors
    /// If the store fails.
    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError>;

    /// Does what [`decide_refresh`](crate::decide_refresh) decides; the account that stays signed
    /// in. Otherwise it is [`Refusal::InvalidToken`](crate::Refusal::InvalidToken), and the family
    /// may have ended with it.
    ///
    /// MUST give one next token for each, whoever races (`one_refresh_token_gives_one_pair`), and
    /// end the whole family when that is decided (`a_stolen_token_ends_its_family`), also by a token
    /// that it has forgotten (`a_forgotten_token_ends_its_family`).
    ///
    /// # Errors
    /// If the store fails.
    fn refresh(&self, command: Refresh) -> Outcome<Account>;

    /// Ends the family that begins with this token. There may be none.
    ///
    /// MUST leave no token of it that can be used, also if one is refreshed meanwhile
    /// (`signing_out_races_refreshing`).
    ///
    /// # Errors
    /// If the store fails.
    fn end_family(&self, family: RefreshDigest) -> Result<(), StoreError>;
}
