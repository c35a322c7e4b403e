use super::*;
use crate::identity::IdentityRefusal;
use crate::testing::at;

const ACCOUNT: AttemptRule = AttemptRule::Backoff(5);
const PLACE: AttemptRule = AttemptRule::FixedWindow(3);
const EVERYWHERE: AttemptRule = AttemptRule::Spaced(3);

/// Results of attempts at these seconds: the count, or the wait in seconds.
fn tried(rule: AttemptRule, times: &[i64]) -> Vec<Result<u32, u64>> {
    let mut held = None;
    let mut answers = Vec::new();
    for time in times {
        answers.push(match decide_attempt(rule, held, at(*time)) {
            Ok(count) => {
                held = Some(count);
                Ok(count.tries)
            }
            Err(Refusal::Identity(IdentityRefusal::TooManyAttempts { seconds })) => Err(seconds),
            Err(other) => panic!("{other:?}"),
        });
    }
    answers
}

#[test]
fn five_attempts_at_an_account_are_free_and_then_the_wait_doubles() {
    let times = [0, 1, 2, 3, 4, 5, 63, 64, 65, 183, 184, 185];
    let expected = [
        Ok(1),
        Ok(2),
        Ok(3),
        Ok(4),
        Ok(5),
        Err(59),
        Err(1),
        Ok(6),
        Err(119),
        Err(1),
        Ok(7),
        Err(239),
    ];
    assert_eq!(tried(ACCOUNT, &times), expected);
}

#[test]
fn the_wait_is_an_hour_at_most_and_refused_attempts_do_not_prolong_it() {
    let mut held = None;
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..14 {
        let count = decide_attempt(ACCOUNT, held, at(now)).unwrap();
        held = Some(count);
        let wait = (now..).find(|then| decide_attempt(ACCOUNT, held, at(*then)).is_ok());
        waits.push((wait.unwrap() - now) / 60);
        now = wait.unwrap();
    }
    assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
    let at_most = AttemptCount {
        tries: u32::MAX,
        at: at(0),
    };
    let next = decide_attempt(ACCOUNT, Some(at_most), at(3_600)).unwrap();
    assert_eq!(next.tries, u32::MAX);
}

#[test]
fn the_count_restarts_after_a_quarter_of_an_hour_without_attempts() {
    for (times, expected) in [
        (
            &[0, 1, 2, 3, 902, 903][..],
            vec![Ok(1), Ok(2), Ok(3), Ok(4), Ok(5), Err(59)],
        ),
        (&[0, 1, 2, 3, 903], vec![Ok(1), Ok(2), Ok(3), Ok(4), Ok(1)]),
        (
            &[0, 1, 2, 3, 4, 963],
            vec![Ok(1), Ok(2), Ok(3), Ok(4), Ok(5), Ok(6)],
        ),
        (
            &[0, 1, 2, 3, 4, 964],
            vec![Ok(1), Ok(2), Ok(3), Ok(4), Ok(5), Ok(1)],
        ),
    ] {
        assert_eq!(tried(ACCOUNT, times), expected);
    }
}

#[test]
fn a_fixed_window_allows_its_limit_in_a_quarter_of_an_hour() {
    let times = [0, 1, 2, 3, 898, 899, 900, 901, 902, 903];
    let expected = [
        Ok(1),
        Ok(2),
        Ok(3),
        Err(897),
        Err(2),
        Err(1),
        Ok(1),
        Ok(2),
        Ok(3),
        Err(897),
    ];
    assert_eq!(tried(PLACE, &times), expected);
}

#[test]
fn no_count_outlives_what_is_kept() {
    for rule in [ACCOUNT, PLACE, EVERYWHERE] {
        let held = AttemptCount {
            tries: u32::MAX,
            at: at(0),
        };
        let later = at(0) + ATTEMPT_LIFE;
        let next = decide_attempt(rule, Some(held), later).unwrap();
        assert_eq!(
            next,
            AttemptCount {
                tries: 1,
                at: later
            }
        );
    }
}

#[test]
fn a_count_from_a_wrong_clock_causes_no_lockout() {
    for rule in [ACCOUNT, PLACE, EVERYWHERE] {
        let held = |seconds| {
            Some(AttemptCount {
                tries: 9,
                at: at(seconds),
            })
        };
        assert!(decide_attempt(rule, held(899), at(0)).is_err());
        assert_eq!(decide_attempt(rule, held(900), at(0)).unwrap().tries, 1);
    }
}

