use super::*;
use crate::Refusal;
use crate::testing::at;
use crate::{
    AttemptKey, Attempted, HashingFailed, MockAttemptRepository, MockClock, StoreError,
    StoreErrorKind,
};
use mockall::Sequence;

fn somewhere() -> Whereabouts {
    Whereabouts::of([192, 0, 2, 7].into())
}

fn attempts(port: MockAttemptRepository) -> Attempts {
    let mut clock = MockClock::new();
    clock.expect_now().returning(|| at(60));
    Attempts::new(Arc::new(port), Arc::new(clock), AttemptSettings::default())
}

fn of_place(key: &AttemptKey) -> bool {
    key.account.is_none()
}

fn of_ada(key: &AttemptKey) -> bool {
    key.account.as_deref() == Some("ada")
}

/// A port that counts the place first, and then the account.
fn counting() -> MockAttemptRepository {
    let mut port = MockAttemptRepository::new();
    let mut order = Sequence::new();
    for key in [of_place, of_ada] {
        port.expect_count_try()
            .withf(move |attempt, now| key(&attempt.key) && *now == at(60))
            .once()
            .in_sequence(&mut order)
            .returning(|_, _| Ok(Ok(())));
    }
    port
}

fn too_many() -> Refusal {
    Refusal::TooManyAttempts { seconds: 7 }
}

#[test]
fn a_right_try_ends_the_count_of_the_account_and_gives_one_back_to_the_place() {
    let mut port = counting();
    port.expect_forgive()
        .withf(of_ada)
        .once()
        .returning(|_| Ok(()));
    port.expect_give_back()
        .withf(of_place)
        .once()
        .returning(|_| Ok(()));
    let answer = attempts(port).sign_in("Ada", somewhere(), || Ok(3));
    assert_eq!(answer.unwrap(), 3);
}

#[test]
fn what_cannot_be_taken_back_is_no_failure() {
    let mut port = counting();
    let busy = || Err(StoreError::new(StoreErrorKind::Busy));
    port.expect_forgive().returning(move |_| busy());
    port.expect_give_back().returning(move |_| busy());
    assert!(
        attempts(port)
            .sign_in("Ada", somewhere(), || Ok(()))
            .is_ok()
    );
}

#[test]
fn a_wrong_try_stays_counted() {
    let wrong = || Err::<(), _>(Refusal::InvalidCredentials.into());
    let answer = attempts(counting()).sign_in("ADA", somewhere(), wrong);
    let refused = matches!(answer, Err(ShopError::Refused(Refusal::InvalidCredentials)));
    assert!(refused);
}

#[test]
fn a_try_that_could_not_be_checked_is_given_back() {
    let mut port = counting();
    port.expect_give_back().times(2).returning(|_| Ok(()));
    let failed = || Err::<(), _>(StoreError::new(StoreErrorKind::Unavailable).into());
    let answer = attempts(port).sign_in("ada", somewhere(), failed);
    assert!(matches!(answer, Err(ShopError::Store(_))));
}

#[test]
fn one_too_many_is_refused_without_looking_at_the_password() {
    let mut port = MockAttemptRepository::new();
    port.expect_count_try().returning(|attempt, _| {
        Ok(if of_place(&attempt.key) {
            Ok(())
        } else {
            Err(too_many())
        })
    });
    port.expect_give_back()
        .withf(of_place)
        .once()
        .returning(|_| Ok(()));
    let check = || -> Result<(), ShopError> { panic!("the password was looked at") };
    let answer = attempts(port).sign_in("ada", somewhere(), check);
    assert!(matches!(answer, Err(ShopError::Refused(refusal)) if refusal == too_many()));
}

#[test]
fn asking_first_looks_at_both_counts() {
    for refused in [of_place, of_ada] {
        let mut port = MockAttemptRepository::new();
        port.expect_may_try().returning(move |attempt, _| {
            Ok(if refused(&attempt.key) {
                Err(too_many())
            } else {
                Ok(())
            })
        });
        let answer = attempts(port).may_sign_in("Ada", somewhere());
        assert!(matches!(answer, Err(ShopError::Refused(refusal)) if refusal == too_many()));
    }
    let mut port = MockAttemptRepository::new();
    port.expect_may_try().times(2).returning(|_, _| Ok(Ok(())));
    assert!(attempts(port).may_sign_in("Ada", somewhere()).is_ok());
}

#[test]
fn without_a_limit_nothing_is_counted() {
    let attempts = Attempts::unlimited();
    assert!(attempts.may_sign_in("ada", somewhere()).is_ok());
    assert!(attempts.may_register(somewhere()).is_ok());
    let wrong = || Err::<(), _>(Refusal::InvalidCredentials.into());
    for answer in [
        attempts.sign_in("ada", somewhere(), wrong),
        attempts.register(somewhere(), wrong),
    ] {
        let refused = matches!(answer, Err(ShopError::Refused(Refusal::InvalidCredentials)));
        assert!(refused);
    }
}

fn of_registrations(key: &AttemptKey) -> bool {
    key.what == Attempted::Registration
}

/// A port that counts one registration.
fn counting_one() -> MockAttemptRepository {
    let mut port = MockAttemptRepository::new();
    port.expect_count_try()
        .withf(|attempt, now| of_registrations(&attempt.key) && *now == at(60))
        .once()
        .returning(|_, _| Ok(Ok(())));
    port
}

#[test]
fn a_registration_stays_counted_however_it_ends() {
    let answer = attempts(counting_one()).register(somewhere(), || Ok(3));
    assert_eq!(answer.unwrap(), 3);
    let refused = || Err::<(), _>(Refusal::NotFound.into());
    let answer = attempts(counting_one()).register(somewhere(), refused);
    assert!(matches!(answer, Err(ShopError::Refused(_))));
}

#[test]
fn a_registration_that_could_not_be_begun_is_given_back() {
    let mut port = counting_one();
    port.expect_give_back()
        .withf(of_registrations)
        .once()
        .returning(|_| Ok(()));
    let failed = || Err::<(), _>(ShopError::Hashing(HashingFailed("no".to_owned())));
    let answer = attempts(port).register(somewhere(), failed);
    assert!(matches!(answer, Err(ShopError::Hashing(_))));
}

#[test]
fn one_registration_too_many_is_refused_without_hashing() {
    let mut port = MockAttemptRepository::new();
    port.expect_count_try()
        .returning(|_, _| Ok(Err(too_many())));
    port.expect_may_try()
        .withf(|attempt, now| of_registrations(&attempt.key) && *now == at(60))
        .returning(|_, _| Ok(Err(too_many())));
    let attempts = attempts(port);
    let hash = || -> Result<(), ShopError> { panic!("the password was hashed") };
    for answer in [
        attempts.register(somewhere(), hash),
        attempts.may_register(somewhere()),
    ] {
        assert!(matches!(answer, Err(ShopError::Refused(refusal)) if refusal == too_many()));
    }
}
