//! Tries at what can be guessed.

use crate::{at, race, settled};
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::{
    ATTEMPT_LIFE, Attempt, AttemptRule, AttemptSettings, Refusal, Stores, Whereabouts,
};

const SETTINGS: AttemptSettings = AttemptSettings {
    sign_ins: 5,
    sign_ins_from_one_place: 7,
    registrations: 4,
};

/// A try to sign in: as one from its place, and as one at the account.
fn sign_in(username: &str, from: &str) -> [Attempt; 2] {
    SETTINGS.sign_in(username, Whereabouts::of(from.parse().unwrap()))
}

fn at_account(username: &str, from: &str) -> Attempt {
    let [_, at_account] = sign_in(username, from);
    at_account
}

fn registration(from: &str) -> Attempt {
    SETTINGS.registration(Whereabouts::of(from.parse().unwrap()))
}

/// One of each kind.
fn each(username: &str, from: &str) -> [Attempt; 3] {
    let [place, account] = sign_in(username, from);
    [place, account, registration(from)]
}

fn try_it(stores: &Stores, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Refusal> {
    settled(|| stores.attempts.count_try(attempt, now))
}

fn may_try(stores: &Stores, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Refusal> {
    settled(|| stores.attempts.may_try(attempt, now))
}

fn wait(seconds: u64) -> Result<(), Refusal> {
    Err(Refusal::TooManyAttempts { seconds })
}

/// How many tries are let through until one is refused.
fn left(stores: &Stores, attempt: &Attempt, now: DateTime<Utc>) -> usize {
    let tries = (0..100).map(|_| try_it(stores, attempt, now));
    tries.take_while(Result::is_ok).count()
}

/// Five at an account from one place, whatever is tried elsewhere; what is refused changes nothing.
pub fn tries_are_counted_under_their_key(stores: &Stores) {
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
    let [place, _] = sign_in("whoever", "192.0.2.1");
    assert_eq!(left(stores, &place, at(0)), 7);
    assert_eq!(try_it(stores, &place, at(100)), wait(800));
    // The count goes on after the wait, and a longer one follows.
    assert_eq!(try_it(stores, &ada, at(60)), Ok(()));
    assert_eq!(try_it(stores, &ada, at(60)), wait(120));
    assert_eq!(left(stores, &ada, at(60 + 120 + 900)), 5);
}

/// Registrations count by themselves, and their place alone matters.
pub fn what_is_tried_counts_by_itself(stores: &Stores) {
    let here = registration("192.0.2.1");
    assert_eq!(left(stores, &here, at(0)), 4);
    assert_eq!(try_it(stores, &here, at(30)), wait(870));
    let [place, account] = sign_in("ada", "192.0.2.1");
    assert_eq!(left(stores, &place, at(30)), 7);
    assert_eq!(left(stores, &account, at(30)), 5);
    assert_eq!(try_it(stores, &here, at(31)), wait(869));
    // An account without a name is none of them.
    let [_, nameless] = sign_in("", "192.0.2.1");
    assert_eq!(left(stores, &nameless, at(31)), 5);
    assert_eq!(left(stores, &registration("2001:db8::1"), at(31)), 4);
    assert_eq!(
        try_it(stores, &registration("2001:db8::2"), at(31)),
        wait(900)
    );
    assert_eq!(left(stores, &registration("2001:db8:0:1::"), at(31)), 4);
    assert_eq!(left(stores, &here, at(900)), 4);
}

/// Asking says what a try would get, and is none.
pub fn asking_is_no_try(stores: &Stores) {
    for attempt in each("ada", "192.0.2.1") {
        for _ in 0..10 {
            assert_eq!(may_try(stores, &attempt, at(0)), Ok(()));
        }
        assert_eq!(left(stores, &attempt, at(0)), free_tries(attempt.rule));
        let refused = try_it(stores, &attempt, at(1));
        assert!(refused.is_err());
        assert_eq!(may_try(stores, &attempt, at(1)), refused);
    }
}

fn free_tries(rule: AttemptRule) -> usize {
    let (AttemptRule::Growing(free) | AttemptRule::PerWindow(free)) = rule;
    usize::try_from(free).unwrap()
}

/// A try that is given back is as if it had not been, and none can be given back that was not.
pub fn a_try_is_given_back(stores: &Stores) {
    for attempt in each("ada", "192.0.2.1") {
        let give_back = || settled(|| stores.attempts.give_back(&attempt.key));
        give_back();
        let free = free_tries(attempt.rule);
        assert_eq!(left(stores, &attempt, at(0)), free);
        give_back();
        give_back();
        assert_eq!(left(stores, &attempt, at(0)), 2);
        (0..free + 3).for_each(|_| give_back());
        assert_eq!(left(stores, &attempt, at(0)), free);
    }
}

/// Forgiving takes back what was tried under one key, and no other.
pub fn tries_are_forgiven(stores: &Stores) {
    let (ada, grace) = (
        at_account("ada", "192.0.2.1"),
        at_account("grace", "192.0.2.1"),
    );
    for attempt in [&ada, &grace] {
        assert_eq!(left(stores, attempt, at(0)), 5);
    }
    settled(|| stores.attempts.forgive(&ada.key));
    assert_eq!(left(stores, &ada, at(0)), 5);
    assert_eq!(try_it(stores, &grace, at(0)), wait(60));
}

/// Counts from before a time are forgotten, and no later ones.
pub fn old_tries_are_forgotten(stores: &Stores) {
    let given = at(0) + ATTEMPT_LIFE;
    let (old, just) = (
        at_account("ada", "192.0.2.1"),
        at_account("ada", "192.0.2.2"),
    );
    let early = given - TimeDelta::microseconds(1);
    assert_eq!(left(stores, &old, early), 5);
    assert_eq!(left(stores, &just, given), 5);
    let forget = |before| settled(|| stores.upkeep.forget_attempts(before));
    assert_eq!(forget(early), 0);
    assert_eq!(try_it(stores, &old, given), wait(60));
    assert_eq!(forget(given), 1);
    assert_eq!(forget(given), 0);
    assert_eq!(left(stores, &old, given), 5);
    assert_eq!(try_it(stores, &just, given), wait(60));
}

/// Twenty at once get through as often as twenty one after the other.
pub fn tries_at_once_are_counted(stores: &Stores) {
    for (round, name) in ["ada", "grace", "mary"].into_iter().enumerate() {
        let place = format!("192.0.2.{round}");
        for attempt in each(name, &place) {
            let tries = race(20, |_| try_it(stores, &attempt, at(0)));
            let through = tries.iter().filter(|tried| tried.is_ok()).count();
            assert_eq!(through, free_tries(attempt.rule), "{attempt:?}");
            // As many get through anew as are given back meanwhile, or will after it.
            let anew = race(8, |number| {
                if number < 3 {
                    settled(|| stores.attempts.give_back(&attempt.key));
                    return 0;
                }
                usize::from(try_it(stores, &attempt, at(1)).is_ok())
            });
            let anew: usize = anew.iter().sum();
            assert_eq!(anew + left(stores, &attempt, at(1)), 3, "{attempt:?}");
            // Forgiving gives all of them back once, whoever tries meanwhile.
            let anew = race(8, |number| {
                if number == 0 {
                    settled(|| stores.attempts.forgive(&attempt.key));
                    return 0;
                }
                usize::from(try_it(stores, &attempt, at(1)).is_ok())
            });
            let anew: usize = anew.iter().sum();
            let free = free_tries(attempt.rule);
            assert_eq!(anew + left(stores, &attempt, at(1)), free, "{attempt:?}");
        }
    }
}
