//! Confusable usernames, and usernames that are e-mail addresses.

use crate::cases::accounts::{register, registered};
use crate::retry_busy;
use tradepost_domain::Stores;
use tradepost_domain::identity::{ChangeEmail, Email, Register};
use tradepost_domain::kernel::{FieldError, Refusal};

/// A new username that is confusable with that of another account is refused, in either order and
/// in every script. Existing accounts keep their names.
pub fn names_that_look_alike_are_refused(stores: &Stores) {
    let too_similar = |name: &str| {
        let refused = registered(stores, &register(name, None));
        let expected = Refusal::field("username", FieldError::TooSimilar);
        assert_eq!(refused, Err(expected), "{name}");
    };
    registered(stores, &register("Admin", None)).unwrap();
    for name in ["аdmin", "ADМIN", "admln", "ADM1N", "adrnin"] {
        too_similar(name);
    }
    let taken = Err(Refusal::field("username", FieldError::Taken));
    assert_eq!(registered(stores, &register("ＡＤＭＩＮ", None)), taken);
    registered(stores, &register("раураl", None)).unwrap();
    too_similar("paypal");
    for name in ["ádmin", "admins", "paypa"] {
        registered(stores, &register(name, None)).unwrap();
    }
    let command = Register {
        is_staff: true,
        ..register("admın", None)
    };
    assert!(
        registered(stores, &command).is_err(),
        "staff are no exception"
    );
}

/// A username must not equal the e-mail address of another account, in any spelling and in either
/// order. An account may use its own address.
pub fn a_username_is_no_address_of_another_account(stores: &Stores) {
    let taken = |field| Some(Refusal::field(field, FieldError::Taken));
    registered(stores, &register("ada", Some("Amélie@example.org"))).unwrap();
    for name in [
        "amélie@example.org",
        "AMÉLIE@EXAMPLE.ORG",
        "ａme\u{301}lie@example.org",
    ] {
        let refused = registered(stores, &register(name, None)).err();
        assert_eq!(refused, taken("username"), "{name}");
    }
    let both = register("Bob@example.org", Some("bob@example.org"));
    let bob = registered(stores, &both).unwrap();
    for email in ["BOB@example.org", "ｂob@example.org", "𝐛ob@example.org"] {
        let refused = registered(stores, &register("carol", Some(email))).err();
        assert_eq!(refused, taken("email"), "{email}");
    }
    let change = |user, email: &str| {
        let command = ChangeEmail {
            user,
            verified: 0,
            email: Email::new(email).unwrap(),
            at: crate::at(210),
        };
        retry_busy(|| stores.accounts.change_email(command.clone()))
    };
    // The address is released, the username is not.
    assert!(change(bob.id, "other@example.org").is_ok());
    let carol = registered(stores, &register("carol", None)).unwrap();
    assert_eq!(change(carol.id, "BOB@example.org").err(), taken("email"));
    assert!(change(bob.id, "Bob@Example.org").is_ok());
    assert!(change(carol.id, "other@example.org").is_ok());
}
