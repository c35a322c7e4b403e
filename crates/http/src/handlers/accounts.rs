use crate::Shop;
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, text};
use crate::shapes::{AccountShape, TokenShape};
use crate::work::Kind;
use tradepost_domain::{Account, Actor, Email, NewUser, Password, Problem, ShopError, Username};

pub(crate) async fn sign_in(call: Call, fields: Fields) -> Answer {
    let account = recognise(&call, fields).await?;
    let signed_in = call.shop().accounts.issue_token(account);
    let token = &signed_in.token;
    answer::ok(&TokenShape { token })
}

/// Whose username and password are in these fields. Every sign-in passes here, by whichever path: it
/// is the one place that knows how an attempt ended.
pub(crate) async fn recognise(call: &Call, mut fields: Fields) -> Result<Account, ApiError> {
    let username = fields.required("username", text(filled));
    let password = fields.required("password", text(filled));
    let (username, password) = fields.complete(username.zip(password))?;
    let name = username.clone();
    let check = move |shop: &Shop, _| shop.accounts.recognise(&name, &password);
    let recognised = attempt(call, Kind::SignIn, username, check).await;
    call.note_sign_in(&recognised);
    recognised
}

/// Checks a password of this account, unless too many were wrong. Whatever tells whether a password
/// is right has to pass here: what is counted in one place and free in another is not counted.
async fn attempt<T: Send + 'static>(
    call: &Call,
    kind: Kind,
    username: String,
    check: impl FnOnce(&Shop, Actor) -> Result<T, ShopError> + Send + 'static,
) -> Result<T, ApiError> {
    let (from, name) = (call.place(), username.clone());
    // Asked for itself first: who has to wait takes no place from those whose passwords are checked.
    call.query(move |shop, _| shop.attempts.may_sign_in(&name, from))
        .await?;
    call.run(kind, move |shop, actor| {
        shop.attempts
            .sign_in(&username, from, || check(shop, actor))
    })
    .await
}

pub(crate) async fn register(call: Call, fields: Fields) -> Answer {
    let (user, from) = (new_user(fields)?, call.place());
    // Asked for itself first, as for whoever signs in.
    call.query(move |shop, _| shop.attempts.may_register(from))
        .await?;
    // Two jobs: as long as the first one lasts, nothing is begun whose outcome could be unknown.
    let hash = move |shop: &Shop, _| {
        let hash = || shop.accounts.hash(user);
        shop.attempts.register(from, hash)
    };
    let hashed = call.run(Kind::Hash, hash).await?;
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
    let email = fields.optional("email", text(Email::new));
    let email = fields.complete(Some(email))?;
    let account = call
        .command(|shop, actor| shop.accounts.change_own(actor, email))
        .await?;
    answer::ok(&AccountShape::of(&account))
}

pub(crate) async fn change_password(call: Call, mut fields: Fields) -> Answer {
    let own = call.query(|shop, actor| shop.accounts.own(actor)).await?;
    let current = fields.required("current_password", text(filled));
    let new = |text: &str| Password::new(text, Some(&own.username));
    let new = fields.required("new_password", text(new));
    let (current, new) = fields.complete(current.zip(new))?;
    // Two jobs, as for whoever registers.
    let prepare = move |shop: &Shop, actor| shop.accounts.prepare_password(actor, &current, &new);
    let username = own.username.as_str().to_owned();
    let prepared = attempt(&call, Kind::Hash, username, prepare).await?;
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
