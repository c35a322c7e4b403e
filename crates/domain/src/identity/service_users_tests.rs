//! Registration, changes of passwords, and updates of users.

use super::*;
use crate::identity::{
    ChangeEmail, ChangePassword, IdentityRefusal, UpdateUser, UserChange, UserFilter,
};
use crate::kernel::{FieldError, Page, PageRequest, UserSearch};

#[test]
fn a_registration_creates_a_customer_and_only_the_command_line_creates_staff() {
    for is_staff in [false, true] {
        let new = NewUser {
            username: Username::new("Ada").unwrap(),
            email: Email::new("ada@example.org").ok(),
            password: password("right password"),
        };
        let expected = Register {
            username: new.username.clone(),
            email: new.email.clone(),
            password: hash("of right"),
            is_staff,
            at: now(),
        };
        let mut ports = Ports::new();
        ports
            .hasher
            .expect_hash()
            .withf(|chosen| chosen.reveal() == "right password")
            .once()
            .returning(|_| Ok(hash("of right")));
        ports
            .accounts
            .expect_register()
            .withf(move |given| *given == expected)
            .once()
            .returning(|_| Ok(ada()));
        let accounts = ports.accounts();
        let made = if is_staff {
            accounts.create_staff(new)
        } else {
            accounts.register(new)
        };
        assert_eq!(made.unwrap(), ada());
    }
}

#[test]
fn a_registration_fails_without_a_hash_or_with_a_taken_name() {
    let new = || NewUser {
        username: Username::new("Ada").unwrap(),
        email: None,
        password: password("right password"),
    };
    let mut ports = Ports::new();
    let broken = || HashingFailed("no randomness".to_owned());
    ports.hasher.expect_hash().returning(move |_| Err(broken()));
    let answer = ports.accounts().register(new());
    assert!(matches!(answer, Err(Error::Hashing(_))), "{answer:?}");

    let taken = Refusal::field("username", FieldError::Taken);
    let answer = Err(taken.clone().into());
    let mut ports = Ports::new();
    ports.hasher.expect_hash().returning(|_| Ok(hash("any")));
    ports
        .accounts
        .expect_register()
        .returning(move |_| answer.clone());
    assert_eq!(refusal(ports.accounts().register(new())), taken);
}

#[test]
fn the_own_password_is_changed_with_the_current_one() {
    let mut ports = Ports::knowing(ada());
    ports
        .accounts
        .expect_find()
        .withf(|who| *who == user(1))
        .returning(|_| Ok(Some(ada())));
    ports
        .hasher
        .expect_hash()
        .withf(|chosen| chosen.reveal() == "new password")
        .once()
        .returning(|_| Ok(hash("of new")));
    let expected = ChangePassword {
        user: user(1),
        verified: Some(ada().session_epoch),
        new: hash("of new"),
        at: now(),
    };
    ports
        .accounts
        .expect_change_password()
        .withf(move |given| *given == expected)
        .once()
        .returning(|_| Ok(ada()));
    let new = password("new password");
    let actor = Actor::Customer(user(1));
    let changed = ports
        .accounts()
        .change_own_password(actor, "right password", &new);
    assert!(changed.is_ok(), "{changed:?}");
}

#[test]
fn the_own_password_is_not_changed_otherwise() {
    let new = password("new password");
    let nobody = Ports::new().accounts();
    let refused = nobody.change_own_password(Actor::Anonymous, "right password", &new);
    assert_eq!(refusal(refused), Refusal::Unauthenticated);

    let actor = Actor::Staff(user(1));
    let mut ports = Ports::new();
    ports.accounts.expect_find().returning(|_| Ok(None));
    let refused = ports
        .accounts()
        .change_own_password(actor, "right password", &new);
    assert_eq!(refusal(refused), Refusal::NotFound);

    let mut ports = Ports::knowing(ada());
    ports.accounts.expect_find().returning(|_| Ok(Some(ada())));
    let refused = ports
        .accounts()
        .change_own_password(actor, "wrong password", &new);
    let wrong = Refusal::field("current_password", FieldError::WrongPassword);
    assert_eq!(refusal(refused), wrong);
}

#[test]
fn the_command_line_resets_a_password_without_the_old_one() {
    let mut ports = Ports::knowing(ada());
    ports.hasher.expect_hash().returning(|_| Ok(hash("of new")));
    let expected = ChangePassword {
        user: user(1),
        verified: None,
        new: hash("of new"),
        at: now(),
    };
    ports
        .accounts
        .expect_change_password()
        .withf(move |given| *given == expected)
        .once()
        .returning(|_| Ok(ada()));
    let new = password("new password");
    let account = ports.accounts().reset_password(" ADA ", &new);
    assert_eq!(account.unwrap().id, user(1));

    let mut ports = Ports::new();
    ports.accounts.expect_credentials().returning(|_| Ok(None));
    let refused = ports.accounts().reset_password("nobody", &new);
    assert_eq!(refusal(refused), Refusal::NotFound);
}

