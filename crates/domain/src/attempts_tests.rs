use super::*;
use crate::testing::at;

const ACCOUNT: AttemptRule = AttemptRule::Growing(5);
const PLACE: AttemptRule = AttemptRule::PerWindow(3);

/// What becomes of tries at these seconds: how many are counted, or for how long to wait.
fn tried(rule: AttemptRule, times: &[i64]) -> Vec<Result<u32, u64>> {
    let mut held = None;
    let mut answers = Vec::new();
    for time in times {
        answers.push(match decide_attempt(rule, held, at(*time)) {
            Ok(count) => {
                held = Some(count);
                Ok(count.tries)
            }
            Err(Refusal::TooManyAttempts { seconds }) => Err(seconds),
            Err(other) => panic!("{other:?}"),
        });
    }
    answers
}

#[test]
fn five_tries_at_an_account_are_free_and_then_the_wait_doubles() {
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
fn the_wait_is_an_hour_at_most_and_tries_in_vain_do_not_prolong_it() {
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
fn after_a_quarter_of_an_hour_of_quiet_it_begins_anew() {
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
fn a_place_has_so_many_in_a_quarter_of_an_hour() {
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
    for rule in [ACCOUNT, PLACE] {
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
fn a_count_from_a_wrong_clock_locks_nobody_out() {
    for rule in [ACCOUNT, PLACE] {
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
fn what_was_given_back_counts_nothing() {
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

#[test]
fn whereabouts_as_a_table() {
    for (address, expected) in [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("2001:db8:1:3::", "2001:db8:1:3::"),
        ("::1", "::"),
    ] {
        let place = Whereabouts::of(address.parse().unwrap());
        assert_eq!(place.address().to_string(), expected);
    }
}

#[test]
fn a_sign_in_counts_for_its_place_and_for_the_account_and_a_registration_for_its_place() {
    let place = Whereabouts::of("192.0.2.7".parse().unwrap());
    let settings = AttemptSettings::default();
    let [of_place, of_account] = settings.sign_in("  ADA ", place);
    assert_eq!((&of_place.key.account, of_place.key.from), (&None, place));
    assert_eq!(of_account.key.account.as_deref(), Some("ada"));
    assert_eq!(of_account.rule, AttemptRule::Growing(5));
    let registration = settings.registration(place).key;
    assert_eq!(
        (registration.account.as_ref(), registration.from),
        (None, place)
    );
    assert_ne!(registration, of_place.key);
    let [_, long] = settings.sign_in(&"é".repeat(5_000), place);
    assert_eq!(long.key.account.unwrap().chars().count(), NAME);
}
