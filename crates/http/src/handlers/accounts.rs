use crate::Shop;
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, text};
use crate::shapes::{AccountShape, TokenShape};
use tradepost_domain::{
    Account, Actor, Email, NewUser, Password, Problem, ShopError, SignInPriority, Username,
};

pub(crate) async fn sign_in(call: Call, fields: Fields) -> Answer {
    let account = recognise(&call, fields).await?;
    let signed_in = call.shop().accounts.issue_token(account);
    let token = &signed_in.token;
    answer::ok(&TokenShape { token })
}

/// Verifies the username and password in these fields. Sign-ins on every path pass here: it is the
/// one place that counts their outcomes.
pub(crate) async fn recognise(call: &Call, mut fields: Fields) -> Result<Account, ApiError> {
    let username = fields.required("username", text(filled));
    let password = fields.required("password", text(filled));
    let (username, password) = fields.complete(username.zip(password))?;
    let attempt = VerificationAttempt::SignIn;
    let name = username.clone();
    let check = move |shop: &Shop, _| shop.accounts.recognise(&name, &password);
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
    call: &Call,
    attempt: VerificationAttempt,
    username: String,
    is_staff: impl FnOnce(&T, Actor) -> bool + Send + 'static,
    check: impl FnOnce(&Shop, Actor) -> Result<T, ShopError> + Send + 'static,
) -> Result<T, ApiError> {
    let (from, name) = (call.place(), username.clone());
    // A query of its own, ahead of the password job: a rejected attempt takes no slot from the
    // passwords that are being checked.
    let may_try = move |shop: &Shop, _| match attempt {
        VerificationAttempt::SignIn => shop.attempts.may_sign_in(&name, from),
        VerificationAttempt::EmailChange => shop.attempts.may_change_email(&name, from),
    };
    let priority = call.query(may_try).await?;
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

pub(crate) async fn register(call: Call, fields: Fields) -> Answer {
    let (user, from) = (new_user(fields)?, call.place());
    // A query of its own first, as for a sign-in.
    call.query(move |shop, _| shop.attempts.may_register(from))
        .await?;
    // Two jobs: while the first one runs, nothing is begun whose outcome could be unknown.
    let hash = move |shop: &Shop, _| {
        let hash = || shop.accounts.hash(user);
        shop.attempts.register(from, hash)
    };
    let hashed = call.run_password(SignInPriority::Normal, hash).await?;
    let account = call
        .command(|shop, _| shop.accounts.register_hashed(hashed))
        .await?;
    answer::created(&AccountShape::of(&account))
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

pub(crate) async fn own(call: Call) -> Answer {
    let account = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    answer::ok(&AccountShape::of(&account))
}

pub(crate) async fn change(call: Call, mut fields: Fields) -> Answer {
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
        return answer::ok(&AccountShape::of(&own));
    };
    // Two jobs, as for a registration.
    let prepare = move |shop: &Shop, actor| shop.accounts.prepare_email(actor, &current, email);
    let (attempt, username) = (VerificationAttempt::EmailChange, own.username.to_string());
    let prepared = verify(&call, attempt, username, acts_as_staff, prepare).await?;
    let account = call
        .command(|shop, _| shop.accounts.change_email(prepared))
        .await?;
    answer::ok(&AccountShape::of(&account))
}

pub(crate) async fn change_password(call: Call, mut fields: Fields) -> Answer {
    let own = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    let current = fields.required("current_password", text(filled));
    let new = |text: &str| Password::new(text, Some(&own.username));
    let new = fields.required("new_password", text(new));
    let (current, new) = fields.complete(current.zip(new))?;
    // Two jobs, as for a registration.
    let prepare = move |shop: &Shop, actor| shop.accounts.prepare_password(actor, &current, &new);
    let (attempt, username) = (VerificationAttempt::SignIn, own.username.to_string());
    let prepared = verify(&call, attempt, username, acts_as_staff, prepare).await?;
    call.command(|shop, _| shop.accounts.change_password(prepared))
        .await?;
    call.forget_sessions(own.id);
    answer::done()
}

pub(crate) fn filled(text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        Err(Problem::Blank)
    } else {
        Ok(text.to_owned())
    }
}
