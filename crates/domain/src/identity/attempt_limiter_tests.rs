use super::*;
use crate::identity::{
    AttemptKey, IdentityRefusal, KNOWN_NETWORK_LIFE, KnownNetwork, LimitedAction,
    MockAttemptRepository,
};
use crate::kernel::Refusal;
use crate::kernel::{HashingFailed, MockClock, StoreError, StoreErrorKind};
use crate::testing::at;
use std::sync::Mutex;

fn somewhere() -> ClientNetwork {
    ClientNetwork::new([192, 0, 2, 7].into())
}

fn attempts(port: MockAttemptRepository) -> AttemptLimiter {
    let mut clock = MockClock::new();
    clock.expect_now().returning(|| at(60));
    AttemptLimiter::new(Arc::new(port), Arc::new(clock), AttemptSettings::default())
}

/// The scope of a count, in a word.
fn scope(key: &AttemptKey) -> &'static str {
    match (key.what, key.account.as_deref(), key.from) {
        (LimitedAction::SignIn, None, Some(_)) => "network",
        (LimitedAction::SignIn, Some("ada"), Some(_)) => "wrong",
        (LimitedAction::AnySignIn, Some("ada"), Some(_)) => "any",
        (LimitedAction::SignIn, Some("ada"), None) => "everywhere",
        (LimitedAction::Registration, None, Some(_)) => "registration",
        other => panic!("{other:?}"),
    }
}

type Log = Arc<Mutex<Vec<String>>>;

/// A port with this record of the network, that refuses counts of one scope, and logs its calls.
fn port(known: Option<KnownNetwork>, refused: &'static str) -> (MockAttemptRepository, Log) {
    let log = Log::default();
    let mut port = MockAttemptRepository::new();
    port.expect_known_network()
        .withf(|key| key.account == "ada" && key.network == somewhere())
        .returning(move |_| Ok(known));
    let say = |what: &'static str, log: &Log| {
        let log = Arc::clone(log);
        move |scope: &str| log.lock().unwrap().push(format!("{what} {scope}"))
    };
    let answer = move |attempt: &Attempt| {
        if scope(&attempt.key) == refused {
            Err(too_many().into())
        } else {
            Ok(())
        }
    };
    let (ask, count) = (say("ask", &log), say("count", &log));
    port.expect_check_attempt().returning(move |attempt, now| {
        assert_eq!(now, at(60));
        ask(scope(&attempt.key));
        answer(attempt)
    });
    port.expect_count_attempt().returning(move |attempt, now| {
        assert_eq!(now, at(60));
        count(scope(&attempt.key));
        answer(attempt)
    });
    let (release, reset) = (say("release", &log), say("reset", &log));
    port.expect_release().returning(move |key| {
        release(scope(key));
        Err(StoreError::new(StoreErrorKind::Busy))
    });
    port.expect_reset().returning(move |key| {
        reset(scope(key));
        Err(StoreError::new(StoreErrorKind::Busy))
    });
    let remember = say("remember", &log);
    port.expect_remember_network().returning(move |key, known| {
        assert_eq!((&*key.account, key.network), ("ada", somewhere()));
        assert_eq!(known.at, at(60));
        remember(if known.is_staff { "staff" } else { "customer" });
        Err(StoreError::new(StoreErrorKind::Busy))
    });
    (port, log)
}

fn known(is_staff: bool) -> Option<KnownNetwork> {
    Some(KnownNetwork {
        is_staff,
        at: at(0),
    })
}

fn logged(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}

fn too_many() -> Refusal {
    Refusal::Identity(IdentityRefusal::TooManyAttempts { seconds: 7 })
}

fn is_refused<T>(answer: &Result<T, Error>, expected: &Refusal) -> bool {
    matches!(answer, Err(Error::Refused(refusal)) if refusal == expected)
}

const COUNTED: [&str; 4] = [
    "count network",
    "count wrong",
    "count any",
    "count everywhere",
];

