//! Refresh tokens: rotation with reuse detection (RFC 9700, section 4.14.2).
//!
//! A sign-in begins a token family. Each token of it works once and gives the next one. A stolen
//! token is noticed as soon as both holders have used it: then the family ends, and the user has to
//! sign in again.
//!
//! Every token begins with the first one of its family. So a used token can be purged, and still
//! ends its family when it is sent again.

use crate::decision::{Decision, UsedToken};
use crate::identity::{Account, RefreshDigest};
use crate::kernel::{Refusal, UserId};
use chrono::{DateTime, Duration, Utc};

/// Grace period in which reuse of a token does not count as theft: a response may have been lost,
/// and a page may be open twice.
pub const REUSE_GRACE: Duration = Duration::seconds(10);

/// Retention of a used token, to tell reuse within [`REUSE_GRACE`] from theft: longer than the
/// grace period, as clocks of servers differ.
const USED_LIFE: Duration = Duration::minutes(1);

/// Maximum age of a family: refreshing cannot extend a sign-in beyond it, then the password is
/// required.
pub const LONGEST_FAMILY: Duration = Duration::days(365);

/// Maximum families per user: each is a signed-in device, and a row that is kept for as long as a
/// refresh token lasts.
pub const MAX_FAMILIES: usize = 100;

/// A stored refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its digest.
    pub digest: RefreshDigest,
    /// The digest of the first token of its family.
    pub family: RefreshDigest,
    /// The user.
    pub user: UserId,
    /// [`Account::session_epoch`] when its family began.
    pub session_epoch: i64,
    /// Time of the sign-in that began its family.
    pub signed_in_at: DateTime<Utc>,
    /// Time of issue.
    pub issued_at: DateTime<Utc>,
    /// Expiry.
    pub expires_at: DateTime<Utc>,
    /// Time of use, if it was used.
    pub used_at: Option<DateTime<Utc>>,
}

impl RefreshToken {
    /// The first token of a family, for a user who signs in. It lasts for `life`.
    #[must_use]
    pub fn first(
        digest: RefreshDigest,
        account: &Account,
        life: Duration,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            digest,
            family: digest,
            user: account.id,
            session_epoch: account.session_epoch,
            signed_in_at: at,
            issued_at: at,
            expires_at: end(at, at, life),
            used_at: None,
        }
    }
}

/// Expiry of a token that is issued at `at`, in a family that began at `began`.
fn end(began: DateTime<Utc>, at: DateTime<Utc>, life: Duration) -> DateTime<Utc> {
    let after = |at: DateTime<Utc>, life| {
        at.checked_add_signed(life)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    };
    after(at, life).min(after(began, LONGEST_FAMILY))
}

/// Command: rotate a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// The received token.
    pub token: RefreshDigest,
    /// The first token of its family, with which it begins.
    pub family: RefreshDigest,
    /// Its successor.
    pub next: RefreshDigest,
    /// Lifetime of the successor.
    pub life: Duration,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Decides a refresh, given the account of the token's user and the stored token; if the received
/// token is not stored, the unused token of its family. The outcome is the account that stays signed
/// in, or a refusal.
///
/// A refusal is an outcome, as it may have to be written: reuse after the grace period means that
/// the token was stolen, and its whole family ends.
#[must_use]
pub fn decide_refresh(
    command: &Refresh,
    token: Option<&RefreshToken>,
    account: Option<&Account>,
) -> Decision<Result<Account, Refusal>> {
    let refused = || Decision::of(Err(Refusal::InvalidToken));
    let Some((token, account)) = token.zip(account) else {
        return refused();
    };
    if is_ended(token, account) {
        return refused();
    }
    match token.used_at {
        // Clocks of servers differ: a use in the future counts as a recent one.
        Some(used) if command.at.signed_duration_since(used) <= REUSE_GRACE => refused(),
        Some(_) => ending(refused(), token.family),
        // The received token was used and has been purged since.
        None if token.digest != command.token => ending(refused(), token.family),
        None if token.expires_at <= command.at => refused(),
        None => rotated(command, token, account),
    }
}

fn ending<T>(mut decision: Decision<T>, family: RefreshDigest) -> Decision<T> {
    decision.changes.ended_families.push(family);
    decision
}

/// The token is used up and replaced.
fn rotated(
    command: &Refresh,
    token: &RefreshToken,
    account: &Account,
) -> Decision<Result<Account, Refusal>> {
    let mut decision = Decision::of(Ok(account.clone()));
    decision.changes.used_refresh_tokens.push(UsedToken {
        digest: token.digest,
        family: token.family,
        at: command.at,
        forget: command.at - USED_LIFE,
    });
    decision.changes.new_refresh_tokens.push(RefreshToken {
        digest: command.next,
        issued_at: command.at,
        expires_at: end(token.signed_in_at, command.at, command.life),
        ..token.clone()
    });
    decision
}

/// Decides the start of a family, which ends others of the user so that at most [`MAX_FAMILIES`]
/// remain: the least recently refreshed ones. `newest_first` are the families of the user by the
/// time at which their unused token was issued.
#[must_use]
pub fn decide_new_family(
    first: RefreshToken,
    newest_first: impl IntoIterator<Item = RefreshDigest>,
) -> Decision<()> {
    let mut decision = Decision::of(());
    let ended = newest_first.into_iter().skip(MAX_FAMILIES - 1);
    decision.changes.ended_families.extend(ended);
    decision.changes.new_refresh_tokens.push(first);
    decision
}

/// Decides a sign-out: the family ends.
#[must_use]
pub fn decide_sign_out(family: RefreshDigest) -> Decision<()> {
    ending(Decision::of(()), family)
}

/// Whether the sessions of the token's user have ended since.
fn is_ended(token: &RefreshToken, account: &Account) -> bool {
    !account.is_active || account.session_epoch != token.session_epoch
}

#[cfg(test)]
#[path = "refresh_token_tests.rs"]
mod tests;
