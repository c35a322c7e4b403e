//! Login throttling: counts of attempts at passwords and other guessable secrets.

use crate::{at, race, retry_busy};
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::Stores;
use tradepost_domain::identity::{
    ATTEMPT_LIFE, Attempt, AttemptSettings, ClientNetwork, IdentityRefusal, KNOWN_NETWORK_LIFE,
    KnownNetwork, KnownNetworkKey, LimitedAction, LoginName, MAX_KNOWN_NETWORKS,
};
use tradepost_domain::kernel::Refusal;

const SETTINGS: AttemptSettings = AttemptSettings {
    sign_ins: 5,
    sign_ins_per_network: 7,
    sign_ins_per_account: 6,
    any_sign_ins: 9,
    registrations: 4,
};

fn network(address: &str) -> ClientNetwork {
    ClientNetwork::new(address.parse().unwrap())
}

/// A sign-in attempt, counted per account and network.
fn sign_in(
    username: &str,
    from: &str,
    what: LimitedAction,
    has_account: bool,
    network_of: impl Fn(ClientNetwork) -> Option<ClientNetwork>,
) -> Attempt {
    let attempts = SETTINGS.sign_in(&LoginName::new(username), network(from), false);
    let wanted = network_of(network(from));
    let is_it = |attempt: &Attempt| {
        let key = &attempt.key;
        key.what == what && key.account.is_some() == has_account && key.from == wanted
    };
    attempts.into_iter().find(is_it).unwrap()
}

fn at_account(username: &str, from: &str) -> Attempt {
    sign_in(username, from, LimitedAction::SignIn, true, Some)
}

fn any_at_account(username: &str, from: &str) -> Attempt {
    sign_in(username, from, LimitedAction::AnySignIn, true, Some)
}

fn everywhere(username: &str) -> Attempt {
    sign_in(username, "192.0.2.1", LimitedAction::SignIn, true, |_| None)
}

fn at_network(from: &str) -> Attempt {
    sign_in("ada", from, LimitedAction::SignIn, false, Some)
}

fn at_site(from: &str) -> Attempt {
    sign_in(
        "ada",
        from,
        LimitedAction::SignIn,
        false,
        ClientNetwork::site,
    )
}

fn registration(from: &str) -> Attempt {
    SETTINGS.registration(network(from)).pop().unwrap()
}

/// One attempt of each kind.
fn each(username: &str, from: &str) -> [Attempt; 5] {
    [
        at_network(from),
        at_account(username, from),
        any_at_account(username, from),
        everywhere(username),
        registration(from),
    ]
}

