use crate::identity::{
    Account, ChangeEmail, ChangePassword, Credentials, EndSessions, PasswordHash, Refresh,
    RefreshDigest, RefreshToken, Register, ResetUser, UpdateUser, UserField, UserFilter,
};
use crate::kernel::StoreError;
use crate::kernel::{CursorPage, CursorRequest, Error, Keyset, Page, PageRequest, UserId};

/// Account repository: accounts, and the refresh tokens of their sessions.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::identity::MockAccountRepository;
///
/// let mut accounts = MockAccountRepository::new();
/// let ada = AccountBuilder::new(1).username("ada").build();
/// accounts.expect_find().returning(move |_| Ok(Some(ada.clone())));
/// assert_eq!(accounts.find(user(1))?.map(|account| account.actor()), Some(Actor::Customer(user(1))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait AccountRepository: Send + Sync {
    /// An account by id.
    ///
    /// # Errors
    /// If the store fails.
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError>;

    /// The accounts with these ids, in any order; unknown ids are left out. One query, so that
    /// callers can batch their lookups.
    ///
    /// MUST give each account once (`accounts_are_found_together`).
    ///
    /// # Errors
    /// If the store fails.
    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError>;

    /// The account with this username, regardless of case, and its password hash. The key is
    /// [`Username::key`](crate::identity::Username::key).
    ///
    /// # Errors
    /// If the store fails.
    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError>;

    /// A page of accounts, newest first.
    ///
    /// MUST match every character of the search text literally
    /// (`users_are_found_by_part_of_a_name`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError>;

    /// A cursor page of accounts.
    ///
    /// MUST cost the same at every position of the list, and give every account exactly once to a
    /// client that follows the cursors, of those that the filter
    /// [matches](UserFilter::matches) (`cursor_pages_list_every_account_once`).
    ///
    /// # Errors
    /// If the store fails.
    fn cursor_page(
        &self,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, StoreError>;

    /// Creates an account as [`decide_registration`](crate::identity::decide_registration) allows.
    ///
    /// MUST keep usernames and e-mail addresses unique, regardless of case and under concurrency
    /// (`one_username_goes_to_one_account`); allow one of several confusable usernames
    /// (`one_of_the_names_that_look_alike_is_taken`); and allow no username that is the address of
    /// another account, or the reverse (`a_username_races_the_same_address`). Existing accounts
    /// keep their names.
    ///
    /// # Errors
    /// If the store fails.
    fn register(&self, command: Register) -> Result<Account, Error>;

    /// Creates the first staff user as [`decide_first_staff`](crate::identity::decide_first_staff)
    /// allows.
    ///
    /// MUST create at most one under concurrency (`one_first_staff_user_is_registered`).
    ///
    /// # Errors
    /// If the store fails.
    fn register_first_staff(&self, command: Register) -> Result<Account, Error>;

    /// Changes the e-mail address as [`decide_email`](crate::identity::decide_email) allows.
    ///
    /// MUST decide by the account under a lock (`an_address_is_changed_by_an_active_account`), and
    /// keep e-mail addresses unique regardless of case and under concurrency
    /// (`one_address_goes_to_one_account`), and different from the username of every other account
    /// (`a_username_is_no_address_of_another_account`).
    ///
    /// # Errors
    /// If the store fails.
    fn change_email(&self, command: ChangeEmail) -> Result<Account, Error>;

    /// Changes the password as [`decide_password`](crate::identity::decide_password) allows.
    ///
    /// MUST delete the refresh tokens of sessions that end with it
    /// (`tokens_end_with_their_sessions`).
    ///
    /// # Errors
    /// If the store fails.
    fn change_password(&self, command: ChangePassword) -> Result<Account, Error>;

    /// Ends every session of an account, as
    /// [`decide_end_of_sessions`](crate::identity::decide_end_of_sessions) allows.
    ///
    /// MUST delete the refresh tokens of these sessions (`all_sessions_of_a_user_end_at_once`).
    ///
    /// # Errors
    /// If the store fails.
    fn end_sessions(&self, command: EndSessions) -> Result<Account, Error>;

    /// Resets a user as [`decide_user_reset`](crate::identity::decide_user_reset) allows.
    ///
    /// MUST decide by the account of the acting user under a lock held until the commit
    /// (`a_user_is_reset_by_current_staff`), and delete the refresh tokens of the sessions that end
    /// (`a_reset_ends_every_session`).
    ///
    /// # Errors
    /// If the store fails.
    fn reset_user(&self, command: ResetUser) -> Result<Account, Error>;

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

    /// Updates a user as [`decide_user_update`](crate::identity::decide_user_update) allows.
    ///
    /// MUST decide by the account of the acting user under a lock held until the commit
    /// (`a_role_is_given_by_current_staff`), leave one active staff user, also under concurrency
    /// (`the_last_staff_user_stays`), prevent a demoted user from undoing the demotion
    /// (`a_demoted_user_cannot_undo_it`), and delete the refresh tokens of sessions that end with
    /// it.
    ///
    /// # Errors
    /// If the store fails.
    fn switch(&self, command: UpdateUser) -> Result<Account, Error>;

    /// Whether an active staff user exists.
    ///
    /// # Errors
    /// If the store fails.
    fn has_staff(&self) -> Result<bool, StoreError>;

    /// Stores the first token of a family, and ends the families that
    /// [`decide_new_family`](crate::identity::decide_new_family) names, under the lock of the user.
    ///
    /// MUST keep the number of families within the quota
    /// (`a_user_has_a_bounded_number_of_families`), also when the user signs in several times at
    /// once (`concurrent_sign_ins_stay_within_the_quota`).
    ///
    /// # Errors
    /// If the store fails.
    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError>;

    /// Rotates a refresh token as [`decide_refresh`](crate::identity::decide_refresh) decides; returns the
    /// account that stays signed in. Otherwise the result is
    /// [`Refusal::InvalidToken`](crate::kernel::Refusal::InvalidToken), and the family may have ended with
    /// it.
    ///
    /// MUST give one next token for each, also under concurrency
    /// (`one_refresh_token_gives_one_pair`), and end the whole family when that is decided
    /// (`a_stolen_token_ends_its_family`), also by a used token that was purged
    /// (`reuse_of_a_purged_token_ends_its_family`).
    ///
    /// # Errors
    /// If the store fails.
    fn refresh(&self, command: Refresh) -> Result<Account, Error>;

    /// Ends the family that begins with this token, if it exists.
    ///
    /// MUST leave no usable token of the family, also if one is refreshed at the same time
    /// (`signing_out_races_refreshing`).
    ///
    /// # Errors
    /// If the store fails.
    fn end_family(&self, family: RefreshDigest) -> Result<(), StoreError>;
}
