mod attempts;
mod staff_sessions;

use crate::{MemoryStore, State, count, page_of, slice_of};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, Email, EndSessions,
    NameConflicts, PasswordHash, Refresh, RefreshDigest, RefreshToken, Register, ResetUser,
    UpdateUser, UserField, UserFilter, decide_email, decide_end_of_sessions, decide_first_staff,
    decide_new_family, decide_password, decide_refresh, decide_registration, decide_sign_out,
    decide_user_reset, decide_user_update,
};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Error, Keyset, Page, PageRequest, StoreError, UserId,
};

impl AccountRepository for MemoryStore {
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        let state = self.lock();
        let credentials = state.accounts.get(&user);
        Ok(credentials.map(|credentials| credentials.account.clone()))
    }

    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError> {
        let state = self.lock();
        let users: BTreeSet<&UserId> = users.iter().collect();
        let known = users.iter().filter_map(|user| state.accounts.get(user));
        Ok(known.map(|known| known.account.clone()).collect())
    }

    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError> {
        let state = self.lock();
        let user = state.usernames.get(username_key);
        Ok(user.and_then(|user| state.accounts.get(user)).cloned())
    }

    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError> {
        let state = self.lock();
        let newest_first = state.accounts.values().rev().map(|known| &known.account);
        let accounts = newest_first.filter(|account| filter.matches(account));
        Ok(page_of(accounts.collect(), page))
    }

    fn cursor_page(
        &self,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, StoreError> {
        let state = self.lock();
        let rows = state.accounts.values().map(|known| &known.account);
        let rows = rows.filter(|account| filter.matches(account));
        Ok(slice_of(rows, keyset, span))
    }

    fn register(&self, command: Register) -> Result<Account, Error> {
        let mut state = self.lock();
        let decision = decide_registration(&command, state.name_conflicts(&command))?;
        Ok(state.apply(decision)?)
    }

    fn register_first_staff(&self, command: Register) -> Result<Account, Error> {
        let mut state = self.lock();
        let conflicts = state.name_conflicts(&command);
        let decision = decide_first_staff(&command, conflicts, state.has_staff())?;
        Ok(state.apply(decision)?)
    }

    fn change_email(&self, command: ChangeEmail) -> Result<Account, Error> {
        let mut state = self.lock();
        let key = command.email.key();
        let holder = state.emails.get(&key);
        let conflicts = NameConflicts {
            email: holder.is_some_and(|holder| *holder != command.user),
            email_is_username: state.is_username(&command.email, Some(command.user)),
            ..NameConflicts::default()
        };
        let before = state.accounts.get(&command.user);
        let decision = decide_email(&command, before.map(|known| &known.account), conflicts)?;
        Ok(state.apply(decision)?)
    }

    fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        let mut state = self.lock();
        let before = state.accounts.get(&command.user);
        let decision = decide_password(&command, before.map(|known| &known.account))?;
        Ok(state.apply(decision)?)
    }

    fn end_sessions(&self, command: EndSessions) -> Result<Account, Error> {
        let mut state = self.lock();
        let before = state.accounts.get(&command.user);
        let before = before.map(|known| &known.account);
        let decision = decide_end_of_sessions(&command, before)?;
        Ok(state.apply(decision)?)
    }

    fn reset_user(&self, command: ResetUser) -> Result<Account, Error> {
        let mut state = self.lock();
        let account = state.acting(Some(command.user));
        let decision = decide_user_reset(&command, account, state.acting(Some(command.by)))?;
        Ok(state.apply(decision)?)
    }

    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        let credentials = state.accounts.get_mut(&user);
        if let Some(credentials) = credentials.filter(|credentials| credentials.password == old) {
            credentials.password = new;
        }
        Ok(())
    }

    fn switch(&self, command: UpdateUser) -> Result<Account, Error> {
        let mut state = self.lock();
        let accounts = state
            .accounts
            .values()
            .map(|credentials| &credentials.account);
        let others = accounts.filter(|account| account.id != command.user && is_staff(account));
        let others = count(others.count());
        let account = |user| Some(&state.accounts.get(&user)?.account);
        let acting = state.acting(command.by);
        let decision = decide_user_update(&command, account(command.user), acting, others)?;
        Ok(state.apply(decision)?)
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        Ok(self.lock().has_staff())
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        let mut state = self.lock();
        let tokens = state.refresh_tokens.values();
        let is_open = |held: &&RefreshToken| held.user == token.user && held.used_at.is_none();
        let mut open: Vec<_> = tokens.filter(is_open).collect();
        open.sort_by_key(|held| (Reverse(held.issued_at), held.digest));
        let newest_first = open.into_iter().map(|held| held.family);
        let ended: Vec<_> = newest_first.collect();
        state.apply(decide_new_family(token, ended))
    }

    fn refresh(&self, command: Refresh) -> Result<Account, Error> {
        let mut state = self.lock();
        let unused =
            |token: &&RefreshToken| token.family == command.family && token.used_at.is_none();
        let tokens = &state.refresh_tokens;
        let token = tokens.get(&command.token);
        let token = token.or_else(|| tokens.values().find(unused)).cloned();
        let user = token.as_ref().map(|token| token.user);
        let account = user.and_then(|user| Some(state.accounts.get(&user)?.account.clone()));
        let decision = decide_refresh(&command, token.as_ref(), account.as_ref());
        // A refusal is an outcome that may end the family.
        Ok(state.apply(decision)??)
    }

    fn end_family(&self, family: RefreshDigest) -> Result<(), StoreError> {
        self.lock().apply(decide_sign_out(family))
    }
}

impl State {
    /// The accounts that have the names of a registration.
    fn name_conflicts(&self, command: &Register) -> NameConflicts {
        let (username_key, skeleton) = (command.username.key(), command.username.skeleton());
        let email_key = command.email.as_ref().map(Email::key);
        let has_email = |key: &Option<String>| {
            let key = key.as_ref();
            key.is_some_and(|key| self.emails.contains_key(key))
        };
        NameConflicts {
            username: self.usernames.contains_key(&username_key),
            similar_username: self.skeletons.contains(&skeleton),
            username_is_email: has_email(&command.username.as_email_key()),
            email: has_email(&email_key),
            email_is_username: command
                .email
                .as_ref()
                .is_some_and(|email| self.is_username(email, None)),
        }
    }

    fn has_staff(&self) -> bool {
        let mut accounts = self.accounts.values();
        accounts.any(|credentials| is_staff(&credentials.account))
    }

    /// Whether an account other than this one has the address as its username.
    fn is_username(&self, email: &Email, user: Option<UserId>) -> bool {
        let keys = email.as_username_keys();
        let mut holders = keys.iter().filter_map(|key| self.usernames.get(key));
        holders.any(|holder| Some(*holder) != user)
    }

    /// The current account of the acting user of a write.
    pub(crate) fn acting(&self, by: Option<UserId>) -> Option<&Account> {
        Some(&self.accounts.get(&by?)?.account)
    }

    /// The current accounts of the acting users of a slice.
    pub(crate) fn all_acting(
        &self,
        by: impl Iterator<Item = Option<UserId>>,
    ) -> BTreeMap<UserId, Account> {
        let account = |by| Some((by, self.acting(Some(by))?.clone()));
        by.flatten().filter_map(account).collect()
    }
}

fn is_staff(account: &Account) -> bool {
    account.is_active && account.is_staff
}