#[test]
fn only_staff_update_users() {
    let change = UserChange {
        is_active: Some(false),
        is_staff: None,
    };
    for (actor, expected) in [
        (Actor::Anonymous, Refusal::Unauthenticated),
        (Actor::Customer(user(1)), Refusal::Forbidden),
    ] {
        let refused = Ports::new().accounts().switch(actor, user(1), change);
        assert_eq!(refusal(refused), expected);
    }
    for (answer, expected) in [
        (Ok(ada()), None),
        (
            Err(Refusal::Identity(IdentityRefusal::LastStaff)),
            Some(Refusal::Identity(IdentityRefusal::LastStaff)),
        ),
    ] {
        let mut ports = Ports::new();
        let command = UpdateUser {
            by: Some(user(9)),
            user: user(1),
            change,
            at: now(),
        };
        ports
            .accounts
            .expect_switch()
            .withf(move |given| *given == command)
            .once()
            .returning(move |_| Ok(answer.clone()?));
        let switched = ports
            .accounts()
            .switch(Actor::Staff(user(9)), user(1), change);
        match expected {
            None => assert_eq!(switched.unwrap(), ada()),
            Some(expected) => assert_eq!(refusal(switched), expected),
        }
    }
}

#[test]
fn has_staff_comes_from_the_port() {
    for has_staff in [false, true] {
        let mut ports = Ports::new();
        ports
            .accounts
            .expect_has_staff()
            .returning(move || Ok(has_staff));
        assert_eq!(ports.accounts().has_staff().ok(), Some(has_staff));
    }
}

#[test]
fn the_own_account_is_read() {
    let mut ports = Ports::new();
    let find = ports.accounts.expect_find().withf(|who| *who == user(1));
    find.once().returning(|_| Ok(Some(ada())));
    let own = ports.accounts().own(Actor::Customer(user(1)));
    assert_eq!(own.unwrap(), ada());
    let refused = Ports::new().accounts().own(Actor::Anonymous);
    assert_eq!(refusal(refused), Refusal::Unauthenticated);
}

#[test]
fn another_address_needs_the_current_password() {
    let actor = Actor::Customer(user(1));
    let email = || Email::new("ada@example.org").unwrap();
    let knowing = || {
        let mut ports = Ports::knowing(ada());
        let find = ports.accounts.expect_find();
        find.returning(|_| Ok(Some(ada())));
        ports
    };
    let mut ports = knowing();
    let expected = ChangeEmail {
        user: user(1),
        verified: ada().session_epoch,
        email: email(),
        at: now(),
    };
    let change = ports.accounts.expect_change_email();
    let change = change.withf(move |given| *given == expected);
    change.once().returning(|_| Ok(ada()));
    let changed = ports
        .accounts()
        .change_own_email(actor, "right password", email());
    assert_eq!(changed.unwrap(), ada());

    let refused = knowing()
        .accounts()
        .change_own_email(actor, "wrong password", email());
    let wrong = Refusal::field("current_password", FieldError::WrongPassword);
    assert_eq!(refusal(refused), wrong);
    let nobody = Ports::new().accounts();
    let refused = nobody.change_own_email(Actor::Anonymous, "right password", email());
    assert_eq!(refusal(refused), Refusal::Unauthenticated);
}

#[test]
fn users_are_for_staff_to_see() {
    let page = |number| PageRequest::new(number, 10).unwrap();
    let filter = UserFilter {
        search: UserSearch::new("ada").ok(),
    };
    for (actor, expected) in [
        (Actor::Anonymous, Refusal::Unauthenticated),
        (Actor::Customer(user(1)), Refusal::Forbidden),
    ] {
        let accounts = Ports::new().accounts();
        let listed = accounts.users(actor, filter.clone(), page(1));
        assert_eq!(refusal(listed), expected);
        assert_eq!(refusal(accounts.user(actor, user(1))), expected);
    }
    let staff = Actor::Staff(user(2));
    let mut ports = Ports::new();
    let searched = filter.clone();
    let list = ports.accounts.expect_list();
    list.withf(move |filter, _| *filter == searched)
        .returning(|_, _| {
            Ok(Page {
                count: 1,
                items: vec![ada()],
            })
        });
    let find = ports.accounts.expect_find();
    find.returning(|who| Ok((who == user(1)).then(ada)));
    let accounts = ports.accounts();
    let listed = accounts.users(staff, filter.clone(), page(1)).unwrap();
    assert_eq!(listed.items, [ada()]);
    let beyond = accounts.users(staff, filter, page(2));
    assert_eq!(refusal(beyond), Refusal::NotFound);
    assert_eq!(accounts.user(staff, user(1)).unwrap(), ada());
    assert_eq!(refusal(accounts.user(staff, user(9))), Refusal::NotFound);
}
