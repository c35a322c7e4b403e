//! Login throttling: limits on attempts at actions that can be guessed (a password) or that cost
//! resources (an account). A number of attempts is free; then each has to wait.
//!
//! An attempt is counted before its outcome is known, so that parallel attempts cannot bypass the
//! limit. The count of a correct password is released.

use crate::identity::{ClientNetwork, IdentityRefusal, LoginName};
use crate::kernel::Refusal;
use chrono::{DateTime, TimeDelta, Utc};

/// The longest time for which a count matters. Older counts can be purged.
pub const ATTEMPT_LIFE: TimeDelta = TimeDelta::hours(2);

/// The window in which attempts are counted together.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Backoff after the last free attempt. It doubles with each further one, up to an hour.
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// Spacing after the last free attempt at an account from all networks together. It doubles with
/// each further attempt. The maximum is short enough to wait for, and leaves a guesser 5,400
/// attempts a day.
const FIRST_SPACING: TimeDelta = TimeDelta::seconds(1);
const LONGEST_SPACING: TimeDelta = TimeDelta::seconds(16);

/// Limit of a /48 network as a multiple of the limit of a /64 network: a household uses a few of
/// the 65,536 networks that it may have been assigned.
const SITE_SHARE: u32 = 4;

/// Length of the account key in characters; longer than any username.
const NAME: usize = 200;

/// The limited action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitedAction {
    /// Sign-in with a wrong password.
    SignIn,
    /// Sign-in with any password, the correct one included: each costs a hash.
    AnySignIn,
    /// Registration, or a change of e-mail address: each reveals which names are taken, also if it
    /// is refused.
    Registration,
}

impl LimitedAction {
    /// The stored name; it never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::AnySignIn => "any-sign-in",
            Self::Registration => "registration",
        }
    }
}

/// The scope in which attempts are counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptKey {
    /// The limited action.
    pub what: LimitedAction,
    /// [`LoginName::attempt_key`], whether the account exists or not; `None` for all accounts.
    pub account: Option<String>,
    /// The client network; `None` for all networks.
    pub from: Option<ClientNetwork>,
}

/// The number of free attempts, and the limit after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptRule {
    /// Exponential backoff: so many free attempts until 15 minutes without any. After them each
    /// attempt has to wait, a minute at first and twice as long each time, up to an hour.
    Backoff(u32),
    /// Fixed window: so many attempts within 15 minutes from the first, then none until the window
    /// is over.
    FixedWindow(u32),
    /// Spacing: so many free attempts until 15 minutes without any. After them attempts are spaced,
    /// by a second at first and twice as much each time, up to 16 seconds. A delay and not a
    /// lockout, because attempts of other clients cause it.
    Spaced(u32),
}

impl AttemptRule {
    /// The number of free attempts.
    #[must_use]
    pub fn free(self) -> u32 {
        match self {
            Self::Backoff(free) | Self::FixedWindow(free) | Self::Spaced(free) => free,
        }
    }
}

/// Effect of a successful attempt on the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSuccess {
    /// The attempt stays counted.
    Keep,
    /// The attempt itself is not counted.
    Release,
    /// All attempts under the key are cleared.
    Reset,
}

/// An attempt: the key under which it counts, and the rule that limits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The key of the count.
    pub key: AttemptKey,
    /// The limit.
    pub rule: AttemptRule,
    /// Effect of a success on the count.
    pub on_success: OnSuccess,
}

/// Numbers of free attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptSettings {
    /// Failed sign-ins at one account from one network.
    pub sign_ins: u32,
    /// Failed sign-ins at all accounts from one network.
    pub sign_ins_per_network: u32,
    /// Failed sign-ins at one account from all networks together, except those known for the
    /// account.
    pub sign_ins_per_account: u32,
    /// Sign-ins at one account from one network, successful ones included.
    pub any_sign_ins: u32,
    /// Registrations from one network, refused ones included.
    pub registrations: u32,
}

impl Default for AttemptSettings {
    /// A hundred from one network: many customers share some addresses, and a shop's own front end
    /// may sign all of them in from one. Twenty from all networks, which is as many as staff need:
    /// a different limit for staff would reveal staff accounts.
    fn default() -> Self {
        Self {
            sign_ins: 5,
            sign_ins_per_network: 100,
            sign_ins_per_account: 20,
            any_sign_ins: 60,
            registrations: 100,
        }
    }
}

