//! Access log: one line for each request.

use crate::extract::request_context::RequestInfo;
use actix_web::http::StatusCode;
use std::fmt;
use tradepost_domain::kernel::{Actor, UserId};

/// Maximum length of a path in the log, in bytes, so that long paths cannot fill the disk.
const MAX_PATH: usize = 512;

/// Writes the line of the access log. The path is logged in its encoded form, which has no control
/// characters, and is truncated if it is longer than any real path; the query is omitted, as it may
/// hold private data.
pub(super) fn write(info: &RequestInfo, status: StatusCode) {
    let path = info.path();
    log::info!(
        target: "tradepost::access",
        id = info.id(),
        user:% = OrDash(info.actor.get().and_then(user)),
        from:% = OrDash(info.client);
        "{} {} {} {}us",
        info.method,
        path.get(..MAX_PATH).unwrap_or(path),
        status.as_u16(),
        info.began.elapsed().as_micros(),
    );
}

/// The id of a signed-in user.
fn user(actor: Actor) -> Option<UserId> {
    match actor {
        Actor::Anonymous => None,
        Actor::Customer(user) | Actor::Staff(user) => Some(user),
    }
}

struct OrDash<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
