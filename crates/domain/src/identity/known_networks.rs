//! Known networks: client networks from which the correct password of an account came recently. The
//! spacing that an account gets when it is guessed at from all networks does not apply to them.

use crate::identity::{ClientNetwork, LoginName};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a network stays known after the last correct password.
pub const KNOWN_NETWORK_LIFE: TimeDelta = TimeDelta::days(30);

/// Maximum number of known networks of an account: those with the latest correct passwords.
pub const MAX_KNOWN_NETWORKS: u32 = 20;

/// Age at which the time of a known network is stored again. It saves a write for most sign-ins.
const RENEWAL: TimeDelta = TimeDelta::days(1);

/// An account and a network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownNetworkKey {
    /// [`LoginName::attempt_key`].
    pub account: String,
    /// The network.
    pub network: ClientNetwork,
}

impl KnownNetworkKey {
    /// The key of a typed username and a network.
    #[must_use]
    pub fn new(username: &LoginName, network: ClientNetwork) -> Self {
        Self {
            account: username.attempt_key(),
            network,
        }
    }
}

/// A network from which the correct password of an account came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownNetwork {
    /// Whether the account was staff at that time.
    pub is_staff: bool,
    /// Time of the correct password, to a day.
    pub at: DateTime<Utc>,
}

impl KnownNetwork {
    /// Whether the network is known at this time. A time in the far future was stored by a wrong
    /// clock.
    #[must_use]
    pub fn is_current(&self, now: DateTime<Utc>) -> bool {
        self.at <= now + RENEWAL && now < self.at + KNOWN_NETWORK_LIFE
    }
}

/// Decides the record of the network to store after a correct password; `None` if the stored one is
/// recent.
#[must_use]
pub fn decide_known_network(
    held: Option<KnownNetwork>,
    is_staff: bool,
    now: DateTime<Utc>,
) -> Option<KnownNetwork> {
    let recent = |held: &KnownNetwork| held.is_current(now) && now < held.at + RENEWAL;
    let stored = held.filter(|held| held.is_staff == is_staff && recent(held));
    stored
        .is_none()
        .then_some(KnownNetwork { is_staff, at: now })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    const DAY: i64 = 86_400;

    #[test]
    fn a_network_is_known_for_thirty_days() {
        let known = KnownNetwork {
            is_staff: false,
            at: at(0),
        };
        for (seconds, expected) in [
            (0, true),
            (30 * DAY - 1, true),
            (30 * DAY, false),
            // Another server's clock may be behind, up to a limit.
            (-60, true),
            (-2 * DAY, false),
        ] {
            assert_eq!(known.is_current(at(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn a_known_network_is_stored_once_a_day() {
        let now = at(100 * DAY);
        let held = |is_staff, before| {
            Some(KnownNetwork {
                is_staff,
                at: now - TimeDelta::seconds(before),
            })
        };
        for (held, stored) in [
            (None, true),
            (held(false, 0), false),
            (held(false, DAY - 1), false),
            (held(false, DAY), true),
            (held(true, 0), true),
            (held(false, -2 * DAY), true),
        ] {
            let decided = decide_known_network(held, false, now);
            let expected = KnownNetwork {
                is_staff: false,
                at: now,
            };
            assert_eq!(decided, stored.then_some(expected), "{held:?}");
        }
    }
}
