use crate::resources::prelude::*;
use crate::respond::json::{Id, Time};
use chrono::DateTime;
use tradepost_domain::identity::{Account, Email, Username};
use tradepost_domain::kernel::UserId;

/// An account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub(crate) struct AccountResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    username: &'a str,
    /// Accounts from elsewhere may have none.
    email: Option<&'a str>,
    is_staff: bool,
    /// Whether it may sign in.
    is_active: bool,
    created_at: Time,
}

impl<'a> AccountResponse<'a> {
    pub(crate) fn from_account(account: &'a Account) -> Self {
        Self {
            id: account.id.get(),
            username: account.username.as_str(),
            email: account.email.as_ref().map(|email| email.as_str()),
            is_staff: account.is_staff,
            is_active: account.is_active,
            created_at: Time(account.created_at),
        }
    }
}

impl Example for AccountResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        let account = Account {
            id: UserId::new(2)?,
            username: Username::new("grace").ok()?,
            email: Email::new("grace@example.org").ok(),
            is_staff: false,
            is_active: true,
            session_epoch: 0,
            created_at: DateTime::from_timestamp_micros(1_795_368_777_626_240)?,
        };
        to_json(&AccountResponse::from_account(&account))
    }
}
