use super::*;
use crate::identity::Username;
use crate::testing::{at, user};

fn digest(byte: u8) -> RefreshDigest {
    RefreshDigest::new([byte; 32])
}

fn account() -> Account {
    Account {
        id: user(1),
        username: Username::new("ada").unwrap(),
        email: None,
        is_staff: false,
        is_active: true,
        session_epoch: 4,
        created_at: at(0),
    }
}

fn refresh(seconds: i64) -> Refresh {
    Refresh {
        token: digest(2),
        family: digest(1),
        next: digest(3),
        life: Duration::seconds(1_000),
        at: at(seconds),
    }
}

/// The second token of its family, issued at 100 seconds.
fn token() -> RefreshToken {
    RefreshToken {
        digest: digest(2),
        family: digest(1),
        user: user(1),
        session_epoch: 4,
        signed_in_at: at(0),
        issued_at: at(100),
        expires_at: at(1_100),
        used_at: None,
    }
}

#[test]
fn a_sign_in_begins_a_family() {
    let life = Duration::seconds(1_000);
    let first = RefreshToken::first(digest(1), &account(), life, at(0));
    let expected = RefreshToken {
        digest: digest(1),
        issued_at: at(0),
        expires_at: at(1_000),
        ..token()
    };
    assert_eq!(first, expected);
}

#[test]
fn a_refresh_rotates_refuses_or_ends_the_family() {
    let micro = Duration::microseconds(1);
    let (rotate, refuse, end) = ("rotate", "refuse", "end");
    // used at, sent at, decision
    for (used, sent, expected) in [
        (None, at(100), rotate),
        (None, at(1_100) - micro, rotate),
        (None, at(1_100), refuse),
        (None, at(9_999), refuse),
        (Some(at(200)), at(200), refuse),
        (Some(at(200)), at(195), refuse),
        (Some(at(200)), at(210), refuse),
        (Some(at(200)), at(210) + micro, end),
        (Some(at(200)), at(1_100) - micro, end),
        (Some(at(200)), at(9_999), end),
    ] {
        let token = RefreshToken {
            used_at: used,
            ..token()
        };
        let command = Refresh {
            at: sent,
            ..refresh(0)
        };
        let decision = decide_refresh(&command, Some(&token), Some(&account()));
        let refused = Decision::of(Err(Refusal::InvalidToken));
        let seen = match &decision.outcome {
            Ok(_) => rotate,
            Err(_) if decision == refused => refuse,
            Err(_) if decision == ending(refused, digest(1)) => end,
            Err(_) => panic!("{decision:?}"),
        };
        assert_eq!(seen, expected, "{used:?} {sent}");
    }
}

#[test]
fn the_next_one_is_of_the_same_family_and_session() {
    let decided = decide_refresh(&refresh(500), Some(&token()), Some(&account()));
    let next = RefreshToken {
        digest: digest(3),
        issued_at: at(500),
        expires_at: at(1_500),
        ..token()
    };
    let used = UsedToken {
        digest: digest(2),
        family: digest(1),
        at: at(500),
        forget: at(500) - USED_LIFE,
    };
    assert_eq!(decided.outcome, Ok(account()));
    assert_eq!(decided.changes.new_refresh_tokens, [next]);
    assert_eq!(decided.changes.used_refresh_tokens, [used]);
}

#[test]
fn a_purged_token_ends_its_family() {
    let command = Refresh {
        token: digest(9),
        ..refresh(500)
    };
    let decided = decide_refresh(&command, Some(&token()), Some(&account()));
    assert_eq!(decided.changes.ended_families, [digest(1)]);
    assert!(USED_LIFE > REUSE_GRACE);
}

#[test]
fn a_deactivated_user_or_an_ended_session_cannot_refresh() {
    let off = Account {
        is_active: false,
        ..account()
    };
    let later = Account {
        session_epoch: 5,
        ..account()
    };
    let used = RefreshToken {
        used_at: Some(at(100)),
        ..token()
    };
    for token in [token(), used] {
        for account in [Some(&off), Some(&later), None] {
            let decided = decide_refresh(&refresh(500), Some(&token), account);
            let refused = Decision::of(Err(Refusal::InvalidToken));
            assert_eq!(decided, refused, "{account:?}");
        }
    }
    let unknown = decide_refresh(&refresh(500), None, None);
    assert_eq!(unknown, Decision::of(Err(Refusal::InvalidToken)));
}

#[test]
fn no_family_outlives_its_year() {
    let sent = at(0) + LONGEST_FAMILY - Duration::seconds(10);
    let command = Refresh {
        at: sent,
        ..refresh(0)
    };
    let token = RefreshToken {
        expires_at: DateTime::<Utc>::MAX_UTC,
        ..token()
    };
    let decided = decide_refresh(&command, Some(&token), Some(&account()));
    let next = &decided.changes.new_refresh_tokens[0];
    assert_eq!(next.expires_at, at(0) + LONGEST_FAMILY);
    let endless = RefreshToken::first(digest(1), &account(), Duration::MAX, at(0));
    assert_eq!(endless.expires_at, at(0) + LONGEST_FAMILY);
}

#[test]
fn digests_round_trip_through_text() {
    let mut bytes = [7; 32];
    bytes[0] = 0xab;
    let text = RefreshDigest::new(bytes).to_string();
    assert!(text.starts_with("ab07") && text.len() == 64, "{text}");
    assert_eq!(RefreshDigest::parse(&text), Some(RefreshDigest::new(bytes)));
    let signs = "+7".repeat(32);
    for wrong in ["", "ab", &text[1..], &"é".repeat(32), &signs] {
        assert_eq!(RefreshDigest::parse(wrong), None, "{wrong:?}");
    }
}

#[test]
fn a_user_has_a_bounded_number_of_families() {
    let families = |number: u8| (1..=number).map(digest);
    let ended = |number| {
        let decision = decide_new_family(token(), families(number));
        assert_eq!(decision.changes.new_refresh_tokens, [token()]);
        decision.changes.ended_families
    };
    assert_eq!(ended(0), []);
    assert_eq!(ended(99), []);
    assert_eq!(ended(100), [digest(100)]);
    let rest: Vec<_> = (100..=130).map(digest).collect();
    assert_eq!(ended(130), rest);
}