/// Also if the store cannot release anything: a count that is too high expires soon.
#[test]
fn a_right_password_ends_the_count_of_the_account_and_stays_counted_as_a_sign_in() {
    for is_staff in [false, true] {
        let (port, log) = port(None, "");
        let sign_in = |_: &i32| is_staff;
        let answer = attempts(port).sign_in("Ada", somewhere(), sign_in, || Ok(3));
        assert_eq!(answer.unwrap(), 3);
        let mut expected = COUNTED.to_vec();
        expected.extend(["release network", "reset wrong", "release everywhere"]);
        expected.push(if is_staff {
            "remember staff"
        } else {
            "remember customer"
        });
        assert_eq!(logged(&log), expected);
    }
}

#[test]
fn a_known_network_is_exempt_from_the_spacing_of_all_networks() {
    let (port, log) = port(known(false), "everywhere");
    let attempts = attempts(port);
    assert!(attempts.may_sign_in("ADA", somewhere()).is_ok());
    assert_eq!(logged(&log), ["ask network", "ask wrong", "ask any"]);
    let answer = attempts.sign_in("ADA", somewhere(), |()| false, || Ok(()));
    assert!(answer.is_ok());
    let mut expected = COUNTED[..3].to_vec();
    expected.extend(["release network", "reset wrong"]);
    assert_eq!(logged(&log), expected);
}

#[test]
fn a_known_network_expires() {
    let old = KnownNetwork {
        is_staff: true,
        at: at(60) - KNOWN_NETWORK_LIFE,
    };
    let (port, log) = port(Some(old), "");
    let attempts = attempts(port);
    let priority = attempts.may_sign_in("ada", somewhere()).unwrap();
    assert_eq!(priority, SignInPriority::Normal);
    assert!(logged(&log).contains(&"ask everywhere".to_owned()));
}

#[test]
fn staff_at_a_known_network_come_first() {
    for (known, expected) in [
        (None, SignInPriority::Normal),
        (known(false), SignInPriority::Normal),
        (known(true), SignInPriority::Staff),
    ] {
        let (port, _) = port(known, "");
        let priority = attempts(port).may_sign_in("ada", somewhere()).unwrap();
        assert_eq!(priority, expected, "{known:?}");
    }
}

#[test]
fn a_failed_attempt_stays_counted() {
    let (port, log) = port(None, "");
    let wrong = || Err::<(), _>(Refusal::Identity(IdentityRefusal::InvalidCredentials).into());
    let answer = attempts(port).sign_in("ADA", somewhere(), |()| false, wrong);
    assert!(is_refused(
        &answer,
        &Refusal::Identity(IdentityRefusal::InvalidCredentials)
    ));
    assert_eq!(logged(&log), COUNTED);
}

#[test]
fn an_attempt_that_could_not_be_checked_is_released() {
    let (port, log) = port(None, "");
    let failed = || Err::<(), _>(StoreError::new(StoreErrorKind::Unavailable).into());
    let answer = attempts(port).sign_in("ada", somewhere(), |()| false, failed);
    assert!(matches!(answer, Err(Error::Store(_))));
    let released = COUNTED.map(|counted| counted.replace("count", "release"));
    assert_eq!(logged(&log)[4..], released);
}

#[test]
fn one_too_many_is_refused_without_looking_at_the_password() {
    for (refused, before) in [("network", 0), ("wrong", 1), ("any", 2), ("everywhere", 3)] {
        let (port, log) = port(None, refused);
        let attempts = attempts(port);
        let check = || -> Result<(), Error> { panic!("the password was looked at") };
        let answer = attempts.sign_in("ada", somewhere(), |()| false, check);
        assert!(is_refused(&answer, &too_many()), "{refused}");
        // The attempts counted before are released.
        let released = COUNTED[..before].iter();
        let released: Vec<_> = released.map(|c| c.replace("count", "release")).collect();
        assert_eq!(logged(&log)[before + 1..], released);
        let answer = attempts.may_sign_in("ada", somewhere());
        assert!(is_refused(&answer, &too_many()), "{refused}");
    }
}