fn try_it(stores: &Stores, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Refusal> {
    retry_busy(|| stores.attempts.count_attempt(attempt, now))
}

fn check_attempt(stores: &Stores, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Refusal> {
    retry_busy(|| stores.attempts.check_attempt(attempt, now))
}

fn wait(seconds: u64) -> Result<(), Refusal> {
    Err(Refusal::Identity(IdentityRefusal::TooManyAttempts {
        seconds,
    }))
}

/// Number of attempts that are allowed before one is refused.
fn left(stores: &Stores, attempt: &Attempt, now: DateTime<Utc>) -> usize {
    let tries = (0..100).map(|_| try_it(stores, attempt, now));
    tries.take_while(Result::is_ok).count()
}

/// Five attempts per account and network, independent of other networks. A refused attempt changes
/// no count.
pub fn attempts_are_counted_per_key(stores: &Stores) {
    let ada = at_account("ada", "192.0.2.1");
    assert_eq!(left(stores, &ada, at(0)), 5);
    assert_eq!(try_it(stores, &ada, at(0)), wait(60));
    assert_eq!(try_it(stores, &ada, at(59)), wait(1));
    for (username, from) in [
        ("ada", "192.0.2.2"),
        ("adam", "192.0.2.1"),
        ("", "192.0.2.1"),
        ("ada", "2001:db8::1"),
    ] {
        assert_eq!(left(stores, &at_account(username, from), at(0)), 5);
    }
    assert_eq!(
        try_it(stores, &at_account("ADA", "192.0.2.1"), at(30)),
        wait(30)
    );
    assert_eq!(
        try_it(stores, &at_account("ada", "2001:db8::2"), at(30)),
        wait(30)
    );
    let place = at_network("192.0.2.1");
    assert_eq!(left(stores, &place, at(0)), 7);
    assert_eq!(try_it(stores, &place, at(100)), wait(800));
    // The count continues after the wait; the next wait is longer.
    assert_eq!(try_it(stores, &ada, at(60)), Ok(()));
    assert_eq!(try_it(stores, &ada, at(60)), wait(120));
    assert_eq!(left(stores, &ada, at(60 + 120 + 900)), 5);
}

/// Each limited action has a count of its own. Registrations are counted per network only.
pub fn limited_actions_are_counted_separately(stores: &Stores) {
    let here = registration("192.0.2.1");
    assert_eq!(left(stores, &here, at(0)), 4);
    assert_eq!(try_it(stores, &here, at(30)), wait(870));
    let place = at_network("192.0.2.1");
    let account = at_account("ada", "192.0.2.1");
    assert_eq!(left(stores, &place, at(30)), 7);
    assert_eq!(left(stores, &account, at(30)), 5);
    assert_eq!(left(stores, &any_at_account("ada", "192.0.2.1"), at(30)), 9);
    assert_eq!(try_it(stores, &here, at(31)), wait(869));
    // An empty account name has a count of its own.
    let nameless = at_account("", "192.0.2.1");
    assert_eq!(left(stores, &nameless, at(31)), 5);
    assert_eq!(left(stores, &everywhere(""), at(31)), 6);
    assert_eq!(left(stores, &registration("2001:db8::1"), at(31)), 4);
    assert_eq!(
        try_it(stores, &registration("2001:db8::2"), at(31)),
        wait(900)
    );
    assert_eq!(left(stores, &registration("2001:db8:0:1::"), at(31)), 4);
    assert_eq!(left(stores, &here, at(900)), 4);
}

/// Checking the limit returns the same result as an attempt, and counts nothing.
pub fn checking_a_limit_counts_no_attempt(stores: &Stores) {
    for attempt in each("ada", "192.0.2.1") {
        for _ in 0..10 {
            assert_eq!(check_attempt(stores, &attempt, at(0)), Ok(()));
        }
        assert_eq!(left(stores, &attempt, at(0)), free_tries(&attempt));
        let refused = try_it(stores, &attempt, at(0));
        assert!(refused.is_err());
        assert_eq!(check_attempt(stores, &attempt, at(0)), refused);
    }
}

fn free_tries(attempt: &Attempt) -> usize {
    usize::try_from(attempt.rule.free()).unwrap()
}

/// Attempts are counted per account over all networks, per network, and per site.
pub fn attempts_are_counted_over_networks(stores: &Stores) {
    let ada = everywhere("ada");
    assert_eq!(left(stores, &ada, at(0)), 6);
    assert_eq!(try_it(stores, &ada, at(0)), wait(1));
    assert_eq!(try_it(stores, &ada, at(1)), Ok(()));
    assert_eq!(try_it(stores, &ada, at(2)), wait(1));
    assert_eq!(left(stores, &everywhere("grace"), at(2)), 6);
    assert_eq!(left(stores, &at_account("ada", "192.0.2.9"), at(2)), 5);
    // The first network of a site has the same address as the site.
    let (first, second) = ("2001:db8:1::1", "2001:db8:1:1::1");
    assert_eq!(at_site(first), at_site(second));
    assert_eq!(left(stores, &at_network(first), at(2)), 7);
    assert_eq!(left(stores, &at_network(second), at(2)), 7);
    assert_eq!(left(stores, &at_site(first), at(2)), 28);
    assert_eq!(try_it(stores, &at_site(second), at(2)), wait(900));
    assert_eq!(left(stores, &at_site("2001:db8:2::1"), at(2)), 28);
}

/// Releasing an attempt undoes its count. Releases beyond the recorded attempts do nothing.
pub fn an_attempt_can_be_released(stores: &Stores) {
    for attempt in each("ada", "192.0.2.1") {
        let release = || retry_busy(|| stores.attempts.release(&attempt.key));
        release();
        let free = free_tries(&attempt);
        assert_eq!(left(stores, &attempt, at(0)), free);
        release();
        release();
        assert_eq!(left(stores, &attempt, at(0)), 2);
        (0..free + 3).for_each(|_| release());
        assert_eq!(left(stores, &attempt, at(0)), free);
    }
}

/// A reset clears the count of one key only.
pub fn attempts_can_be_reset(stores: &Stores) {
    let (ada, grace) = (
        at_account("ada", "192.0.2.1"),
        at_account("grace", "192.0.2.1"),
    );
    for attempt in [&ada, &grace] {
        assert_eq!(left(stores, attempt, at(0)), 5);
    }
    retry_busy(|| stores.attempts.reset(&ada.key));
    assert_eq!(left(stores, &ada, at(0)), 5);
    assert_eq!(try_it(stores, &grace, at(0)), wait(60));
}

/// Counts older than the retention limit are purged, later ones are kept.
pub fn old_attempts_are_purged(stores: &Stores) {
    let given = at(0) + ATTEMPT_LIFE;
    let (old, just) = (
        at_account("ada", "192.0.2.1"),
        at_account("ada", "192.0.2.2"),
    );
    let early = given - TimeDelta::microseconds(1);
    assert_eq!(left(stores, &old, early), 5);
    assert_eq!(left(stores, &just, given), 5);
    let forget = |before| retry_busy(|| stores.retention.purge_attempts(before));
    assert_eq!(forget(early), 0);
    assert_eq!(try_it(stores, &old, given), wait(60));
    assert_eq!(forget(given), 1);
    assert_eq!(forget(given), 0);
    assert_eq!(left(stores, &old, given), 5);
    assert_eq!(try_it(stores, &just, given), wait(60));
}

/// Of 20 concurrent attempts, as many are allowed as of 20 sequential ones.
pub fn concurrent_attempts_are_counted(stores: &Stores) {
    for (round, name) in ["ada", "grace", "mary"].into_iter().enumerate() {
        let place = format!("192.0.2.{round}");
        for attempt in each(name, &place) {
            let tries = race(20, |_| try_it(stores, &attempt, at(0)));
            let through = tries.iter().filter(|tried| tried.is_ok()).count();
            assert_eq!(through, free_tries(&attempt), "{attempt:?}");
            // As many attempts are allowed as are released, during this race or after it.
            let anew = race(8, |number| {
                if number < 3 {
                    retry_busy(|| stores.attempts.release(&attempt.key));
                    return 0;
                }
                usize::from(try_it(stores, &attempt, at(0)).is_ok())
            });
            let anew: usize = anew.iter().sum();
            assert_eq!(anew + left(stores, &attempt, at(0)), 3, "{attempt:?}");
            // A reset releases every attempt once, even with concurrent attempts.
            let anew = race(8, |number| {
                if number == 0 {
                    retry_busy(|| stores.attempts.reset(&attempt.key));
                    return 0;
                }
                usize::from(try_it(stores, &attempt, at(0)).is_ok())
            });
            let anew: usize = anew.iter().sum();
            let free = free_tries(&attempt);
            assert_eq!(anew + left(stores, &attempt, at(0)), free, "{attempt:?}");
        }
    }
}

fn known_key(username: &str, from: &str) -> KnownNetworkKey {
    KnownNetworkKey::new(&LoginName::new(username), network(from))
}

fn remember(stores: &Stores, key: &KnownNetworkKey, known: KnownNetwork) {
    retry_busy(|| stores.attempts.remember_network(key, known));
}

fn known(stores: &Stores, key: &KnownNetworkKey) -> Option<KnownNetwork> {
    retry_busy(|| stores.attempts.known_network(key))
}

fn known_at(seconds: i64) -> KnownNetwork {
    KnownNetwork {
        is_staff: false,
        at: at(seconds),
    }
}

/// A known network belongs to the one account that signed in from it. The last write wins.
pub fn known_networks_are_of_one_account(stores: &Stores) {
    let ada = known_key("ada", "192.0.2.1");
    assert_eq!(known(stores, &ada), None);
    for (is_staff, seconds) in [(false, 5), (true, 7), (false, 6)] {
        let stored = KnownNetwork {
            is_staff,
            ..known_at(seconds)
        };
        remember(stores, &ada, stored);
        assert_eq!(known(stores, &ada), Some(stored));
    }
    for (username, from) in [
        ("grace", "192.0.2.1"),
        ("ada", "192.0.2.2"),
        ("", "192.0.2.1"),
        ("ada", "2001:db8::1"),
    ] {
        assert_eq!(known(stores, &known_key(username, from)), None);
    }
    remember(stores, &known_key("ada", "2001:db8::1"), known_at(1));
    let same = known_key("ADA", "2001:db8::2");
    assert_eq!(known(stores, &same), Some(known_at(1)));
}

/// The most recent known networks of an account are kept; other accounts do not count.
pub fn the_latest_known_networks_are_kept(stores: &Stores) {
    let key = |number: u32| known_key("ada", &format!("198.51.100.{number}"));
    let grace = known_key("grace", "192.0.2.1");
    remember(stores, &grace, known_at(0));
    for number in 0..MAX_KNOWN_NETWORKS {
        remember(stores, &key(number), known_at(number.into()));
    }
    // Refresh the first network, so that the second is the oldest.
    remember(stores, &key(0), known_at(100));
    for number in 0..MAX_KNOWN_NETWORKS {
        assert!(known(stores, &key(number)).is_some(), "{number}");
    }
    remember(stores, &key(100), known_at(101));
    remember(stores, &key(101), known_at(102));
    for number in [1, 2] {
        assert_eq!(known(stores, &key(number)), None, "{number}");
    }
    for number in [0, 3, MAX_KNOWN_NETWORKS - 1, 100, 101] {
        assert!(known(stores, &key(number)).is_some(), "{number}");
    }
    assert_eq!(known(stores, &grace), Some(known_at(0)));
    // Each concurrent sign-in may exceed the limit by one; the next sign-in trims to it.
    race(8, |number| {
        let number = u32::try_from(number).unwrap();
        remember(stores, &key(110 + number), known_at(110));
    });
    remember(stores, &key(120), known_at(120));
    let kept = (0..130).filter(|number| known(stores, &key(*number)).is_some());
    assert_eq!(kept.count(), usize::try_from(MAX_KNOWN_NETWORKS).unwrap());
}

/// Known networks older than the retention limit are purged, later ones are kept.
pub fn old_known_networks_are_purged(stores: &Stores) {
    let given = at(0) + KNOWN_NETWORK_LIFE;
    let early = given - TimeDelta::microseconds(1);
    let (old, just) = (known_key("ada", "192.0.2.1"), known_key("ada", "192.0.2.2"));
    for (key, time) in [(&old, early), (&just, given)] {
        let stored = KnownNetwork {
            is_staff: true,
            at: time,
        };
        remember(stores, key, stored);
    }
    let purge = |before| retry_busy(|| stores.retention.purge_known_networks(before));
    assert_eq!(purge(early), 0);
    assert!(known(stores, &old).is_some());
    assert_eq!(purge(given), 1);
    assert_eq!(purge(given), 0);
    assert_eq!(known(stores, &old), None);
    assert!(known(stores, &just).is_some());
}
