//! Form parsers, urlencoded and multipart: their fields become those of a JSON object whose values
//! are all strings.

use crate::error::ApiError;
use crate::extract::fields::Fields;
use crate::extract::query;
use actix_multipart::Multipart;
use actix_web::http::header::HeaderMap;
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;

const NOT_A_FORM: ApiError = ApiError::MalformedBody("The body is not a form.");

pub(crate) fn urlencoded(body: &[u8]) -> Result<Fields, ApiError> {
    fields(pairs(body)?)
}

/// The pairs of a urlencoded form.
pub(crate) fn pairs(body: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let text = std::str::from_utf8(body).map_err(|_| NOT_A_FORM)?;
    Ok(query::pairs(text))
}

/// The body has been read within its bounds before; this only parses it.
pub(crate) async fn multipart(headers: &HeaderMap, body: Bytes) -> Result<Fields, ApiError> {
    let length = body.len();
    let whole = stream::once(std::future::ready(Ok(body)));
    let mut parts = Multipart::new(headers, whole);
    let mut pairs = Vec::new();
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| NOT_A_FORM)?;
        let name = part.name().ok_or(NOT_A_FORM)?.to_owned();
        let disposition = part.content_disposition();
        let is_file = disposition.is_some_and(|sent| sent.get_filename().is_some());
        let value = part.bytes(length).await.map_err(|_| NOT_A_FORM)?;
        let value = value.map_err(|_| NOT_A_FORM)?;
        // No field takes a file; it is ignored like any unknown field.
        if is_file {
            continue;
        }
        let value = String::from_utf8(value.to_vec()).map_err(|_| NOT_A_FORM)?;
        pairs.push((name, value));
    }
    fields(pairs)
}

fn fields(pairs: Vec<(String, String)>) -> Result<Fields, ApiError> {
    let mut values = BTreeMap::new();
    for (name, value) in pairs {
        let value = serde_json::value::to_raw_value(&value)
            .map_err(|error| ApiError::Defect(error.to_string()))?;
        values.insert(name, value);
    }
    Ok(Fields::of_form(values))
}
