//! Staff sessions: sign-ins to the admin interface, each named by the digest of a secret that only
//! the browser has.

use crate::identity::{Account, SessionDigest};
use crate::kernel::{Refusal, UserId};
use chrono::{DateTime, Duration, Utc};

/// The longest time between two uses of a session.
pub const SESSION_IDLE: Duration = Duration::hours(12);

/// The longest time from the sign-in to the end of a session, however often it is used.
pub const SESSION_LIFE: Duration = Duration::days(7);

/// Maximum sessions per user: each is a signed-in browser.
pub const MAX_SESSIONS: usize = 20;

/// Time between two records of the use of a session: a page costs no write.
const TOUCH_INTERVAL: Duration = Duration::minutes(5);

/// A stored staff session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffSession {
    /// The digest of its secret.
    pub digest: SessionDigest,
    /// The user.
    pub user: UserId,
    /// [`Account::session_epoch`] at the sign-in.
    pub session_epoch: i64,
    /// Time of the sign-in.
    pub signed_in_at: DateTime<Utc>,
    /// Time of the last use, to [a few minutes](decide_use).
    pub used_at: DateTime<Utc>,
    /// Expiry, unless it is used before.
    pub expires_at: DateTime<Utc>,
}

impl StaffSession {
    /// The session used at a time.
    fn used(self, at: DateTime<Utc>) -> Self {
        let idle = at.checked_add_signed(SESSION_IDLE);
        let life = self.signed_in_at.checked_add_signed(SESSION_LIFE);
        let end = |end: Option<DateTime<Utc>>| end.unwrap_or(DateTime::<Utc>::MAX_UTC);
        Self {
            used_at: at,
            expires_at: end(idle).min(end(life)),
            ..self
        }
    }
}

/// Decides a sign-in to the admin interface, after the credentials were verified.
///
/// # Errors
/// [`Refusal::Forbidden`] if the account is not staff; [`Refusal::InvalidToken`] if it is
/// deactivated.
pub fn decide_sign_in(
    account: &Account,
    digest: SessionDigest,
    at: DateTime<Utc>,
) -> Result<StaffSession, Refusal> {
    if !account.is_active {
        return Err(Refusal::InvalidToken);
    }
    let session = StaffSession {
        digest,
        user: account.actor().staff()?,
        session_epoch: account.session_epoch,
        signed_in_at: at,
        used_at: at,
        expires_at: at,
    };
    Ok(session.used(at))
}

/// Decides a use of a session, given its current account. The outcome is the session to store, if
/// its use is to be recorded.
///
/// # Errors
/// [`Refusal::InvalidToken`] if the session has expired, or the account is gone or deactivated, or its
/// sessions have ended; [`Refusal::Forbidden`] if the user is no longer staff.
pub fn decide_use(
    session: &StaffSession,
    account: Option<&Account>,
    now: DateTime<Utc>,
) -> Result<Option<StaffSession>, Refusal> {
    let account = account
        .filter(|account| account.is_active && account.session_epoch == session.session_epoch)
        .filter(|account| account.id == session.user && now < session.expires_at)
        .ok_or(Refusal::InvalidToken)?;
    account.actor().staff()?;
    let is_due = now.signed_duration_since(session.used_at) >= TOUCH_INTERVAL;
    Ok(is_due.then(|| session.clone().used(now)))
}

/// Decides which sessions of a user end when another one begins: the least recently used ones, so
/// that at most [`MAX_SESSIONS`] remain.
pub fn decide_ended_sessions(
    newest_first: impl IntoIterator<Item = SessionDigest>,
) -> Vec<SessionDigest> {
    newest_first.into_iter().skip(MAX_SESSIONS - 1).collect()
}

#[cfg(test)]
#[path = "staff_session_tests.rs"]
mod tests;
