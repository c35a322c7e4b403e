use crate::answer::{self, Answer};
use crate::body::FormFields;
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, text};
use crate::shapes::{AccountShape, TokenShape};
use crate::work::Kind;
use tradepost_domain::{Email, NewUser, Password, Problem, SignedIn, Username};

pub(crate) async fn sign_in(call: Call, FormFields(mut fields): FormFields) -> Answer {
    let username = fields.required("username", text(filled));
    let password = fields.required("password", text(filled));
    let (username, password) = fields.complete(username.zip(password))?;
    let signed_in = credentials(&call, username, password).await;
    call.note_sign_in(&signed_in);
    let signed_in = signed_in?;
    let token = &signed_in.token;
    answer::ok(&TokenShape { token })
}

/// Signs somebody in, who may have tried too often.
async fn credentials(
    call: &Call,
    username: String,
    password: String,
) -> Result<SignedIn, ApiError> {
    let (from, name) = (call.client(), username.clone());
    // Asked for itself first: who has to wait takes no place from those whose passwords are checked.
    call.query(move |shop, _| shop.attempts.may_sign_in(&name, from))
        .await?;
    call.run(Kind::SignIn, move |shop, _| {
        let check = || shop.accounts.sign_in(&username, &password);
        shop.attempts.sign_in(&username, from, check)
    })
    .await
}

pub(crate) async fn register(call: Call, fields: Fields) -> Answer {
    let user = new_user(fields)?;
    // Two jobs: as long as the first one lasts, nothing is begun whose outcome could be unknown.
    let hashed = call
        .run(Kind::Hash, |shop, _| shop.accounts.hash(user))
        .await?;
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

fn filled(text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        Err(Problem::Blank)
    } else {
        Ok(text.to_owned())
    }
}
