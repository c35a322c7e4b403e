//! Filter and sort fields of account lists.

use crate::identity::{Account, Email};
use crate::kernel::{SortField, SortValue, UserSearch};

/// Filter of an account list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Text that the username or the e-mail address contains, regardless of case.
    pub search: Option<UserSearch>,
}

impl UserFilter {
    /// Whether an account passes the filter.
    #[must_use]
    pub fn matches(&self, account: &Account) -> bool {
        let Some(wanted) = self.search.as_ref().map(UserSearch::key) else {
            return true;
        };
        let email = account.email.as_ref().map(Email::key);
        account.username.key().contains(&*wanted)
            || email.is_some_and(|email| email.contains(&*wanted))
    }
}

/// Sort fields of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserField {
    /// The id, which is the order of registration.
    Id,
}

impl SortField for UserField {
    type Row = Account;
    const ALL: &'static [Self] = &[Self::Id];
    const ID: Self = Self::Id;

    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
        }
    }

    fn value(self, account: &Account) -> SortValue {
        match self {
            Self::Id => SortValue::Number(account.id.get()),
        }
    }
}
