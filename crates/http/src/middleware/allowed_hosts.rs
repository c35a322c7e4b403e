//! Allowed hosts: requests for other hosts are rejected, so that no page of another site can reach
//! this server under a name of its own (DNS rebinding).

use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::forwarded::ForwardedInfo;
use crate::state::State;
use actix_service::Service;
use actix_web::Error;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use futures_util::future::{Either, Ready, ready};

/// Whether the host of a request is allowed; if not, it is logged. Probes of monitoring systems
/// address the process by its IP address, so any host may be named there.
pub(super) fn check(state: &State, forwarded: &ForwardedInfo<'_>, path: &str) -> bool {
    let allowed = forwarded.is_for(state.allowed_hosts.as_deref()) || (state.is_probe)(path);
    if !allowed {
        warn(state, forwarded);
    }
    allowed
}

/// Rejects requests for other hosts, to the API as to a mounted interface. It is around each request,
/// and so allocates nothing.
pub(super) fn require<S>(
    request: ServiceRequest,
    service: &S,
) -> Either<S::Future, Ready<Result<ServiceResponse, Error>>>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    if RequestInfo::of(request.request()).is_some_and(|info| info.host_allowed) {
        Either::Left(service.call(request))
    } else {
        Either::Right(ready(Ok(request.error_response(ApiError::BadHost))))
    }
}

/// Logs the name of a rejected host, with the settings that allow it.
fn warn(state: &State, forwarded: &ForwardedInfo<'_>) {
    if let Some(more) = state.refused_hosts.tell() {
        let others = match more {
            0 => String::new(),
            more => format!(" ({more} more since the last such line)"),
        };
        let host = forwarded.shown_host();
        log::warn!(
            host:%, more;
            "refused a request for the host {host:?}{others}: if it is this shop's, name it in \
             --allowed-hosts (TRADEPOST_ALLOWED_HOSTS)"
        );
    }
}