#[test]
fn another_address_counts_as_a_registration_however_it_ends() {
    for is_right in [false, true] {
        let (port, log) = port(known(false), "");
        let attempts = attempts(port);
        assert!(attempts.may_change_email("ada", somewhere()).is_ok());
        assert_eq!(logged(&log)[0], "ask registration");
        let check = || match is_right {
            true => Ok(()),
            false => Err(Refusal::NotFound.into()),
        };
        let answer = attempts.change_email("ada", somewhere(), |()| false, check);
        assert_eq!(answer.is_ok(), is_right);
        let log = logged(&log);
        assert_eq!(log[0], "count registration");
        assert_eq!(log[1..4], COUNTED[..3]);
        assert!(!log.contains(&"release registration".to_owned()));
    }
    let (port, _) = port(known(false), "registration");
    let attempts = attempts(port);
    let check = || -> Result<(), Error> { panic!("the password was looked at") };
    let answer = attempts.change_email("ada", somewhere(), |()| false, check);
    assert!(is_refused(&answer, &too_many()));
    assert!(attempts.may_change_email("ada", somewhere()).is_err());
}

#[test]
fn without_a_limit_nothing_is_counted() {
    let attempts = AttemptLimiter::unlimited();
    assert!(attempts.may_sign_in("ada", somewhere()).is_ok());
    assert!(attempts.may_register(somewhere()).is_ok());
    let wrong = || Err::<(), _>(Refusal::Identity(IdentityRefusal::InvalidCredentials).into());
    for answer in [
        attempts.sign_in("ada", somewhere(), |()| false, wrong),
        attempts.change_email("ada", somewhere(), |()| false, wrong),
        attempts.register(somewhere(), wrong),
    ] {
        let refused = matches!(
            answer,
            Err(Error::Refused(Refusal::Identity(
                IdentityRefusal::InvalidCredentials
            )))
        );
        assert!(refused);
    }
}

fn of_registrations(key: &AttemptKey) -> bool {
    key.what == LimitedAction::Registration
}

/// A port that counts one registration.
fn counting_one() -> MockAttemptRepository {
    let mut port = MockAttemptRepository::new();
    port.expect_count_attempt()
        .withf(|attempt, now| of_registrations(&attempt.key) && *now == at(60))
        .once()
        .returning(|_, _| Ok(()));
    port
}

#[test]
fn a_registration_stays_counted_however_it_ends() {
    let answer = attempts(counting_one()).register(somewhere(), || Ok(3));
    assert_eq!(answer.unwrap(), 3);
    let refused = || Err::<(), _>(Refusal::NotFound.into());
    let answer = attempts(counting_one()).register(somewhere(), refused);
    assert!(matches!(answer, Err(Error::Refused(_))));
}

#[test]
fn a_registration_that_could_not_be_hashed_is_released() {
    let mut port = counting_one();
    port.expect_release()
        .withf(of_registrations)
        .once()
        .returning(|_| Ok(()));
    let failed = || Err::<(), _>(Error::Hashing(HashingFailed("no".to_owned())));
    let answer = attempts(port).register(somewhere(), failed);
    assert!(matches!(answer, Err(Error::Hashing(_))));
}

#[test]
fn one_registration_too_many_is_refused_without_hashing() {
    let mut port = MockAttemptRepository::new();
    port.expect_count_attempt()
        .returning(|_, _| Err(too_many().into()));
    port.expect_check_attempt()
        .withf(|attempt, now| of_registrations(&attempt.key) && *now == at(60))
        .returning(|_, _| Err(too_many().into()));
    let attempts = attempts(port);
    let hash = || -> Result<(), Error> { panic!("the password was hashed") };
    for answer in [
        attempts.register(somewhere(), hash),
        attempts.may_register(somewhere()),
    ] {
        assert!(matches!(answer, Err(Error::Refused(refusal)) if refusal == too_many()));
    }
}
