//! Token pairs: a short-lived access token, and a refresh token that is exchanged for the next
//! pair.

use super::accounts::{filled, recognise};
use crate::answer::{self, Answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, text};
use crate::shapes::PairShape;
use schemars::JsonSchema;
use serde::Serialize;
use tradepost_domain::{FieldName, Refusal};

/// Yes, and there is nothing to add.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Nothing {}

pub(crate) async fn begin(call: Call, fields: Fields) -> Answer {
    let account = recognise(&call, fields)
        .await
        .map_err(|error| match error {
            ApiError::Refused(Refusal::InvalidCredentials) => ApiError::NoActiveAccount,
            error => error,
        })?;
    let pair = call
        .command(move |shop, _| shop.accounts.begin_session(&account))
        .await?;
    answer::ok(&PairShape::of(&pair))
}

pub(crate) async fn refresh(call: Call, fields: Fields) -> Answer {
    let refresh = sent(fields, "refresh")?;
    let pair = call
        .command(move |shop, _| shop.accounts.refresh(&refresh))
        .await?;
    answer::ok(&PairShape::of(&pair))
}

pub(crate) async fn revoke(call: Call, fields: Fields) -> Answer {
    let refresh = sent(fields, "refresh")?;
    call.command(move |shop, _| shop.accounts.sign_out(&refresh))
        .await?;
    answer::done()
}

pub(crate) async fn verify(call: Call, fields: Fields) -> Answer {
    let token = sent(fields, "token")?;
    call.query(move |shop, _| shop.accounts.authenticate(&token))
        .await?;
    answer::ok(&Nothing {})
}

fn sent(mut fields: Fields, name: FieldName) -> Result<String, ApiError> {
    let token = fields.required(name, text(filled));
    fields.complete(token)
}
