//! Refresh tokens: rotation with reuse detection (RFC 9700, section 4.14.2).
//!
//! A sign-in begins a token family. Each token of it works once and gives the next one. A stolen
//! token is noticed as soon as both holders have used it: then the family ends, and the user has to
//! sign in again.
//!
//! Every token begins with the first one of its family. So a used token can be purged, and still
//! ends its family when it is sent again.

use crate::identity::Account;
use crate::kernel::UserId;
use chrono::{DateTime, Duration, Utc};
use std::fmt;

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

/// SHA-256 digest of a refresh token: only the digest is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefreshDigest([u8; 32]);

impl RefreshDigest {
    /// The digest of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Parses the `Display` form of a digest.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !digits || text.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, at) in bytes.iter_mut().zip((0..text.len()).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for RefreshDigest {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

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

/// Decision on a received refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshDecision {
    /// The token is used up and replaced.
    Rotate {
        /// Its successor.
        next: RefreshToken,
        /// Tokens of its family that were used before this time are purged.
        forget: DateTime<Utc>,
    },
    /// Refused; nothing changes.
    Refuse,
    /// Reuse after the grace period: the token was stolen, and its whole family ends.
    EndFamily,
}

/// Decides a refresh, given the account of the token's user and the stored token; if the received
/// token is not stored, the unused token of its family.
#[must_use]
pub fn decide_refresh(
    command: &Refresh,
    token: Option<&RefreshToken>,
    account: Option<&Account>,
) -> RefreshDecision {
    let Some(token) = token else {
        return RefreshDecision::Refuse;
    };
    if account.is_none_or(|account| is_ended(token, account)) {
        return RefreshDecision::Refuse;
    }
    match token.used_at {
        // Clocks of servers differ: a use in the future counts as a recent one.
        Some(used) if command.at.signed_duration_since(used) <= REUSE_GRACE => {
            RefreshDecision::Refuse
        }
        Some(_) => RefreshDecision::EndFamily,
        // The received token was used and has been purged since.
        None if token.digest != command.token => RefreshDecision::EndFamily,
        None if token.expires_at <= command.at => RefreshDecision::Refuse,
        None => RefreshDecision::Rotate {
            next: RefreshToken {
                digest: command.next,
                issued_at: command.at,
                expires_at: end(token.signed_in_at, command.at, command.life),
                ..token.clone()
            },
            forget: command.at - USED_LIFE,
        },
    }
}

/// Decides which families of a user end when another one begins, so that at most [`MAX_FAMILIES`]
/// remain: the least recently refreshed ones. `newest_first` are the families of the user by the
/// time at which their unused token was issued.
#[must_use]
pub fn decide_family_quota(
    newest_first: impl IntoIterator<Item = RefreshDigest>,
) -> Vec<RefreshDigest> {
    newest_first.into_iter().skip(MAX_FAMILIES - 1).collect()
}

