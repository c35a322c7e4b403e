//! Token pairs: a short-lived access token, and a refresh token that is exchanged for the next
//! pair.

use super::accounts::{filled, verify_credentials};
use crate::error::ApiError;
use crate::extract::fields::{Fields, text};
use crate::extract::request_context::RequestContext;
use crate::resources::json::PairResponse;
use crate::respond::responses::{self, HttpResult};
use schemars::JsonSchema;
use serde::Serialize;
use tradepost_domain::kernel::{FieldName, Refusal};

/// Yes, and there is nothing to add.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Nothing {}

pub(crate) async fn begin(call: RequestContext, fields: Fields) -> HttpResult {
    let account = verify_credentials(&call, fields)
        .await
        .map_err(|error| match error {
            ApiError::Refused(Refusal::InvalidCredentials) => ApiError::NoActiveAccount,
            error => error,
        })?;
    let pair = call
        .command(move |shop, _| shop.accounts.begin_session(&account))
        .await?;
    responses::ok(&PairResponse::of(&pair))
}

pub(crate) async fn refresh(call: RequestContext, fields: Fields) -> HttpResult {
    let refresh = sent(fields, "refresh")?;
    let pair = call
        .command(move |shop, _| shop.accounts.refresh(&refresh))
        .await?;
    responses::ok(&PairResponse::of(&pair))
}

pub(crate) async fn revoke(call: RequestContext, fields: Fields) -> HttpResult {
    let refresh = sent(fields, "refresh")?;
    call.command(move |shop, _| shop.accounts.sign_out(&refresh))
        .await?;
    responses::no_content()
}

pub(crate) async fn verify(call: RequestContext, fields: Fields) -> HttpResult {
    let token = sent(fields, "token")?;
    call.query(move |shop, _| shop.accounts.authenticate(&token))
        .await?;
    responses::ok(&Nothing {})
}

fn sent(mut fields: Fields, name: FieldName) -> Result<String, ApiError> {
    let token = fields.required(name, text(filled));
    fields.complete(token)
}
