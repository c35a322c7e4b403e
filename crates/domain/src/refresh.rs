//! Refresh tokens: what lets somebody stay signed in.
//!
//! A sign-in begins a family. Each token of it works once and gives the next one, so that a token
//! that was stolen is noticed as soon as both have used it: then the family ends, and whoever is
//! right has to sign in again.
//!
//! Every token begins with the first one of its family. So a used one can be forgotten, and still
//! ends its family when it comes back.

use crate::{Account, UserId};
use chrono::{DateTime, Duration, Utc};
use std::fmt;

/// How long a second use of a token is not taken for a theft: an answer may have been lost, and a
/// page may be open twice.
pub const REUSE_GRACE: Duration = Duration::seconds(10);

/// How long a token that was used is kept, to tell whether it comes back within [`REUSE_GRACE`]:
/// longer than that, as clocks of servers differ.
const USED_LIFE: Duration = Duration::minutes(1);

/// How long a sign-in can be stretched by refreshing: after that the password is asked for.
pub const LONGEST_FAMILY: Duration = Duration::days(365);

/// The most families of one user: each is a device that stays signed in, and a row that is kept for
/// as long as a refresh token lasts.
pub const MAX_FAMILIES: usize = 100;

/// What is stored instead of a refresh token: its SHA-256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefreshDigest([u8; 32]);

impl RefreshDigest {
    /// The digest of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads what [`RefreshDigest`] is written as.
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

/// A refresh token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its digest.
    pub digest: RefreshDigest,
    /// The digest of the first token of its family.
    pub family: RefreshDigest,
    /// Whose it is.
    pub user: UserId,
    /// [`Account::session_epoch`] when its family began.
    pub session_epoch: i64,
    /// When its family began: with a password.
    pub signed_in_at: DateTime<Utc>,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// When it was used, if it was.
    pub used_at: Option<DateTime<Utc>>,
}

impl RefreshToken {
    /// The first token of a family, for somebody who signs in. It lasts for `life`.
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

/// When a token that is issued now ends, in a family that began at a time.
fn end(began: DateTime<Utc>, at: DateTime<Utc>, life: Duration) -> DateTime<Utc> {
    let after = |at: DateTime<Utc>, life| {
        at.checked_add_signed(life)
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    };
    after(at, life).min(after(began, LONGEST_FAMILY))
}

/// Command: take a refresh token and give the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// The token that was sent.
    pub token: RefreshDigest,
    /// The first token of its family, with which it begins.
    pub family: RefreshDigest,
    /// The one that takes its place.
    pub next: RefreshDigest,
    /// How long the next one lasts.
    pub life: Duration,
    /// When.
    pub at: DateTime<Utc>,
}

/// What becomes of a refresh token that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefreshDecision {
    /// It is used up, and another one takes its place.
    Rotate {
        /// The one that takes its place.
        next: RefreshToken,
        /// Those of its family that were used before this time are forgotten.
        forget: DateTime<Utc>,
    },
    /// It is refused, and nothing changes.
    Refuse,
    /// It was used long ago: somebody has stolen it, and its whole family ends.
    EndFamily,
}

/// Decides on a refresh, given the account of the token's user, and the token as it is stored: if
/// it is not, one of its family that was not used yet.
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
        // Clocks of servers differ: a use that is still to come was a moment ago.
        Some(used) if command.at.signed_duration_since(used) <= REUSE_GRACE => {
            RefreshDecision::Refuse
        }
        Some(_) => RefreshDecision::EndFamily,
        // It was used so long ago that it has been forgotten.
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

/// Decides which families of a user end when another one begins, so that there are at most
/// [`MAX_FAMILIES`]: those that were not refreshed for the longest time. `newest_first` are the
/// families of the user by the time at which their unused token was issued.
#[must_use]
pub fn decide_family_quota(
    newest_first: impl IntoIterator<Item = RefreshDigest>,
) -> Vec<RefreshDigest> {
    newest_first.into_iter().skip(MAX_FAMILIES - 1).collect()
}

/// Whether the sessions of a token's user have ended since.
fn is_ended(token: &RefreshToken, account: &Account) -> bool {
    !account.is_active || account.session_epoch != token.session_epoch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Username;
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

    /// The second of its family, issued at 100 seconds.
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
    fn refreshing_as_a_table() {
        let micro = Duration::microseconds(1);
        let (rotate, refuse, end) = ("rotate", "refuse", "end");
        // used at, sent at, what becomes of it
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
    fn what_is_forgotten_was_used_long_ago() {
        let command = Refresh {
            token: digest(9),
            ..refresh(500)
        };
        let decided = decide_refresh(&command, Some(&token()), Some(&account()));
        assert_eq!(decided, RefreshDecision::EndFamily);
        assert!(USED_LIFE > REUSE_GRACE);
    }

    #[test]
    fn who_is_switched_off_or_has_another_password_stays_out() {
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
    fn digests_are_read_as_they_are_written() {
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
