//! Authentication and authorization middleware. It runs before the handler and before the body is
//! read, so that 401 and 403 come before 400.

use crate::error::ApiError;
use crate::exec::batch_loader;
use crate::middleware::rate_limit::Payer;
use crate::middleware::request_cost::Cost;
use crate::middleware::request_info::Exchange;
use crate::state::State;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tradepost_domain::identity::Accounts;
use tradepost_domain::kernel::{Access, Actor, Refusal};

/// The authenticated caller, for the handler and for the log.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) state: Arc<State>,
    pub(crate) actor: Actor,
}

/// Policy of a route: access, authentication and rate limiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoutePolicy {
    pub(crate) access: Access,
    /// Whether the `Authorization` header is read: signing in has to work with a stale token too.
    pub(crate) reads_token: bool,
    /// Whether requests are rate limited: probes and metrics must always be answered.
    pub(crate) counts: bool,
    /// The cost of a request, if it is rate limited.
    pub(crate) cost: Cost,
    /// Bypass the session cache: set on routes whose effect outlives its 900 ms TTL.
    pub(crate) bypass_session_cache: bool,
}

/// Authenticates and authorizes a request, then calls its handler. A handler that panics is
/// answered with 500 here: without it the client would see a dropped connection.
pub(crate) async fn gate<B: MessageBody + 'static>(
    state: Arc<State>,
    demand: RoutePolicy,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let actor = match admit(&state, demand, request.request()).await {
        Ok(actor) => actor,
        Err(error) => return Ok(request.error_response(error).map_into_boxed_body()),
    };
    request.extensions_mut().insert(Caller { state, actor });
    let asked = request.request().clone();
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => Ok(response.map_into_boxed_body()),
        Ok(Err(error)) => Ok(ServiceResponse::from_err(error, asked)),
        Err(_) => Ok(ServiceResponse::from_err(ApiError::Panicked, asked)),
    }
}

async fn admit(
    state: &Arc<State>,
    demand: RoutePolicy,
    request: &HttpRequest,
) -> Result<Actor, ApiError> {
    let token = if demand.reads_token {
        token(request.headers())
    } else {
        None
    };
    let Some(exchange) = Exchange::of(request) else {
        let defect = "a route was reached past the envelope";
        return Err(ApiError::Defect(defect.to_owned()));
    };
    let cost = demand.cost.units(request.query_string(), state.page_size);
    let actor = match token {
        None if !demand.counts => Actor::Anonymous,
        None => {
            exchange.charge_address(state, cost)?;
            Actor::Anonymous
        }
        Some(token) => authenticate(state, &exchange, token, demand, cost).await?,
    };
    actor.check(demand.access)?;
    Ok(actor)
}

/// Authenticates a token and charges the request to the rate limiter: to the user once the account
/// was looked up; before that, to the session that a genuine token names, or to the address for any
/// other token, so that no token causes lookups without a bound.
///
/// Where a password is checked or hashed, the address pays instead: the holder of a stolen token
/// could otherwise keep its owner from changing the password by emptying the user's bucket.
async fn authenticate(
    state: &Arc<State>,
    exchange: &Exchange,
    token: &[u8],
    demand: RoutePolicy,
    cost: u32,
) -> Result<Actor, ApiError> {
    let asked = Instant::now();
    let accounts = &state.shop.accounts;
    let text = std::str::from_utf8(token).ok();
    let known = text.filter(|_| !demand.bypass_session_cache);
    let known = known.and_then(|token| state.sessions.get(token, asked));
    if let Some(session) = known.filter(|session| !accounts.has_expired(session)) {
        return of_user(state, exchange, session.actor, cost);
    }
    let read = text.and_then(|token| Some((token, accounts.read_token(token).ok()?)));
    let Some((token, claims)) = read else {
        exchange.charge_address(state, cost)?;
        return Err(Refusal::InvalidToken.into());
    };
    let (user, deadline) = (claims.user, exchange.deadline);
    let is_paid_by_address = demand.cost == Cost::Password;
    if is_paid_by_address {
        exchange.charge_address(state, cost)?;
    } else {
        exchange.charge(state, Payer::Session(user, claims.session_epoch), cost)?;
    }
    let account = batch_loader::find(state, |reads| &reads.accounts, (), user, deadline).await?;
    let session = Accounts::session(&claims, account.as_ref())?;
    let sessions = &state.sessions;
    sessions.insert(token.to_owned(), session, asked, Instant::now());
    if is_paid_by_address {
        return Ok(session.actor);
    }
    of_user(state, exchange, session.actor, cost)
}

/// Charges a request to its user, over all sessions.
fn of_user(state: &State, exchange: &Exchange, actor: Actor, cost: u32) -> Result<Actor, ApiError> {
    if let Actor::Customer(user) | Actor::Staff(user) = actor {
        exchange.charge(state, Payer::User(user), cost)?;
    }
    Ok(actor)
}

/// The token after one of the schemes that clients of this API use. Another scheme counts as no
/// token: it is meant for another party, such as a proxy. Several headers count as an invalid
/// token: a proxy may have read another one than this server would.
pub(crate) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(AUTHORIZATION);
    let header = all.next()?.as_bytes().trim_ascii();
    if all.next().is_some() {
        return Some(&[]);
    }
    let end = header.iter().position(u8::is_ascii_whitespace);
    let (scheme, token) = header.split_at(end.unwrap_or(header.len()));
    [&b"bearer"[..], b"token", b"jwt"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        .then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn tokens_need_one_header_with_a_known_scheme() {
        for (header, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("TOKEN abc", Some("abc")),
            ("Jwt   abc ", Some("abc")),
            ("Bearer\tabc", Some("abc")),
            ("Bearer a b", Some("a b")),
            ("Bearer", Some("")),
            ("Bearer ", Some("")),
            ("Basic abc", None),
            ("Bearerabc", None),
            ("abc", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(token(&headers), None);
            headers.insert(AUTHORIZATION, HeaderValue::from_static(header));
            assert_eq!(token(&headers), expected.map(str::as_bytes), "{header:?}");
            headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
            assert_eq!(token(&headers), Some(&b""[..]), "{header:?} and another");
        }
    }
}