impl AttemptSettings {
    /// The counts of a sign-in: of its network, of the account from that network, and of the
    /// account from all networks unless the network is known for it.
    #[must_use]
    pub fn sign_in(
        &self,
        username: &LoginName,
        from: ClientNetwork,
        is_known: bool,
    ) -> Vec<Attempt> {
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
        let (wrong, any) = (LimitedAction::SignIn, LimitedAction::AnySignIn);
        let mut attempts = from_network(wrong, from, self.sign_ins_per_network, OnSuccess::Release);
        let growing = AttemptRule::Backoff(self.sign_ins);
        attempts.push(attempt(wrong, Some(from), growing, OnSuccess::Reset));
        let most = AttemptRule::FixedWindow(self.any_sign_ins);
        attempts.push(attempt(any, Some(from), most, OnSuccess::Keep));
        if !is_known {
            let spaced = AttemptRule::Spaced(self.sign_ins_per_account);
            attempts.push(attempt(wrong, None, spaced, OnSuccess::Release));
        }
        attempts
    }

    /// The counts of a registration; they do not depend on the requested names.
    #[must_use]
    pub fn registration(&self, from: ClientNetwork) -> Vec<Attempt> {
        let what = LimitedAction::Registration;
        from_network(what, from, self.registrations, OnSuccess::Keep)
    }
}

/// An attempt at all accounts from one network, and from the /48 network around it.
fn from_network(
    what: LimitedAction,
    from: ClientNetwork,
    free: u32,
    on_success: OnSuccess,
) -> Vec<Attempt> {
    let attempt = |from, free| Attempt {
        key: AttemptKey {
            what,
            account: None,
            from: Some(from),
        },
        rule: AttemptRule::FixedWindow(free),
        on_success,
    };
    let site = from.site();
    let site = site.map(|site| attempt(site, free.saturating_mul(SITE_SHARE)));
    site.into_iter().chain([attempt(from, free)]).collect()
}

/// The count of the attempts under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptCount {
    /// Number of attempts.
    pub tries: u32,
    /// Time of the first attempt for [`AttemptRule::FixedWindow`], otherwise of the last one.
    pub at: DateTime<Utc>,
}

/// Decides whether another attempt is allowed; returns the count that includes it.
///
/// # Errors
/// [`IdentityRefusal::TooManyAttempts`]; the attempt is not counted then.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::identity::{AttemptRule, decide_attempt};
///
/// let rule = AttemptRule::FixedWindow(1);
/// let first = decide_attempt(rule, None, at(0))?;
/// assert!(decide_attempt(rule, Some(first), at(1)).is_err());
/// # Ok::<(), Refusal>(())
/// ```
pub fn decide_attempt(
    rule: AttemptRule,
    held: Option<AttemptCount>,
    now: DateTime<Utc>,
) -> Result<AttemptCount, Refusal> {
    let first = AttemptCount { tries: 1, at: now };
    // A count from the far future was stored by a wrong clock.
    let Some(held) = held.filter(|held| held.tries > 0 && held.at < now + WINDOW) else {
        return Ok(first);
    };
    let tries = held.tries.saturating_add(1);
    let (open, over, next) = match rule {
        AttemptRule::Backoff(_) | AttemptRule::Spaced(_) => {
            let open = held.at + wait(rule, held.tries);
            (open, open + WINDOW, AttemptCount { tries, at: now })
        }
        AttemptRule::FixedWindow(free) => {
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
        Err(Refusal::Identity(IdentityRefusal::TooManyAttempts {
            seconds: seconds_until(open, now),
        }))
    }
}

/// The wait after so many attempts.
fn wait(rule: AttemptRule, tries: u32) -> TimeDelta {
    let (first, longest) = match rule {
        AttemptRule::Backoff(_) => (FIRST_WAIT, LONGEST_WAIT),
        AttemptRule::Spaced(_) => (FIRST_SPACING, LONGEST_SPACING),
        AttemptRule::FixedWindow(_) => return TimeDelta::zero(),
    };
    let Some(beyond) = tries.checked_sub(rule.free()) else {
        return TimeDelta::zero();
    };
    // Six doublings exceed the maximum of either rule.
    let times = 1_i32 << beyond.min(6);
    (first * times).min(longest)
}

/// Whole seconds, rounded up, so that a client that waits for them is not too early.
fn seconds_until(open: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    let left = open - now + TimeDelta::microseconds(999_999);
    u64::try_from(left.num_seconds()).unwrap_or(1).max(1)
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
