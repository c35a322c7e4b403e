//! Claims of access tokens, and the sessions that they stand for.

use super::Account;
use crate::kernel::{Actor, Refusal, UserId};
use chrono::{DateTime, Utc};

/// Claims of an access token: user, session epoch, time of issue and expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenClaims {
    /// The user.
    pub user: UserId,
    /// [`Account::session_epoch`] at the time of issue.
    pub session_epoch: i64,
    /// Time of issue, in whole seconds.
    pub issued_at: DateTime<Utc>,
    /// Expiry, in whole seconds.
    pub expires_at: DateTime<Utc>,
}

/// Decides the actor of a genuine, unexpired token, given the current account.
///
/// # Errors
/// [`Refusal::InvalidToken`] if the account is gone or deactivated, or its sessions have ended.
pub fn decide_session(claims: &TokenClaims, account: Option<&Account>) -> Result<Actor, Refusal> {
    account
        .filter(|account| account.session_epoch == claims.session_epoch)
        .map(Account::actor)
        .filter(|actor| *actor != Actor::Anonymous)
        .ok_or(Refusal::InvalidToken)
}
