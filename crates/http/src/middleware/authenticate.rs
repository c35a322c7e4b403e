//! Authentication and authorization middleware. It runs before the handler and before the body is
//! read, so that 401 and 403 come before 400.

use crate::error::ApiError;
use crate::exec::worker_pool::JobKind;
use crate::extract::parameter::Parameter;
use crate::extract::request_context::RequestInfo;
use crate::middleware::rate_limit::{charge, charge_address};
use crate::middleware::rate_limiter::Payer;
use crate::middleware::request_cost::{self, Cost};
use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use std::time::Instant;
use tradepost_domain::identity::Accounts;
use tradepost_domain::kernel::{Access, Actor, Refusal};

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
    /// The parameters that do not follow from the other properties of the endpoint.
    pub(crate) parameters: &'static [&'static Parameter],
    /// Bypass the session cache: set on routes whose effect outlives its 900 ms TTL.
    pub(crate) bypass_session_cache: bool,
    /// Whether its responses may be compressed.
    pub(crate) is_compressible: bool,
}

/// Authenticates and authorizes a request, and charges it to the rate limiter.
pub(super) async fn admit(policy: RoutePolicy, request: &HttpRequest) -> Result<(), ApiError> {
    let Some(info) = RequestInfo::of(request) else {
        let defect = "a route was reached past the envelope";
        return Err(ApiError::Defect(defect.to_owned()));
    };
    let token = if policy.reads_token {
        token(request.headers())
    } else {
        None
    };
    let page_size = info.state.page_size;
    let query = request.query_string();
    let cost = policy.cost.units(policy.parameters, query, page_size);
    let actor = match token {
        None if !policy.counts => Actor::Anonymous,
        None => {
            charge_address(&info, cost)?;
            Actor::Anonymous
        }
        Some(token) => authenticate(&info, token, policy, cost).await?,
    };
    actor.check(policy.access)?;
    info.actor.set(Some(actor));
    let list_kind = request_cost::list_kind(cost);
    info.list_kind.set(list_kind);
    if policy.counts && list_kind == JobKind::List {
        info.state.pools.others.record();
    }
    info.is_compressible.set(policy.is_compressible);
    Ok(())
}

/// Authenticates a token and charges the request to the rate limiter: to the user once the account
/// was looked up; before that, to the session that a genuine token names, or to the address for any
/// other token, so that no token causes lookups without a bound.
///
/// Where a password is checked or hashed, the address pays instead: the holder of a stolen token
/// could otherwise keep its owner from changing the password by emptying the user's bucket.
async fn authenticate(
    info: &RequestInfo,
    token: &[u8],
    policy: RoutePolicy,
    cost: u32,
) -> Result<Actor, ApiError> {
    let asked = Instant::now();
    let state = &info.state;
    let accounts = &state.backend.services.accounts;
    let text = std::str::from_utf8(token).ok();
    let known = text.filter(|_| !policy.bypass_session_cache);
    let known = known.and_then(|token| state.sessions.get(token, asked));
    if let Some(session) = known.filter(|session| !accounts.has_expired(session)) {
        return charge_user(info, session.actor, cost);
    }
    let read = text.and_then(|token| Some((token, accounts.read_token(token).ok()?)));
    let Some((token, claims)) = read else {
        charge_address(info, cost)?;
        return Err(Refusal::InvalidToken.into());
    };
    let is_paid_by_address = policy.cost == Cost::Password;
    if is_paid_by_address {
        charge_address(info, cost)?;
    } else {
        charge(
            info,
            Payer::Session(claims.user, claims.session_epoch),
            cost,
        )?;
    }
    let account = state
        .loaders
        .accounts
        .load(claims.user, info.deadline)
        .await?;
    let session = Accounts::session(&claims, account.as_ref())?;
    let sessions = &state.sessions;
    sessions.insert(token.to_owned(), session, asked, Instant::now());
    if is_paid_by_address {
        return Ok(session.actor);
    }
    charge_user(info, session.actor, cost)
}

/// Charges a request to its user, over all sessions.
fn charge_user(info: &RequestInfo, actor: Actor, cost: u32) -> Result<Actor, ApiError> {
    if let Actor::Customer(user) | Actor::Staff(user) = actor {
        charge(info, Payer::User(user), cost)?;
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
