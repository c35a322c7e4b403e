use super::AccountResponse;
use crate::resources::prelude::*;
use tradepost_domain::Services;
use tradepost_domain::identity::{Email, NewUser, Password, SignInPriority, Username};

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::post("/api/register/", Public, || web::to(register)).cost(Cost::Password)
        .describe(Tag::ACCOUNTS, "register", "Become a customer")
        .request::<Register>().created::<AccountResponse>().errors(&[Code::TooManyAttempts]),
];

request! {
    struct Register as "Registration", "A new customer.",
        {"username": "grace", "email": "grace@example.org", "password": "a quiet harbour"};

    username: required(Username);
    email: required(Email);
    password: required(Password, username.as_ref());
}

async fn register(call: RequestContext, fields: Fields) -> HttpResult {
    let new = fields.parse(Register::read)?;
    let user = NewUser {
        username: new.username,
        email: Some(new.email),
        password: new.password,
    };
    let from = call.client_network();
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
    responses::created_body(&AccountResponse::from_account(&account))
}
