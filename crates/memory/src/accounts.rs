use crate::{MemoryStore, State, count, next, page_of};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, Email, NameConflicts,
    PasswordHash, Refresh, RefreshDecision, RefreshDigest, RefreshToken, Register, UpdateUser,
    UserFilter, decide_email, decide_family_quota, decide_names, decide_password, decide_refresh,
    decide_user_update,
};
use tradepost_domain::kernel::{Error, Page, PageRequest, Refusal, StoreError, UserId, UserSearch};

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
        let wanted = filter.search.as_ref().map(UserSearch::key);
        let found = |account: &Account| {
            wanted.as_ref().is_none_or(|wanted| {
                let email = account.email.as_ref().map(Email::key);
                account.username.key().contains(wanted)
                    || email.is_some_and(|email| email.contains(wanted))
            })
        };
        let newest_first = state.accounts.values().rev().map(|known| &known.account);
        let accounts = newest_first.filter(|account| found(account)).collect();
        Ok(page_of(accounts, page))
    }

    fn register(&self, command: Register) -> Result<Account, Error> {
        let mut state = self.lock();
        let (username_key, skeleton) = (command.username.key(), command.username.skeleton());
        let email_key = command.email.as_ref().map(Email::key);
        let has_email = |key: &Option<String>| {
            let key = key.as_ref();
            key.is_some_and(|key| state.emails.contains_key(key))
        };
        let conflicts = NameConflicts {
            username: state.usernames.contains_key(&username_key),
            similar_username: state.skeletons.contains(&skeleton),
            username_is_email: has_email(&command.username.as_email_key()),
            email: has_email(&email_key),
            email_is_username: command
                .email
                .as_ref()
                .is_some_and(|email| state.is_username(email, None)),
        };
        decide_names(conflicts)?;
        let id = next(&mut state.last.user, UserId::new)?;
        let account = Account {
            id,
            username: command.username,
            email: command.email,
            is_staff: command.is_staff,
            is_active: true,
            session_epoch: 0,
            created_at: command.at,
        };
        let credentials = Credentials {
            account: account.clone(),
            password: command.password,
        };
        state.usernames.insert(username_key, id);
        state.skeletons.insert(skeleton);
        state.emails.extend(email_key.map(|key| (key, id)));
        state.accounts.insert(id, credentials);
        Ok(account)
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
        let after = decide_email(&command, before.map(|known| &known.account), conflicts)?;
        state.emails.retain(|_, holder| *holder != command.user);
        state.emails.insert(key, command.user);
        if let Some(credentials) = state.accounts.get_mut(&command.user) {
            credentials.account.clone_from(&after);
        }
        Ok(after)
    }

    fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        let mut state = self.lock();
        let after = decide_password(&command, state.accounts.get(&command.user))?;
        let account = after.account.clone();
        state.accounts.insert(account.id, after);
        state.end_sessions(&account);
        Ok(account)
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
        let after = decide_user_update(&command, account(command.user), acting, others)?;
        if let Some(credentials) = state.accounts.get_mut(&command.user) {
            credentials.account.clone_from(&after);
        }
        state.end_sessions(&after);
        Ok(after)
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        let state = self.lock();
        let mut accounts = state.accounts.values();
        Ok(accounts.any(|credentials| is_staff(&credentials.account)))
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        let mut state = self.lock();
        let tokens = state.refresh_tokens.values();
        let is_open = |held: &&RefreshToken| held.user == token.user && held.used_at.is_none();
        let mut open: Vec<_> = tokens.filter(is_open).collect();
        open.sort_by_key(|held| (Reverse(held.issued_at), held.digest));
        let newest_first = open.into_iter().map(|held| held.family);
        for family in decide_family_quota(newest_first) {
            state.end_family(family);
        }
        state.refresh_tokens.insert(token.digest, token);
        Ok(())
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
        match (decision, token, account) {
            (RefreshDecision::Rotate { next, forget }, Some(used), Some(account)) => {
                let family = used.family;
                let used = RefreshToken {
                    used_at: Some(command.at),
                    ..used
                };
                state.refresh_tokens.insert(used.digest, used);
                state.refresh_tokens.insert(next.digest, next);
                state.refresh_tokens.retain(|_, token| {
                    token.family != family || token.used_at.is_none_or(|at| at >= forget)
                });
                return Ok(account);
            }
            (RefreshDecision::EndFamily, Some(one), _) => state.end_family(one.family),
            _ => {}
        }
        Err(Refusal::InvalidToken.into())
    }

    fn end_family(&self, family: RefreshDigest) -> Result<(), StoreError> {
        self.lock().end_family(family);
        Ok(())
    }
}

impl State {
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

    fn end_family(&mut self, family: RefreshDigest) {
        self.refresh_tokens
            .retain(|_, token| token.family != family);
    }

    /// Deletes the refresh tokens of every session of an account but the current one.
    fn end_sessions(&mut self, account: &Account) {
        self.refresh_tokens.retain(|_, token| {
            token.user != account.id || token.session_epoch == account.session_epoch
        });
    }
}

fn is_staff(account: &Account) -> bool {
    account.is_active && account.is_staff
}
