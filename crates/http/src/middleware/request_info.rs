//! Request context: request id, client, deadline, and the state of rate limiting.

use crate::error::ApiError;
use crate::middleware::forwarded::ForwardedInfo;
use crate::middleware::rate_limit::{Payer, Quota};
use crate::routes;
use crate::state::State;
use actix_web::http::Method;
use actix_web::http::header::{ACCEPT, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tradepost_domain::identity::ClientNetwork;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The context of a request, made by [`crate::middleware::stack`] before the other layers run.
pub(crate) struct Exchange {
    pub(crate) id: HeaderValue,
    pub(crate) method: Method,
    pub(crate) path: Box<str>,
    pub(crate) client: Option<IpAddr>,
    /// Whether the client asked for errors as `application/problem+json`.
    pub(crate) wants_problem: bool,
    /// Index of the route in [`crate::routes::patterns`]; the last one until a route is matched.
    pub(crate) route: Cell<usize>,
    /// State of the bucket with the least left, if rate limiting is on.
    pub(crate) quota: Cell<Option<Quota>>,
    network_charged: Cell<bool>,
    /// Whether the command carries an idempotency key that its route supports: sending it again
    /// does not repeat it.
    pub(crate) has_key: Cell<bool>,
    pub(crate) began: Instant,
    /// When the response is due.
    pub(crate) deadline: Instant,
}

impl Exchange {
    pub(crate) fn begin(state: &State, request: &HttpRequest, origin: &ForwardedInfo<'_>) -> Self {
        let headers = request.headers();
        let began = Instant::now();
        let id = headers.get(REQUEST_ID).filter(|id| is_sane(id));
        Self {
            id: id.cloned().unwrap_or_else(|| state.request_ids.next()),
            method: request.method().clone(),
            path: request.path().into(),
            client: origin.client,
            quota: Cell::new(None),
            network_charged: Cell::new(false),
            has_key: Cell::new(false),
            route: Cell::new(routes::unmatched()),
            wants_problem: headers.get_all(ACCEPT).any(names_problem),
            began,
            deadline: began + state.request_timeout,
        }
    }

    pub(crate) fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }

    /// The client network. All requests without a known client IP share one.
    pub(crate) fn client_network(&self) -> ClientNetwork {
        ClientNetwork::of(self.client.unwrap_or(Ipv4Addr::UNSPECIFIED.into()))
    }

    /// Charges the cost of this request to the bucket of a payer, and the first time also to that
    /// of its network, unless rate limiting is off. The response headers describe the bucket with
    /// the least left.
    ///
    /// The payer's own bucket comes first: a request that it refuses takes nothing from the other
    /// users of the network.
    ///
    /// # Errors
    /// [`ApiError::Throttled`].
    pub(crate) fn charge(&self, state: &State, payer: Payer, cost: u32) -> Result<(), ApiError> {
        let Some(throttle) = &state.throttle else {
            return Ok(());
        };
        let take = |payer| {
            let (quota, taken) = throttle.take(payer, cost);
            let told = match (self.quota.get(), &taken) {
                (Some(other), Ok(())) => other.nearer(quota),
                _ => quota,
            };
            self.quota.set(Some(told));
            taken
        };
        take(payer)?;
        if self.network_charged.replace(true) {
            return Ok(());
        }
        take(Payer::Network(self.client_network()))
    }

    /// Charges a request without a token that is known to be genuine.
    ///
    /// # Errors
    /// See [`Exchange::charge`].
    pub(crate) fn charge_address(&self, state: &State, cost: u32) -> Result<(), ApiError> {
        self.charge(state, Payer::Address(self.client_network()), cost)
    }

    pub(crate) fn id(&self) -> &str {
        self.id.to_str().unwrap_or("-")
    }
}

/// Whether a request id from a client is safe for the log and a header.
fn is_sane(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=128).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

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

/// Generator of request ids for requests that carry none: a random prefix for each process, and a
/// counter.
pub(crate) struct RequestIds {
    process: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> std::io::Result<Self> {
        let process = getrandom::u64().map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self {
            process,
            count: AtomicU64::new(1),
        })
    }

    fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}-{count:x}", self.process);
        // Hexadecimal digits are a valid header value.
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_request_ids_are_kept_if_safe_to_log() {
        let long = "x".repeat(128);
        let longer = "x".repeat(129);
        for (id, sane) in [
            ("a", true),
            ("A-1._z", true),
            (&*long, true),
            (&*longer, false),
            ("", false),
            ("a b", false),
            ("a\tb", false),
            ("a\"b", false),
            ("é", false),
        ] {
            let value = HeaderValue::from_bytes(id.as_bytes()).unwrap();
            assert_eq!(is_sane(&value), sane, "{id:?}");
        }
    }

    #[test]
    fn generated_request_ids_are_unique_and_safe_to_log() {
        let ids = RequestIds::new().unwrap();
        let (one, other) = (ids.next(), ids.next());
        assert!(one != other && is_sane(&one) && is_sane(&other));
        assert_ne!(
            RequestIds::new().unwrap().next(),
            RequestIds::new().unwrap().next()
        );
    }

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
