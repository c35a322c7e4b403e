//! Request context: request id, client IP, deadline, and whether the host is allowed.

use crate::exec::worker_pool::JobKind;
use crate::extract::request_context::RequestInfo;
use crate::middleware::allowed_hosts;
use crate::middleware::forwarded::ForwardedInfo;
use crate::state::State;
use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{ACCEPT, HeaderValue};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// Begins a request: makes its context, for all other layers and the handler.
pub(super) fn begin(state: Arc<State>, request: &ServiceRequest) -> Rc<RequestInfo> {
    let forwarded = ForwardedInfo::of(request.head(), &state.trusted_proxies);
    let headers = request.headers();
    let began = Instant::now();
    let info = RequestInfo {
        id: state.request_ids.of(headers),
        method: request.method().clone(),
        uri: request.uri().clone(),
        client: forwarded.client,
        host_allowed: allowed_hosts::check(&state, &forwarded, request.path()),
        wants_problem: headers.get_all(ACCEPT).any(names_problem),
        began,
        deadline: began + state.request_timeout,
        route: Cell::new(None),
        actor: Cell::new(None),
        list_kind: Cell::new(JobKind::List),
        has_key: Cell::new(false),
        is_compressible: Cell::new(false),
        quota: Cell::new(None),
        network_charged: Cell::new(false),
        state,
    };
    let info = Rc::new(info);
    request.extensions_mut().insert(Rc::clone(&info));
    info
}

/// Whether an `Accept` header asks for errors as `application/problem+json`.
fn names_problem(accept: &HeaderValue) -> bool {
    let asks = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        name.eq_ignore_ascii_case("application/problem+json") && !parts.any(is_refusal)
    };
    accept
        .to_str()
        .is_ok_and(|ranges| ranges.split(',').any(asks))
}

/// A weight of 0, "not acceptable" (RFC 9110, 12.4.2).
fn is_refusal(parameter: &str) -> bool {
    let weight = parameter.split_once('=');
    weight.is_some_and(|(name, weight)| {
        let nothing = weight.trim().starts_with('0') && weight.bytes().all(|b| b"0. ".contains(&b));
        name.trim().eq_ignore_ascii_case("q") && nothing
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_read_as_a_list() {
        for (accept, named) in [
            ("application/problem+json", true),
            ("text/html, Application/Problem+JSON;q=0.5", true),
            ("application/problem+json;charset=utf-8; q=0.001", true),
            ("application/problem+json;q=0", false),
            ("text/html, application/problem+json; Q=0.000", false),
            ("application/json", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(
                names_problem(&HeaderValue::from_static(accept)),
                named,
                "{accept}"
            );
        }
    }
}
