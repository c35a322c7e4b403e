//! Tables of the account rules.

use super::*;
use crate::identity::{IdentityRefusal, Password, TokenClaims, decide_session};
use crate::testing::{at, user};

fn account(is_active: bool, is_staff: bool) -> Account {
    Account {
        id: user(1),
        username: Username::new("ada").unwrap(),
        email: None,
        is_staff,
        is_active,
        session_epoch: 4,
        created_at: at(0),
    }
}

fn changed(attribute: AccountAttribute) -> EventKind {
    let user = user(1);
    EventKind::AccountChanged { user, attribute }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

#[test]
fn a_new_password_is_checked_against_the_rules() {
    let ada = Username::new("Ada.Lovelace").unwrap();
    for (text, problem) in [
        ("", Some(FieldError::Blank)),
        ("short", Some(FieldError::TooShort { min: 8 })),
        ("correct horse", None),
        (&*"é".repeat(128), None),
        (&*"é".repeat(129), Some(FieldError::TooLong { max: 128 })),
        ("ada.LOVELACE", Some(FieldError::PasswordIsUsername)),
        ("PassWord1", Some(FieldError::CommonPassword)),
        ("12345678", Some(FieldError::CommonPassword)),
        ("trust\0no1x", Some(FieldError::ControlCharacter)),
    ] {
        assert_eq!(Password::new(text, Some(&ada)).err(), problem, "{text:?}");
    }
}

#[test]
fn the_list_of_common_passwords_is_sorted() {
    assert!(include_str!("common_passwords.txt").lines().is_sorted());
}

#[test]
fn secrets_do_not_show() {
    let password = Password::new("correct horse", None).unwrap();
    assert_eq!(
        format!("{password:?} {:?}", hash("$2b$")),
        "Password(..) PasswordHash(..)"
    );
}

#[test]
fn a_new_password_ends_every_session() {
    let before = account(true, false);
    for (verified, allowed) in [(Some(4), true), (Some(3), false), (None, true)] {
        let command = ChangePassword {
            user: user(1),
            verified,
            new: hash("new"),
            at: at(1),
        };
        match decide_password(&command, Some(&before)) {
            Ok(decision) => {
                assert!(allowed);
                assert_eq!(decision.outcome.session_epoch, 5);
                let [update] = &*decision.changes.accounts else {
                    panic!("{decision:?}")
                };
                assert_eq!(update.password, Some(hash("new")));
                assert!(update.ends_sessions());
                let kind = changed(AccountAttribute::Password);
                let actor = verified.map(|_| user(1));
                assert_eq!(
                    (&decision.events[0].kind, decision.events[0].actor),
                    (&kind, actor)
                );
            }
            Err(refusal) => {
                assert!(!allowed);
                let wrong = Refusal::field("current_password", FieldError::WrongPassword);
                assert_eq!(refusal, wrong);
            }
        }
        assert_eq!(decide_password(&command, None), Err(Refusal::NotFound));
    }
}

#[test]
fn staff_reset_other_users() {
    let staff = Account {
        id: user(2),
        ..account(true, true)
    };
    let former = Account {
        is_staff: false,
        ..staff.clone()
    };
    let deactivated = Account {
        is_active: false,
        ..staff.clone()
    };
    let reset = |password: Option<&str>, of: i64, acting: Option<&Account>| {
        let command = ResetUser {
            by: user(2),
            user: user(of),
            password: password.map(hash),
            at: at(1),
        };
        let before = match of {
            1 => Some(account(false, false)),
            2 => Some(staff.clone()),
            _ => None,
        };
        decide_user_reset(&command, before.as_ref(), acting)
    };
    for (password, attribute) in [
        (Some("new"), AccountAttribute::Password),
        (None, AccountAttribute::Sessions),
    ] {
        let decision = reset(password, 1, Some(&staff)).unwrap();
        let [update] = &*decision.changes.accounts else {
            panic!("{decision:?}")
        };
        assert_eq!(update.password, password.map(hash));
        assert!(update.ends_sessions());
        assert_eq!(decision.outcome, update.after);
        assert!(!decision.outcome.is_active, "as before");
        let event = &decision.events[0];
        assert_eq!(
            (&event.kind, event.actor),
            (&changed(attribute), Some(user(2)))
        );
        assert_eq!(reset(password, 9, Some(&staff)), Err(Refusal::NotFound));
        assert_eq!(reset(password, 1, Some(&former)), Err(Refusal::Forbidden));
        for gone in [None, Some(&deactivated)] {
            assert_eq!(reset(password, 1, gone), Err(Refusal::InvalidToken));
        }
    }
    // The own password needs the current one; the own sessions need nothing.
    assert_eq!(reset(Some("x"), 2, Some(&staff)), Err(Refusal::Forbidden));
    assert!(reset(None, 2, Some(&staff)).is_ok());
}

#[test]
fn a_user_update_keeps_one_active_staff_user() {
    // (active, staff) before, the update, other active staff, (active, staff, epoch) after
    for (before, wish, others, expected) in [
        (
            (true, false),
            (Some(false), None),
            0,
            Some((false, false, 5)),
        ),
        (
            (false, false),
            (Some(true), None),
            0,
            Some((true, false, 4)),
        ),
        ((true, false), (None, Some(true)), 0, Some((true, true, 4))),
        ((true, true), (None, Some(false)), 1, Some((true, false, 4))),
        ((true, true), (None, Some(false)), 0, None),
        ((true, true), (Some(false), None), 0, None),
        ((true, true), (Some(false), None), 1, Some((false, true, 5))),
        ((true, true), (None, None), 0, Some((true, true, 4))),
        (
            (false, true),
            (None, Some(false)),
            0,
            Some((false, false, 4)),
        ),
    ] {
        let command = UpdateUser {
            by: None,
            user: user(1),
            change: UserChange {
                is_active: wish.0,
                is_staff: wish.1,
            },
            at: at(1),
        };
        let decided =
            decide_user_update(&command, Some(&account(before.0, before.1)), None, others);
        let seen = decided
            .as_ref()
            .ok()
            .map(|one| &one.outcome)
            .map(|a| (a.is_active, a.is_staff, a.session_epoch));
        if let Ok(decision) = &decided {
            let writes = before != (seen.unwrap().0, seen.unwrap().1);
            assert_eq!(decision.changes.accounts.len(), usize::from(writes));
            let kinds: Vec<_> = decision
                .events
                .iter()
                .map(|one| one.kind.name().as_str())
                .collect();
            assert_eq!(kinds, vec!["account.switched"; usize::from(writes)]);
        }
        assert_eq!(seen, expected, "{before:?} {wish:?} {others}");
        if let Err(refusal) = decided {
            assert_eq!(refusal, Refusal::Identity(IdentityRefusal::LastStaff));
        }
    }
}

#[test]
fn only_current_staff_update_users() {
    let command = UpdateUser {
        by: Some(user(2)),
        user: user(1),
        change: UserChange {
            is_active: None,
            is_staff: Some(true),
        },
        at: at(1),
    };
    let before = account(true, false);
    for (acting, expected) in [
        (Some((true, true)), None),
        (Some((true, false)), Some(Refusal::Forbidden)),
        (Some((false, true)), Some(Refusal::InvalidToken)),
        (Some((false, false)), Some(Refusal::InvalidToken)),
        (None, Some(Refusal::InvalidToken)),
    ] {
        let acting = acting.map(|(active, staff)| account(active, staff));
        let decided = decide_user_update(&command, Some(&before), acting.as_ref(), 1);
        assert_eq!(decided.err(), expected, "{acting:?}");
    }
}

#[test]
fn a_token_is_worth_what_its_account_is_worth_now() {
    let claims = TokenClaims {
        user: user(1),
        session_epoch: 4,
        issued_at: at(0),
        expires_at: at(60),
    };
    let ended = Account {
        session_epoch: 5,
        ..account(true, true)
    };
    for (account, expected) in [
        (Some(account(true, false)), Ok(Actor::Customer(user(1)))),
        (Some(account(true, true)), Ok(Actor::Staff(user(1)))),
        (Some(account(false, true)), Err(Refusal::InvalidToken)),
        (Some(ended), Err(Refusal::InvalidToken)),
        (None, Err(Refusal::InvalidToken)),
    ] {
        assert_eq!(decide_session(&claims, account.as_ref()), expected);
    }
}

#[test]
fn an_address_is_changed_if_it_is_free_and_the_password_is_current() {
    let command = |verified| ChangeEmail {
        user: user(1),
        verified,
        email: Email::new("ada@example.org").unwrap(),
        at: at(1),
    };
    let before = account(true, true);
    let after = Account {
        email: Some(command(4).email),
        ..before.clone()
    };
    let (free, taken) = (
        NameConflicts::default(),
        NameConflicts {
            email: true,
            ..NameConflicts::default()
        },
    );
    let wrong = Refusal::field("current_password", FieldError::WrongPassword);
    for (verified, account, conflicts, expected) in [
        (4, Some(&before), free, Ok(after)),
        (
            4,
            Some(&before),
            taken,
            Err(Refusal::field("email", FieldError::Taken)),
        ),
        // The answer reveals nothing about addresses in this case.
        (3, Some(&before), taken, Err(wrong)),
        (4, None, free, Err(Refusal::NotFound)),
    ] {
        let decided = decide_email(&command(verified), account, conflicts);
        if let Ok(decision) = &decided {
            assert_eq!(decision.events[0].kind, changed(AccountAttribute::Email));
            assert!(!decision.changes.accounts[0].ends_sessions());
        }
        assert_eq!(decided.map(|decision| decision.outcome), expected);
    }
}
