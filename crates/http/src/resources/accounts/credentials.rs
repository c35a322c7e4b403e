//! Verification of passwords, behind the login throttling.

use super::CurrentPassword;
use crate::error::ApiError;
use crate::extract::request::NonBlank;
use crate::resources::prelude::*;
use tradepost_domain::Services;
use tradepost_domain::identity::{Account, Password};
use tradepost_domain::kernel::{Actor, Error};

request! {
    /// A username and a password.
    pub(crate) struct Credentials as "Credentials", "Who signs in.",
        {"username": "grace", "password": "a quiet harbour"};

    username: required(NonBlank);
    password: required(CurrentPassword);
}

/// Verifies the username and password in these fields.
pub(crate) async fn verify_credentials(
    call: &RequestContext,
    fields: Fields,
) -> Result<Account, ApiError> {
    let credentials = fields.parse(Credentials::read)?;
    let (NonBlank(username), CurrentPassword(password)) =
        (credentials.username, credentials.password);
    sign_in(call, username, password).await
}

/// Verifies a username and a password, unless the login throttling rejects the attempt. Sign-ins on
/// every path pass here: it is the one place that counts their outcomes.
///
/// # Errors
/// [`IdentityRefusal`](tradepost_domain::identity::IdentityRefusal) for wrong credentials and too
/// many attempts; if the check cannot run by the deadline.
pub async fn sign_in(
    call: &RequestContext,
    username: String,
    password: String,
) -> Result<Account, ApiError> {
    let attempt = VerificationAttempt::SignIn;
    let name = username.clone();
    let check = move |shop: &Services, _| shop.accounts.verify_credentials(&name, &password);
    let is_staff = |account: &Account, _| account.is_staff;
    let verified = verify(call, attempt, username, is_staff, check).await;
    call.note_sign_in(&verified);
    verified
}

/// Changes the password of the caller, whose current one counts as a sign-in; every session and
/// token of the account ends. Returns the account.
///
/// # Errors
/// [`Refusal::Invalid`](tradepost_domain::kernel::Refusal::Invalid) for a wrong `current`;
/// [`IdentityRefusal`](tradepost_domain::identity::IdentityRefusal) for too many attempts; if the
/// check cannot run by the deadline.
pub async fn change_own_password(
    call: &RequestContext,
    own: &Account,
    current: String,
    new: Password,
) -> Result<Account, ApiError> {
    // Two jobs: hashing is slow, and holds no connection.
    let prepare =
        move |shop: &Services, actor| shop.accounts.prepare_password(actor, &current, &new);
    let (attempt, username) = (VerificationAttempt::SignIn, own.username.to_string());
    let prepared = verify(call, attempt, username, acts_as_staff, prepare).await?;
    let account = call
        .command(|shop, _| shop.accounts.change_password(prepared))
        .await?;
    call.invalidate_sessions(account.id);
    Ok(account)
}

/// Whether the caller of a verification is staff.
pub(crate) fn acts_as_staff<T>(_: &T, actor: Actor) -> bool {
    actor.staff().is_ok()
}

/// The purpose for which a password is verified, which decides the limit that it counts against.
#[derive(Clone, Copy)]
pub(crate) enum VerificationAttempt {
    SignIn,
    EmailChange,
}

/// Verifies a password of this account, unless the login throttling rejects it. Every path that
/// reveals whether a password is right has to pass here, or it would bypass the limit.
pub(crate) async fn verify<T: Send + 'static>(
    call: &RequestContext,
    attempt: VerificationAttempt,
    username: String,
    is_staff: impl FnOnce(&T, Actor) -> bool + Send + 'static,
    check: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
) -> Result<T, ApiError> {
    let (from, name) = (call.client_network(), username.clone());
    // A query of its own, ahead of the password job: a rejected attempt takes no slot from the
    // passwords that are being checked.
    let check_attempt = move |shop: &Services, _| match attempt {
        VerificationAttempt::SignIn => shop.attempts.may_sign_in(&name, from),
        VerificationAttempt::EmailChange => shop.attempts.may_change_email(&name, from),
    };
    let priority = call.query(check_attempt).await?;
    call.run_password(priority, move |shop, actor| {
        let is_staff = |verified: &T| is_staff(verified, actor);
        let check = || check(shop, actor);
        match attempt {
            VerificationAttempt::SignIn => shop.attempts.sign_in(&username, from, is_staff, check),
            VerificationAttempt::EmailChange => {
                shop.attempts.change_email(&username, from, is_staff, check)
            }
        }
    })
    .await
}
