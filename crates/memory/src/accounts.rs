use crate::{MemoryStore, count, next};
use std::collections::BTreeSet;
use tradepost_domain::{
    Account, AccountRepository, ChangePassword, Credentials, Email, Outcome, PasswordHash,
    Register, StoreError, SwitchUser, UserId, decide_password, decide_registration, decide_switch,
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

    fn register(&self, command: Register) -> Outcome<Account> {
        let mut state = self.lock();
        let username_key = command.username.key();
        let email_key = command.email.as_ref().map(Email::key);
        let username_taken = state.usernames.contains_key(&username_key);
        let email_taken = email_key.as_ref();
        let email_taken = email_taken.is_some_and(|key| state.emails.contains_key(key));
        if let Err(refusal) = decide_registration(username_taken, email_taken) {
            return Ok(Err(refusal));
        }
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
        state.emails.extend(email_key.map(|key| (key, id)));
        state.accounts.insert(id, credentials);
        Ok(Ok(account))
    }

    fn change_password(&self, command: ChangePassword) -> Outcome<Account> {
        let mut state = self.lock();
        let after = match decide_password(&command, state.accounts.get(&command.user)) {
            Ok(after) => after,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let account = after.account.clone();
        state.accounts.insert(account.id, after);
        Ok(Ok(account))
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

    fn switch(&self, command: SwitchUser) -> Outcome<Account> {
        let mut state = self.lock();
        let accounts = state
            .accounts
            .values()
            .map(|credentials| &credentials.account);
        let others = accounts.filter(|account| account.id != command.user && is_staff(account));
        let others = count(others.count());
        let Some(credentials) = state.accounts.get_mut(&command.user) else {
            return Ok(decide_switch(&command, None, others));
        };
        let decision = decide_switch(&command, Some(&credentials.account), others);
        if let Ok(after) = &decision {
            credentials.account.clone_from(after);
        }
        Ok(decision)
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        let state = self.lock();
        let mut accounts = state.accounts.values();
        Ok(accounts.any(|credentials| is_staff(&credentials.account)))
    }
}

fn is_staff(account: &Account) -> bool {
    account.is_active && account.is_staff
}