/// Whether the sessions of the token's user have ended since.
fn is_ended(token: &RefreshToken, account: &Account) -> bool {
    !account.is_active || account.session_epoch != token.session_epoch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Username;
    use crate::testing::{at, user};

    fn digest(byte: u8) -> RefreshDigest {
        RefreshDigest::new([byte; 32])
    }

    fn account() -> Account {
        Account {
            id: user(1),
            username: Username::new("ada").unwrap(),
            email: None,
            is_staff: false,
            is_active: true,
            session_epoch: 4,
            created_at: at(0),
        }
    }

    fn refresh(seconds: i64) -> Refresh {
        Refresh {
            token: digest(2),
            family: digest(1),
            next: digest(3),
            life: Duration::seconds(1_000),
            at: at(seconds),
        }
    }

    /// The second token of its family, issued at 100 seconds.
    fn token() -> RefreshToken {
        RefreshToken {
            digest: digest(2),
            family: digest(1),
            user: user(1),
            session_epoch: 4,
            signed_in_at: at(0),
            issued_at: at(100),
            expires_at: at(1_100),
            used_at: None,
        }
    }

    #[test]
    fn a_sign_in_begins_a_family() {
        let life = Duration::seconds(1_000);
        let first = RefreshToken::first(digest(1), &account(), life, at(0));
        let expected = RefreshToken {
            digest: digest(1),
            issued_at: at(0),
            expires_at: at(1_000),
            ..token()
        };
        assert_eq!(first, expected);
    }

    #[test]
    fn a_refresh_rotates_refuses_or_ends_the_family() {
        let micro = Duration::microseconds(1);
        let (rotate, refuse, end) = ("rotate", "refuse", "end");
        // used at, sent at, decision
        for (used, sent, expected) in [
            (None, at(100), rotate),
            (None, at(1_100) - micro, rotate),
            (None, at(1_100), refuse),
            (None, at(9_999), refuse),
            (Some(at(200)), at(200), refuse),
            (Some(at(200)), at(195), refuse),
            (Some(at(200)), at(210), refuse),
            (Some(at(200)), at(210) + micro, end),
            (Some(at(200)), at(1_100) - micro, end),
            (Some(at(200)), at(9_999), end),
        ] {
            let token = RefreshToken {
                used_at: used,
                ..token()
            };
            let command = Refresh {
                at: sent,
                ..refresh(0)
            };
            let seen = match decide_refresh(&command, Some(&token), Some(&account())) {
                RefreshDecision::Rotate { .. } => rotate,
                RefreshDecision::Refuse => refuse,
                RefreshDecision::EndFamily => end,
            };
            assert_eq!(seen, expected, "{used:?} {sent}");
        }
    }

    #[test]
    fn the_next_one_is_of_the_same_family_and_session() {
        let decided = decide_refresh(&refresh(500), Some(&token()), Some(&account()));
        let next = RefreshToken {
            digest: digest(3),
            issued_at: at(500),
            expires_at: at(1_500),
            ..token()
        };
        let forget = at(500) - USED_LIFE;
        assert_eq!(decided, RefreshDecision::Rotate { next, forget });
    }

    #[test]
    fn a_purged_token_ends_its_family() {
        let command = Refresh {
            token: digest(9),
            ..refresh(500)
        };
        let decided = decide_refresh(&command, Some(&token()), Some(&account()));
        assert_eq!(decided, RefreshDecision::EndFamily);
        assert!(USED_LIFE > REUSE_GRACE);
    }

    #[test]
    fn a_deactivated_user_or_an_ended_session_cannot_refresh() {
        let off = Account {
            is_active: false,
            ..account()
        };
        let later = Account {
            session_epoch: 5,
            ..account()
        };
        let used = RefreshToken {
            used_at: Some(at(100)),
            ..token()
        };
        for token in [token(), used] {
            for account in [Some(&off), Some(&later), None] {
                let decided = decide_refresh(&refresh(500), Some(&token), account);
                assert_eq!(decided, RefreshDecision::Refuse, "{account:?}");
            }
        }
        let unknown = decide_refresh(&refresh(500), None, None);
        assert_eq!(unknown, RefreshDecision::Refuse);
    }

    #[test]
    fn no_family_outlives_its_year() {
        let sent = at(0) + LONGEST_FAMILY - Duration::seconds(10);
        let command = Refresh {
            at: sent,
            ..refresh(0)
        };
        let token = RefreshToken {
            expires_at: DateTime::<Utc>::MAX_UTC,
            ..token()
        };
        let RefreshDecision::Rotate { next, .. } =
            decide_refresh(&command, Some(&token), Some(&account()))
        else {
            panic!()
        };
        assert_eq!(next.expires_at, at(0) + LONGEST_FAMILY);
        let endless = RefreshToken::first(digest(1), &account(), Duration::MAX, at(0));
        assert_eq!(endless.expires_at, at(0) + LONGEST_FAMILY);
    }

    #[test]
    fn digests_round_trip_through_text() {
        let mut bytes = [7; 32];
        bytes[0] = 0xab;
        let text = RefreshDigest::new(bytes).to_string();
        assert!(text.starts_with("ab07") && text.len() == 64, "{text}");
        assert_eq!(RefreshDigest::parse(&text), Some(RefreshDigest::new(bytes)));
        let signs = "+7".repeat(32);
        for wrong in ["", "ab", &text[1..], &"é".repeat(32), &signs] {
            assert_eq!(RefreshDigest::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_user_has_a_bounded_number_of_families() {
        let families = |number: u8| (1..=number).map(digest);
        assert_eq!(decide_family_quota(families(0)), []);
        assert_eq!(decide_family_quota(families(99)), []);
        assert_eq!(decide_family_quota(families(100)), [digest(100)]);
        let rest: Vec<_> = (100..=130).map(digest).collect();
        assert_eq!(decide_family_quota(families(130)), rest);
    }
}
