use crate::error::ApiError;
use crate::extract::fields::{Fields, text};
use crate::extract::request_context::RequestContext;
use crate::resources::json::{AccountResponse, TokenResponse};
use crate::respond::responses::{self, HttpResult};
use crate::services::Services;
use tradepost_domain::identity::{Account, Email, NewUser, Password, SignInPriority, Username};
use tradepost_domain::kernel::{Actor, FieldError, ShopError};

pub(crate) async fn sign_in(call: RequestContext, fields: Fields) -> HttpResult {
    let account = verify_credentials(&call, fields).await?;
    let signed_in = call.shop().accounts.issue_token(account);
    let token = &signed_in.token;
    responses::ok(&TokenResponse { token })
}

/// Verifies the username and password in these fields. Sign-ins on every path pass here: it is the
/// one place that counts their outcomes.
pub(crate) async fn verify_credentials(
    call: &RequestContext,
    mut fields: Fields,
) -> Result<Account, ApiError> {
    let username = fields.required("username", text(filled));
    let password = fields.required("password", text(filled));
    let (username, password) = fields.complete(username.zip(password))?;
    let attempt = VerificationAttempt::SignIn;
    let name = username.clone();
    let check = move |shop: &Services, _| shop.accounts.verify_credentials(&name, &password);
    let is_staff = |account: &Account, _| account.is_staff;
    let recognised = verify(call, attempt, username, is_staff, check).await;
    call.note_sign_in(&recognised);
    recognised
}

/// The purpose for which a password is verified, which decides the limit that it counts against.
#[derive(Clone, Copy)]
enum VerificationAttempt {
    SignIn,
    EmailChange,
}

/// Verifies a password of this account, unless the login throttling rejects it. Every path that
/// reveals whether a password is right has to pass here, or it would bypass the limit.
async fn verify<T: Send + 'static>(
    call: &RequestContext,
    attempt: VerificationAttempt,
    username: String,
    is_staff: impl FnOnce(&T, Actor) -> bool + Send + 'static,
    check: impl FnOnce(&Services, Actor) -> Result<T, ShopError> + Send + 'static,
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

fn acts_as_staff<T>(_: &T, actor: Actor) -> bool {
    actor.staff().is_ok()
}

pub(crate) async fn register(call: RequestContext, fields: Fields) -> HttpResult {
    let (user, from) = (new_user(fields)?, call.client_network());
    // A query of its own first, as for a sign-in.
    call.query(move |shop, _| shop.attempts.may_register(from))
        .await?;
    // Two jobs: while the first one runs, nothing is begun whose outcome could be unknown.
    let hash = move |shop: &Services, _| {
        let hash = || shop.accounts.hash(user);
        shop.attempts.register(from, hash)
    };
    let hashed = call.run_password(SignInPriority::Normal, hash).await?;
    let account = call
        .command(|shop, _| shop.accounts.register_hashed(hashed))
        .await?;
    responses::created_body(&AccountResponse::of(&account))
}

fn new_user(mut fields: Fields) -> Result<NewUser, ApiError> {
    let username = fields.required("username", text(Username::new));
    let email = fields.required("email", text(Email::new));
    let password = |text: &str| Password::new(text, username.as_ref());
    let password = fields.required("password", text(password));
    let ((username, email), password) = fields.complete(username.zip(email).zip(password))?;
    Ok(NewUser {
        username,
        email: Some(email),
        password,
    })
}

pub(crate) async fn own(call: RequestContext) -> HttpResult {
    let account = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    responses::ok(&AccountResponse::of(&account))
}

pub(crate) async fn change(call: RequestContext, mut fields: Fields) -> HttpResult {
    let own = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    let email = fields.optional("email", text(Email::new));
    // The current address of the account is no change: clients may send back all fields of a
    // response.
    let new = email.filter(|email| own.email.as_ref() != Some(email));
    let current = match new {
        Some(_) => fields.required("current_password", text(filled)),
        None => None,
    };
    let Some((email, current)) = fields.complete(Some(new.zip(current)))? else {
        return responses::ok(&AccountResponse::of(&own));
    };
    // Two jobs, as for a registration.
    let prepare = move |shop: &Services, actor| shop.accounts.prepare_email(actor, &current, email);
    let (attempt, username) = (VerificationAttempt::EmailChange, own.username.to_string());
    let prepared = verify(&call, attempt, username, acts_as_staff, prepare).await?;
    let account = call
        .command(|shop, _| shop.accounts.change_email(prepared))
        .await?;
    responses::ok(&AccountResponse::of(&account))
}

pub(crate) async fn change_password(call: RequestContext, mut fields: Fields) -> HttpResult {
    let own = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    let current = fields.required("current_password", text(filled));
    let new = |text: &str| Password::new(text, Some(&own.username));
    let new = fields.required("new_password", text(new));
    let (current, new) = fields.complete(current.zip(new))?;
    // Two jobs, as for a registration.
    let prepare =
        move |shop: &Services, actor| shop.accounts.prepare_password(actor, &current, &new);
    let (attempt, username) = (VerificationAttempt::SignIn, own.username.to_string());
    let prepared = verify(&call, attempt, username, acts_as_staff, prepare).await?;
    call.command(|shop, _| shop.accounts.change_password(prepared))
        .await?;
    call.invalidate_sessions(own.id);
    responses::no_content()
}

pub(crate) fn filled(text: &str) -> Result<String, FieldError> {
    if text.is_empty() {
        Err(FieldError::Blank)
    } else {
        Ok(text.to_owned())
    }
}
