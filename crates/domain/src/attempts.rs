//! Tries at what can be guessed, such as a password, or has its price, such as an account: so many
//! are free, and then it takes patience.
//!
//! A try is counted before it is known how it ends, so that many at once are no way around the
//! count. At a password, one that was right takes its count back.

use crate::{LoginName, Refusal, Whereabouts};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a count matters at most. What is older can be forgotten.
pub const ATTEMPT_LIFE: TimeDelta = TimeDelta::hours(2);

/// The time in which tries count together.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// How long to wait after the last free try. It doubles with each further one, up to an hour.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// The spacing after the last free try at an account from everywhere. It doubles with each further
/// one. The longest is short enough to wait for, and leaves a guesser 5,400 tries a day.
const FIRST_SPACING: TimeDelta = TimeDelta::seconds(1);
const LONGEST_SPACING: TimeDelta = TimeDelta::seconds(16);

/// How many times the bound of one /64 network a /48 network has: a household uses a few of the
/// 65,536 networks that it may have been assigned.
const SITE_SHARE: u32 = 4;

/// The most characters of an account's name that tell it from others: longer than names get.
const NAME: usize = 200;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attempted {
    /// Signing in with a wrong password.
    SignIn,
    /// Signing in, with the right password too: it costs a hash.
    AnySignIn,
    /// Registering, or asking for another e-mail address: it tells which names are taken, however
    /// it ends.
    Registration,
}

impl Attempted {
    /// Its name, which is stored: it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::AnySignIn => "any-sign-in",
            Self::Registration => "registration",
        }
    }
}

/// The scope in which tries are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptKey {
    /// What is tried.
    pub what: Attempted,
    /// [`LoginName::attempt_key`], whether the account exists or not; `None` for all accounts.
    pub account: Option<String>,
    /// The client network; `None` for all of them.
    pub from: Option<Whereabouts>,
}

/// How many tries are free, and what then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptRule {
    /// So many, until there was none for 15 minutes. Then there is a wait before each, of a minute
    /// at first and twice as long each time, up to an hour.
    Growing(u32),
    /// So many within 15 minutes from the first, then none until they are over.
    PerWindow(u32),
    /// So many, until there was none for 15 minutes. Then they are spaced, by a second at first and
    /// twice as much each time, up to 16 seconds. A delay and no lock: it is for what others try.
    Spaced(u32),
}

impl AttemptRule {
    /// How many tries are free.
    #[must_use]
    pub fn free(self) -> u32 {
        match self {
            Self::Growing(free) | Self::PerWindow(free) | Self::Spaced(free) => free,
        }
    }
}

/// What becomes of the count when the try succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSuccess {
    /// The try stays counted.
    Keep,
    /// The try itself is not counted.
    Release,
    /// All tries under the key are forgiven.
    Reset,
}

/// A try: under which key it counts, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it is counted with.
    pub key: AttemptKey,
    /// How many there may be.
    pub rule: AttemptRule,
    /// What a success makes of the count.
    pub on_success: OnSuccess,
}

/// How many tries are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptSettings {
    /// Wrong sign-ins at one account from one network.
    pub sign_ins: u32,
    /// Wrong sign-ins at all accounts from one network.
    pub sign_ins_from_one_place: u32,
    /// Wrong sign-ins at one account from all networks together that are not known for it.
    pub sign_ins_from_everywhere: u32,
    /// Sign-ins at one account from one network, with the right password too.
    pub any_sign_ins: u32,
    /// Registrations from one network, those that are refused too.
    pub registrations: u32,
}

impl Default for AttemptSettings {
    /// A hundred from one network: there are many customers behind some addresses, and a shop's own
    /// front end may sign in all of them from one. Twenty from everywhere, which is what staff need:
    /// a bound that differed for them would reveal staff accounts.
    fn default() -> Self {
        Self {
            sign_ins: 5,
            sign_ins_from_one_place: 100,
            sign_ins_from_everywhere: 20,
            any_sign_ins: 60,
            registrations: 100,
        }
    }
}

impl AttemptSettings {
    /// What a try to sign in counts as: for its network, then for the account there, then for the
    /// account everywhere, unless the network is known for it.
    #[must_use]
    pub fn sign_in(&self, username: &LoginName, from: Whereabouts, is_known: bool) -> Vec<Attempt> {
        let account: String = username.attempt_key().chars().take(NAME).collect();
        let attempt = |what, from, rule, on_success| Attempt {
            key: AttemptKey {
                what,
                account: Some(account.clone()),
                from,
            },
            rule,
            on_success,
        };
        let (wrong, any) = (Attempted::SignIn, Attempted::AnySignIn);
        let mut attempts = from_network(
            wrong,
            from,
            self.sign_ins_from_one_place,
            OnSuccess::Release,
        );
        let growing = AttemptRule::Growing(self.sign_ins);
        attempts.push(attempt(wrong, Some(from), growing, OnSuccess::Reset));
        let most = AttemptRule::PerWindow(self.any_sign_ins);
        attempts.push(attempt(any, Some(from), most, OnSuccess::Keep));
        if !is_known {
            let spaced = AttemptRule::Spaced(self.sign_ins_from_everywhere);
            attempts.push(attempt(wrong, None, spaced, OnSuccess::Release));
        }
        attempts
    }

    /// What a registration counts as: the names that are asked for are no matter.
    #[must_use]
    pub fn registration(&self, from: Whereabouts) -> Vec<Attempt> {
        let what = Attempted::Registration;
        from_network(what, from, self.registrations, OnSuccess::Keep)
    }
}

/// A try at all accounts from one network, and from the /48 network around it.
fn from_network(
    what: Attempted,
    from: Whereabouts,
    free: u32,
    on_success: OnSuccess,
) -> Vec<Attempt> {
    let attempt = |from, free| Attempt {
        key: AttemptKey {
            what,
            account: None,
            from: Some(from),
        },
        rule: AttemptRule::PerWindow(free),
        on_success,
    };
    let site = from.site();
    let site = site.map(|site| attempt(site, free.saturating_mul(SITE_SHARE)));
    site.into_iter().chain([attempt(from, free)]).collect()
}

/// What is known of the tries under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptCount {
    /// How many there were.
    pub tries: u32,
    /// For [`AttemptRule::PerWindow`] when the first one was, otherwise when the last one was.
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
        AttemptRule::Growing(_) | AttemptRule::Spaced(_) => {
            let open = held.at + wait(rule, held.tries);
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
    } else if now >= open || held.tries < rule.free() {
        Ok(next)
    } else {
        Err(Refusal::TooManyAttempts {
            seconds: seconds_until(open, now),
        })
    }
}

/// How long to wait after so many tries.
fn wait(rule: AttemptRule, tries: u32) -> TimeDelta {
    let (first, longest) = match rule {
        AttemptRule::Growing(_) => (FIRST_WAIT, LONGEST_WAIT),
        AttemptRule::Spaced(_) => (FIRST_SPACING, LONGEST_SPACING),
        AttemptRule::PerWindow(_) => return TimeDelta::zero(),
    };
    let Some(beyond) = tries.checked_sub(rule.free()) else {
        return TimeDelta::zero();
    };
    // Six doublings are more than either has to the longest.
    let times = 1_i32 << beyond.min(6);
    (first * times).min(longest)
}

/// Whole seconds, rounded up, so that whoever waits for so long does not come too early.
fn seconds_until(open: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    let left = open - now + TimeDelta::microseconds(999_999);
    u64::try_from(left.num_seconds()).unwrap_or(1).max(1)
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
