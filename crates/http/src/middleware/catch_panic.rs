//! Panic handler: a handler that panics is answered with 500. Without it, the client would see a
//! dropped connection.

use crate::error::ApiError;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// Calls a handler. Its errors become responses too.
pub(super) async fn call<B, F>(
    request: ServiceRequest,
    handler: impl FnOnce(ServiceRequest) -> F,
) -> Result<ServiceResponse<BoxBody>, Error>
where
    B: MessageBody + 'static,
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    let asked = request.request().clone();
    match AssertUnwindSafe(handler(request)).catch_unwind().await {
        Ok(Ok(response)) => Ok(response.map_into_boxed_body()),
        Ok(Err(error)) => Ok(ServiceResponse::from_err(error, asked)),
        Err(_) => Ok(ServiceResponse::from_err(ApiError::Panicked, asked)),
    }
}