#[test]
fn a_released_attempt_counts_nothing() {
    let held = AttemptCount {
        tries: 0,
        at: at(0),
    };
    let next = decide_attempt(PLACE, Some(held), at(5)).unwrap();
    assert_eq!(
        next,
        AttemptCount {
            tries: 1,
            at: at(5)
        }
    );
}

fn network(address: &str) -> ClientNetwork {
    ClientNetwork::new(address.parse().unwrap())
}

/// The scope of an attempt, abbreviated.
fn scope(attempt: &Attempt) -> (&'static str, &'static str, AttemptRule, OnSuccess) {
    let key = &attempt.key;
    let from = match (&key.account, key.from) {
        (None, Some(from)) if from.is_site() => "site",
        (None, Some(_)) => "network",
        (Some(_), Some(_)) => "account at network",
        (Some(_), None) => "account everywhere",
        (None, None) => "everything",
    };
    (key.what.as_str(), from, attempt.rule, attempt.on_success)
}

#[test]
fn a_sign_in_counts_for_its_network_and_its_account() {
    let settings = AttemptSettings::default();
    let name = LoginName::new("  ADA ");
    let (of_network, of_account) = (
        (
            "sign-in",
            "network",
            AttemptRule::FixedWindow(100),
            OnSuccess::Release,
        ),
        [
            (
                "sign-in",
                "account at network",
                AttemptRule::Backoff(5),
                OnSuccess::Reset,
            ),
            (
                "any-sign-in",
                "account at network",
                AttemptRule::FixedWindow(60),
                OnSuccess::Keep,
            ),
        ],
    );
    let everywhere = (
        "sign-in",
        "account everywhere",
        AttemptRule::Spaced(20),
        OnSuccess::Release,
    );
    let site = (
        "sign-in",
        "site",
        AttemptRule::FixedWindow(400),
        OnSuccess::Release,
    );
    let scopes = |from, known| {
        let attempts = settings.sign_in(&name, network(from), known);
        let ada = |attempt: &Attempt| {
            attempt
                .key
                .account
                .as_deref()
                .is_none_or(|key| key == "ada")
        };
        assert!(attempts.iter().all(ada));
        attempts.iter().map(scope).collect::<Vec<_>>()
    };
    let [wrong, any] = of_account;
    assert_eq!(
        scopes("192.0.2.7", false),
        [of_network, wrong, any, everywhere]
    );
    assert_eq!(scopes("192.0.2.7", true), [of_network, wrong, any]);
    assert_eq!(
        scopes("2001:db8::1", false),
        [site, of_network, wrong, any, everywhere]
    );
    let long = settings.sign_in(&LoginName::new(&"é".repeat(5_000)), network("::1"), false);
    let longest = long
        .iter()
        .filter_map(|attempt| attempt.key.account.as_ref());
    assert!(longest.into_iter().all(|name| name.chars().count() == NAME));
}

#[test]
fn a_registration_counts_for_its_network() {
    let settings = AttemptSettings::default();
    let scopes = |from| {
        let attempts = settings.registration(network(from));
        attempts.iter().map(scope).collect::<Vec<_>>()
    };
    let of_network = (
        "registration",
        "network",
        AttemptRule::FixedWindow(100),
        OnSuccess::Keep,
    );
    let site = (
        "registration",
        "site",
        AttemptRule::FixedWindow(400),
        OnSuccess::Keep,
    );
    assert_eq!(scopes("192.0.2.7"), [of_network]);
    assert_eq!(scopes("2001:db8::1"), [site, of_network]);
}

/// Guesses at one account from any number of networks: each is allowed or has to wait for seconds.
/// None is locked out for longer, and 15 minutes without attempts end the spacing.
#[test]
fn guesses_from_all_networks_are_spaced_and_never_locked_out() {
    let rule = AttemptRule::Spaced(20);
    let mut held = None;
    let mut waits = Vec::new();
    let mut now = 0;
    for _ in 0..27 {
        let count = decide_attempt(rule, held, at(now)).unwrap();
        held = Some(count);
        let open = (now..).find(|then| decide_attempt(rule, held, at(*then)).is_ok());
        waits.push(open.unwrap() - now);
        now = open.unwrap();
    }
    assert_eq!(waits[..19], [0; 19]);
    assert_eq!(waits[19..], [1, 2, 4, 8, 16, 16, 16, 16]);
    let quiet = at(now + 900);
    assert_eq!(decide_attempt(rule, held, quiet).unwrap().tries, 1);
}
