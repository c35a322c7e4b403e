//! Sign-in and token pairs: a short-lived access token, and a refresh token that is exchanged for
//! the next pair.

use crate::error::ApiError;
use crate::extract::request::NonBlank;
use crate::resources::accounts::credentials::{Credentials, verify_credentials};
use crate::resources::prelude::*;
use tradepost_domain::identity::{IdentityRefusal, TokenPair};
use tradepost_domain::kernel::Refusal;

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::post("/api-token-auth/", Public, || web::to(sign_in)).without_token().cost(Cost::Password)
        .describe(Tag::TOKENS, "signIn", "Sign in for a token that lasts, as older clients do")
        .request::<Credentials>().ok::<TokenResponse>()
        .errors(&[Code::InvalidCredentials, Code::TooManyAttempts]),
    Endpoint::post("/api/token/", Public, || web::to(begin)).without_token().cost(Cost::Password)
        .describe(Tag::TOKENS, "createTokenPair", "Sign in for a pair of tokens")
        .request::<Credentials>().ok::<TokenPairResponse>()
        .errors(&[Code::NoActiveAccount, Code::TooManyAttempts]),
    Endpoint::post("/api/token/refresh/", Public, || web::to(refresh)).without_token()
        .describe(Tag::TOKENS, "refreshTokenPair", "Exchange a refresh token, which works once, for the next pair")
        .request::<Refresh>().ok::<TokenPairResponse>().errors(&[Code::InvalidToken]),
    Endpoint::post("/api/token/revoke/", Public, || web::to(revoke)).without_token()
        .describe(Tag::TOKENS, "revokeRefreshToken", "Sign out: end every refresh token of the same sign-in")
        .request::<Refresh>(),
    Endpoint::post("/api/token/verify/", Public, || web::to(verify)).without_token()
        .describe(Tag::TOKENS, "verifyToken", "Ask whether an access token opens the shop at this moment")
        .request::<Verify>().ok::<Empty>().errors(&[Code::InvalidToken]),
];

async fn sign_in(call: RequestContext, fields: Fields) -> HttpResult {
    let account = verify_credentials(&call, fields).await?;
    let signed_in = call.backend().services.accounts.issue_token(account);
    let token = &signed_in.token;
    responses::ok(&TokenResponse { token })
}

async fn begin(call: RequestContext, fields: Fields) -> HttpResult {
    let account = verify_credentials(&call, fields)
        .await
        .map_err(|error| match error {
            ApiError::Refused(Refusal::Identity(IdentityRefusal::InvalidCredentials)) => {
                ApiError::NoActiveAccount
            }
            error => error,
        })?;
    let pair = call
        .command(move |shop, _| shop.accounts.begin_session(&account))
        .await?;
    responses::ok(&TokenPairResponse::from_pair(&pair))
}

request! {
    struct Refresh as "RefreshRequest", "A refresh token.",
        {"refresh": "tpr_2c1f87a0b9"};

    refresh: required(NonBlank);
}

async fn refresh(call: RequestContext, fields: Fields) -> HttpResult {
    let NonBlank(refresh) = fields.parse(Refresh::read)?.refresh;
    let pair = call
        .command(move |shop, _| shop.accounts.refresh(&refresh))
        .await?;
    responses::ok(&TokenPairResponse::from_pair(&pair))
}

async fn revoke(call: RequestContext, fields: Fields) -> HttpResult {
    let NonBlank(refresh) = fields.parse(Refresh::read)?.refresh;
    call.command(move |shop, _| shop.accounts.sign_out(&refresh))
        .await?;
    responses::no_content()
}

request! {
    struct Verify as "VerificationRequest", "An access token.",
        {"token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"};

    token: required(NonBlank);
}

async fn verify(call: RequestContext, fields: Fields) -> HttpResult {
    let NonBlank(token) = fields.parse(Verify::read)?.token;
    call.query(move |shop, _| shop.accounts.authenticate(&token))
        .await?;
    responses::ok(&Empty {})
}

/// A short access token, and the refresh token that gives the next pair.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TokenPair")]
struct TokenPairResponse<'a> {
    /// To be sent as `Authorization: Bearer`.
    access: &'a str,
    /// Works once, at `/api/token/refresh/`.
    refresh: &'a str,
}

impl<'a> TokenPairResponse<'a> {
    fn from_pair(pair: &'a TokenPair) -> Self {
        Self {
            access: &pair.access,
            refresh: &pair.refresh,
        }
    }
}

/// A token that lasts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Token")]
struct TokenResponse<'a> {
    /// To be sent as `Authorization: Bearer`.
    token: &'a str,
}

/// Yes, and there is nothing to add.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Nothing")]
struct Empty {}

/// The access token of examples.
const ACCESS: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

impl Example for TokenPairResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        to_json(&TokenPairResponse {
            access: ACCESS,
            refresh: "tpr_2c1f87a0b9",
        })
    }
}

impl Example for TokenResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        to_json(&TokenResponse { token: ACCESS })
    }
}

impl Example for Empty {
    fn example(_: &str) -> Option<Value> {
        to_json(&Empty {})
    }
}
