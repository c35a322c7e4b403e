//! Who is calling, and whether they may: decided before a handler runs and before the body is
//! read, so that 401 and 403 come before 400.

use crate::cost::Cost;
use crate::error::ApiError;
use crate::exchange::Exchange;
use crate::state::State;
use crate::throttle::Payer;
use crate::together;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tradepost_domain::{Access, Accounts, Actor, Refusal};

/// Who is calling, for the handler and for the log.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) state: Arc<State>,
    pub(crate) actor: Actor,
}

/// What a route asks of its callers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    pub(crate) access: Access,
    /// Whether the `Authorization` header counts: signing in has to work with a stale token too.
    pub(crate) reads_token: bool,
    /// Whether requests count: those that watch over the process have to be answered always.
    pub(crate) counts: bool,
    /// What they cost, if they count.
    pub(crate) cost: Cost,
    /// Whether callers are looked up each time. What they were a moment ago is not enough for what
    /// outlasts that moment.
    pub(crate) anew: bool,
}

/// Lets a request through to its handler. A handler that panics is answered for here: without it
/// the client would see a dead connection.
pub(crate) async fn gate<B: MessageBody + 'static>(
    state: Arc<State>,
    demand: Demand,
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
    demand: Demand,
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

/// A request is charged to its user once the account was looked up. Before that, a genuine token is
/// charged to the session that it names, and any other one to its address, so that no token has
/// accounts looked up without a bound.
///
/// Where a password is checked or hashed, the address pays instead: the holder of a stolen token could
/// keep its owner from changing the password by emptying the user's bucket.
async fn authenticate(
    state: &Arc<State>,
    exchange: &Exchange,
    token: &[u8],
    demand: Demand,
    cost: u32,
) -> Result<Actor, ApiError> {
    let asked = Instant::now();
    let accounts = &state.shop.accounts;
    let text = std::str::from_utf8(token).ok();
    let known = text.filter(|_| !demand.anew);
    let known = known.and_then(|token| state.sessions.recall(token, asked));
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
    let account = together::find(state, |reads| &reads.accounts, (), user, deadline).await?;
    let session = Accounts::session(&claims, account.as_ref())?;
    let sessions = &state.sessions;
    sessions.remember(token.to_owned(), session, asked, Instant::now());
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

/// The token after one of the schemes that clients of this API use. Another scheme is somebody
/// else's business, such as a proxy's, and counts as none. Of several headers none is a token:
/// somebody on the way may have looked at another one than this.
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
    fn authorization_headers_as_a_table() {
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
