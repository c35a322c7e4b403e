use super::*;
use crate::testing::{AccountBuilder, at};

const DIGEST: SessionDigest = SessionDigest::new([7; 32]);

fn grace() -> Account {
    AccountBuilder::new(1).username("grace").staff().build()
}

fn hours(count: i64) -> DateTime<Utc> {
    at(0) + Duration::hours(count)
}

#[test]
fn only_active_staff_may_sign_in() {
    let customer = Account {
        is_staff: false,
        ..grace()
    };
    let deactivated = Account {
        is_active: false,
        ..grace()
    };
    for (account, refusal) in [
        (customer, Refusal::Forbidden),
        (deactivated, Refusal::InvalidToken),
    ] {
        assert_eq!(decide_sign_in(&account, DIGEST, at(0)), Err(refusal));
    }
    let session = decide_sign_in(&grace(), DIGEST, at(0)).unwrap();
    assert_eq!(session.expires_at, hours(12));
}

#[test]
fn a_session_ends_when_it_is_unused_for_half_a_day_or_a_week_old() {
    let mut session = decide_sign_in(&grace(), DIGEST, at(0)).unwrap();
    let account = grace();
    let expired = Err(Refusal::InvalidToken);
    assert_eq!(decide_use(&session, Some(&account), hours(12)), expired);
    let mut now = at(0);
    while let Ok(used) = decide_use(&session, Some(&account), now) {
        session = used.unwrap_or(session);
        now += Duration::hours(11);
    }
    assert_eq!(now, hours(176));
    assert_eq!(session.expires_at, hours(168));
}

#[test]
fn a_session_ends_with_the_role_and_the_sessions_of_its_account() {
    let session = decide_sign_in(&grace(), DIGEST, at(0)).unwrap();
    let check = |account: Option<Account>| decide_use(&session, account.as_ref(), at(1));
    assert_eq!(check(Some(grace())), Ok(None));
    let change = |change: fn(&mut Account)| {
        let mut account = grace();
        change(&mut account);
        Some(account)
    };
    for (account, refusal) in [
        (None, Refusal::InvalidToken),
        (change(|a| a.is_active = false), Refusal::InvalidToken),
        (change(|a| a.session_epoch += 1), Refusal::InvalidToken),
        (change(|a| a.is_staff = false), Refusal::Forbidden),
    ] {
        assert_eq!(check(account.clone()), Err(refusal), "{account:?}");
    }
}

#[test]
fn the_use_of_a_session_is_recorded_every_five_minutes() {
    let session = decide_sign_in(&grace(), DIGEST, at(0)).unwrap();
    for (seconds, recorded) in [(0, false), (299, false), (300, true)] {
        let used = decide_use(&session, Some(&grace()), at(seconds)).unwrap();
        assert_eq!(used.is_some(), recorded, "{seconds}");
    }
}

#[test]
fn the_least_recently_used_sessions_make_room() {
    let digests = |count: u8| (0..count).map(|at| SessionDigest::new([at; 32]));
    assert_eq!(decide_ended_sessions(digests(19)), []);
    let ended: Vec<_> = digests(21).skip(19).collect();
    assert_eq!(decide_ended_sessions(digests(21)), ended);
}
