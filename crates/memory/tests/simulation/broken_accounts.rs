//! Account repositories with a deliberate defect.

use crate::broken::Defect;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, EndSessions,
    PasswordHash, Refresh, RefreshDigest, RefreshToken, Register, ResetUser, UpdateUser, UserField,
    UserFilter,
};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Error, Keyset, Page, PageRequest, StoreError, UserId,
};

/// Accounts with a defect, over correct ones.
pub(crate) struct BrokenAccounts {
    inner: Arc<dyn AccountRepository>,
    defect: Defect,
    /// Accounts of the used tokens.
    used: Mutex<BTreeMap<RefreshDigest, Account>>,
}

impl BrokenAccounts {
    pub(crate) fn over(inner: Arc<dyn AccountRepository>, defect: Defect) -> Arc<Self> {
        let used = Mutex::default();
        Arc::new(Self {
            inner,
            defect,
            used,
        })
    }
}

impl AccountRepository for BrokenAccounts {
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.inner.find(user)
    }

    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError> {
        self.inner.find_all(users)
    }

    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError> {
        self.inner.credentials(username_key)
    }

    fn cursor_page(
        &self,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, StoreError> {
        self.inner.cursor_page(filter, keyset, span)
    }

    fn register(&self, command: Register) -> Result<Account, Error> {
        self.inner.register(command)
    }

    fn register_first_staff(&self, command: Register) -> Result<Account, Error> {
        self.inner.register_first_staff(command)
    }

    fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        self.inner.change_password(command)
    }

    fn end_sessions(&self, command: EndSessions) -> Result<Account, Error> {
        self.inner.end_sessions(command)
    }

    fn reset_user(&self, command: ResetUser) -> Result<Account, Error> {
        self.inner.reset_user(command)
    }

    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError> {
        self.inner.renew_hash(user, old, new)
    }

    fn switch(&self, command: UpdateUser) -> Result<Account, Error> {
        self.inner.switch(command)
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        self.inner.has_staff()
    }

    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError> {
        self.inner.list(filter, page)
    }

    fn change_email(&self, command: ChangeEmail) -> Result<Account, Error> {
        self.inner.change_email(command)
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        self.inner.begin_family(token)
    }

    fn refresh(&self, command: Refresh) -> Result<Account, Error> {
        let outcome = self.inner.refresh(command);
        let mut used = self.used.lock().unwrap();
        if let Ok(account) = &outcome {
            used.insert(command.token, account.clone());
        } else if self.defect == Defect::TakesUsedTokens
            && let Some(account) = used.get(&command.token)
        {
            return Ok(account.clone());
        }
        outcome
    }

    fn end_family(&self, token: RefreshDigest) -> Result<(), StoreError> {
        if self.defect == Defect::KeepsFamilies {
            return Ok(());
        }
        self.inner.end_family(token)
    }
}
