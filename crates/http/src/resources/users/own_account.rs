//! The own account of the caller.

use crate::resources::accounts::credentials::{
    VerificationAttempt, acts_as_staff, change_own_password, verify,
};
use crate::resources::accounts::{AccountResponse, CurrentPassword};
use crate::resources::prelude::*;
use tradepost_domain::Services;
use tradepost_domain::identity::{Account, Email, Password};

pub(super) async fn show(call: RequestContext) -> HttpResult {
    let account = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    responses::ok(&AccountResponse::from_account(&account))
}

request! {
    pub(super) struct ChangeOwnUser(own: &Account)
        as "OwnUserChange", "What to change of the own account.",
        {"email": "grace@navy.example", "current_password": "a quiet harbour"};

    email: optional(Email);
    current_password: required_if(CurrentPassword, is_new(email.as_ref(), own));
}

/// Whether an address is another one than that of the account: clients may send back all fields of
/// a response.
fn is_new(email: Option<&Email>, own: &Account) -> bool {
    email.is_some() && email != own.email.as_ref()
}

pub(super) async fn change(call: RequestContext, fields: Fields) -> HttpResult {
    let own = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    let change = fields.parse(|fields| ChangeOwnUser::read(fields, &own))?;
    let (Some(email), Some(CurrentPassword(current))) = (change.email, change.current_password)
    else {
        return responses::ok(&AccountResponse::from_account(&own));
    };
    // Two jobs, as for a registration.
    let prepare = move |shop: &Services, actor| shop.accounts.prepare_email(actor, &current, email);
    let (attempt, username) = (VerificationAttempt::EmailChange, own.username.to_string());
    let prepared = verify(&call, attempt, username, acts_as_staff, prepare).await?;
    let account = call
        .command(|shop, _| shop.accounts.change_email(prepared))
        .await?;
    responses::ok(&AccountResponse::from_account(&account))
}

request! {
    pub(super) struct ChangePassword(own: &Account) as "PasswordChange", "Another password.",
        {"current_password": "a quiet harbour", "new_password": "two quiet harbours"};

    current_password: required(CurrentPassword);
    new_password: required(Password, Some(&own.username));
}

pub(super) async fn change_password(call: RequestContext, fields: Fields) -> HttpResult {
    let own = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    let change = fields.parse(|fields| ChangePassword::read(fields, &own))?;
    let (CurrentPassword(current), new) = (change.current_password, change.new_password);
    change_own_password(&call, &own, current, new).await?;
    responses::no_content()
}
