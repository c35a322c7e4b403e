//! Allowed hosts: requests for other hosts are rejected, so that no page of another site can reach
//! this server under a name of its own (DNS rebinding).

use crate::error::ApiError;
use crate::extract::request_context::RequestInfo;
use crate::middleware::forwarded::ForwardedInfo;
use crate::state::State;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

/// Whether the host of a request is allowed; if not, it is logged. Probes of monitoring systems
/// address the process by its IP address, so any host may be named there.
pub(super) fn check(state: &State, forwarded: &ForwardedInfo<'_>, path: &str) -> bool {
    let allowed = forwarded.is_for(state.allowed_hosts.as_deref()) || (state.is_probe)(path);
    if !allowed {
        warn(state, forwarded);
    }
    allowed
}

/// Rejects requests for other hosts.
pub(super) async fn require<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if RequestInfo::of(request.request()).is_some_and(|info| info.host_allowed) {
        let answered = next.call(request).await;
        answered.map(ServiceResponse::map_into_boxed_body)
    } else {
        Ok(request.error_response(ApiError::BadHost))
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
