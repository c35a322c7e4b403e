//! Tries at what can be guessed, such as a password, or has its price, such as an account: so many
//! are free, and then it takes patience.
//!
//! A try is counted before it is known how it ends, so that many at once are no way around the
//! count. At a password, one that was right takes its count back.

use crate::{Refusal, fold_case};
use chrono::{DateTime, TimeDelta, Utc};
use std::net::{IpAddr, Ipv6Addr};

/// How long a count matters at most. What is older can be forgotten.
pub const ATTEMPT_LIFE: TimeDelta = TimeDelta::hours(2);

/// The time in which tries count together.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// How long to wait after the last free try. It doubles with each further one, up to an hour.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// The most characters of an account's name that tell it from others: longer than names get.
const NAME: usize = 200;

/// Where somebody is: an IPv4 address, or the /64 network that one customer's IPv6 addresses share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whereabouts(IpAddr);

impl Whereabouts {
    /// Where this address is. An IPv4 address that is written as one of IPv6 is what it is.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.into()),
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                Self(Ipv6Addr::from(network).into())
            }
        }
    }

    /// The address, or the first one of the network.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0
    }
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attempted {
    /// Signing in.
    SignIn,
    /// Registering: it costs a hash and tells which names are taken, however it ends.
    Registration,
}

impl Attempted {
    /// Its name, which is stored: it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Registration => "registration",
        }
    }
}

/// What is counted together: what is tried, at which account (`None` for all of them), and from
/// where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptKey {
    /// What is tried.
    pub what: Attempted,
    /// The key of the account's name, whether there is such an account or not.
    pub account: Option<String>,
    /// From where.
    pub from: Whereabouts,
}

/// How many tries are free, and what then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptRule {
    /// So many, until there was none for 15 minutes. Then there is a wait before each, of a minute
    /// at first and twice as long each time, up to an hour.
    Growing(u32),
    /// So many within 15 minutes from the first, then none until they are over.
    PerWindow(u32),
}

/// A try: under which key it counts, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it is counted with.
    pub key: AttemptKey,
    /// How many there may be.
    pub rule: AttemptRule,
}

/// How many tries are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptSettings {
    /// Wrong sign-ins at one account from one place.
    pub sign_ins: u32,
    /// Wrong sign-ins at all accounts from one place.
    pub sign_ins_from_one_place: u32,
    /// Registrations from one place, those that are refused too.
    pub registrations: u32,
}

impl Default for AttemptSettings {
    /// A hundred from one place: there are many customers behind some addresses, and a shop's own
    /// front end may sign in all of them from one.
    fn default() -> Self {
        Self {
            sign_ins: 5,
            sign_ins_from_one_place: 100,
            registrations: 100,
        }
    }
}

impl AttemptSettings {
    /// What a try to sign in counts as: first as one from its place, then as one at the account.
    #[must_use]
    pub fn sign_in(&self, username: &str, from: Whereabouts) -> [Attempt; 2] {
        let what = Attempted::SignIn;
        let account: String = fold_case(username.trim()).chars().take(NAME).collect();
        let key = |account| AttemptKey {
            what,
            account,
            from,
        };
        [
            Attempt {
                key: key(None),
                rule: AttemptRule::PerWindow(self.sign_ins_from_one_place),
            },
            Attempt {
                key: key(Some(account)),
                rule: AttemptRule::Growing(self.sign_ins),
            },
        ]
    }

    /// What a registration counts as: the names that somebody may take are no matter.
    #[must_use]
    pub fn registration(&self, from: Whereabouts) -> Attempt {
        Attempt {
            key: AttemptKey {
                what: Attempted::Registration,
                account: None,
                from,
            },
            rule: AttemptRule::PerWindow(self.registrations),
        }
    }
}

/// What is known of the tries under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptCount {
    /// How many there were.
    pub tries: u32,
    /// For [`AttemptRule::Growing`] when the last one was, for [`AttemptRule::PerWindow`] when the
    /// first was.
    pub at: DateTime<Utc>,
}

/// Decides whether there may be another try, and how it is counted.
///
/// # Errors
/// [`Refusal::TooManyAttempts`]; the try does not count then.
pub fn decide_attempt(
    rule: AttemptRule,
    held: Option<AttemptCount>,
    now: DateTime<Utc>,
) -> Result<AttemptCount, Refusal> {
    let first = AttemptCount { tries: 1, at: now };
    // One from the far future is from a clock that was wrong.
    let Some(held) = held.filter(|held| held.tries > 0 && held.at < now + WINDOW) else {
        return Ok(first);
    };
    let tries = held.tries.saturating_add(1);
    let (open, over, next) = match rule {
        AttemptRule::Growing(free) => {
            let open = held.at + wait(free, held.tries);
            (open, open + WINDOW, AttemptCount { tries, at: now })
        }
        AttemptRule::PerWindow(free) => {
            let over = held.at + WINDOW;
            let open = if held.tries < free { held.at } else { over };
            (open, over, AttemptCount { tries, ..held })
        }
    };
    if now >= over {
        Ok(first)
    } else if now >= open || held.tries < free_tries(rule) {
        Ok(next)
    } else {
        Err(Refusal::TooManyAttempts {
            seconds: seconds_until(open, now),
        })
    }
}

fn free_tries(rule: AttemptRule) -> u32 {
    match rule {
        AttemptRule::Growing(free) | AttemptRule::PerWindow(free) => free,
    }
}

/// How long to wait after so many tries.
fn wait(free: u32, tries: u32) -> TimeDelta {
    let Some(beyond) = tries.checked_sub(free) else {
        return TimeDelta::zero();
    };
    // Six doublings of a minute are more than an hour.
    let times = 1_i32 << beyond.min(6);
    (FIRST_WAIT * times).min(LONGEST_WAIT)
}

/// Whole seconds, rounded up, so that whoever waits for so long does not come too early.
fn seconds_until(open: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    let left = open - now + TimeDelta::microseconds(999_999);
    u64::try_from(left.num_seconds()).unwrap_or(1).max(1)
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
