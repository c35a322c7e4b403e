//! Successes. The only place beside [`crate::error`] that names status codes.

use crate::error::ApiError;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderValue, LOCATION};
use serde::Serialize;

/// What a handler gives.
pub(crate) type Answer = Result<HttpResponse, ApiError>;

/// Here it is.
pub(crate) fn ok(shape: &impl Serialize) -> Answer {
    json(StatusCode::OK, shape)
}

/// It was made.
pub(crate) fn created(shape: &impl Serialize) -> Answer {
    json(StatusCode::CREATED, shape)
}

/// It was made, and is at this absolute address from now on.
pub(crate) fn created_at(location: String, shape: &impl Serialize) -> Answer {
    let location =
        HeaderValue::try_from(location).map_err(|error| ApiError::Defect(error.to_string()))?;
    let mut response = created(shape)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// It is done, and there is nothing to show.
pub(crate) fn done() -> Answer {
    Ok(HttpResponse::new(StatusCode::NO_CONTENT))
}

/// These methods there are.
pub(crate) fn options(allow: HeaderValue) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn json(status: StatusCode, shape: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(shape).map_err(|error| ApiError::Defect(error.to_string()))?;
    Ok(HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json")))
        .body(body))
}
