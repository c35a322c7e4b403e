use super::users::switch;
pub use super::users::*;
use crate::{TestShop, at, hash, retry_busy};
use chrono::DateTime;
use tradepost_domain::Stores;
use tradepost_domain::identity::{
    Account, ChangeEmail, ChangePassword, Credentials, Email, Register, Username,
};
use tradepost_domain::kernel::{FieldError, Refusal, UserId, ValidationErrors};

pub(crate) fn register(name: &str, email: Option<&str>) -> Register {
    Register {
        username: Username::new(name).unwrap(),
        email: email.map(|email| Email::new(email).unwrap()),
        password: hash(name),
        is_staff: false,
        at: at(1),
    }
}

pub(crate) fn registered(stores: &Stores, command: &Register) -> Result<Account, Refusal> {
    retry_busy(|| stores.accounts.register(command.clone()))
}

pub(super) fn credentials(stores: &Stores, name: &str) -> Option<Credentials> {
    let key = Username::new(name).unwrap().key();
    retry_busy(|| stores.accounts.credentials(&key))
}

fn unknown_user() -> UserId {
    UserId::new(i64::MAX).unwrap()
}

/// A registered account is found by id and by username, with the registered values.
pub fn a_new_account_is_as_registered(stores: &Stores) {
    for (is_staff, name, email) in [
        (false, "Ada", Some("Ada@Example.org")),
        (true, "grace", None),
        (false, "no-address", None),
    ] {
        let command = Register {
            is_staff,
            ..register(name, email)
        };
        let account = registered(stores, &command).unwrap();
        let expected = Account {
            id: account.id,
            username: command.username.clone(),
            email: command.email.clone(),
            is_staff,
            is_active: true,
            session_epoch: account.session_epoch,
            created_at: at(1),
        };
        assert_eq!(account, expected);
        assert_eq!(TestShop::new(stores).account(account.id), expected);
        let stored = Credentials {
            account: expected,
            password: hash(name),
        };
        assert_eq!(credentials(stores, &name.to_uppercase()), Some(stored));
    }
}

/// An unknown user id or username yields `None`, and a command for it `NotFound`.
pub fn an_unknown_account_is_absent(stores: &Stores) {
    TestShop::new(stores).customer("ada");
    assert_eq!(retry_busy(|| stores.accounts.find(unknown_user())), None);
    assert_eq!(
        retry_busy(|| stores.accounts.find_all(&[unknown_user()])),
        []
    );
    assert_eq!(credentials(stores, "ad"), None);
    assert_eq!(retry_busy(|| stores.accounts.credentials("")), None);
    assert_eq!(retry_busy(|| stores.accounts.credentials("%")), None);
    assert_eq!(
        switch(stores, unknown_user(), Some(true), None),
        Err(Refusal::NotFound)
    );
    let command = ChangePassword {
        user: unknown_user(),
        verified: None,
        new: hash("new"),
        at: at(210),
    };
    let changed = retry_busy(|| stores.accounts.change_password(command.clone()));
    assert_eq!(changed, Err(Refusal::NotFound));
    retry_busy(|| {
        stores
            .accounts
            .renew_hash(unknown_user(), hash("old"), hash("new"))
    });
}

/// One query loads several accounts: each once, unknown ids left out.
pub fn accounts_are_found_together(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = ["ada", "grace", "joan"].map(|name| shop.customer(name));
    let found = |asked: &[UserId]| {
        let mut found = retry_busy(|| stores.accounts.find_all(asked));
        found.sort_by_key(|account| account.id);
        found
    };
    let accounts = users.map(|user| shop.account(user));
    let mut asked = vec![unknown_user()];
    asked.extend(users.iter().rev());
    asked.extend(users);
    assert_eq!(found(&asked), accounts);
    assert_eq!(found(&asked[1..2]), accounts[2..]);
    assert_eq!(found(&[]), []);
}

/// Usernames and e-mail addresses are unique, compared without case. The refusal names each field
/// that is taken.
pub fn taken_names_and_addresses_are_reported(stores: &Stores) {
    let taken = |fields: &[&'static str]| {
        let mut errors = ValidationErrors::default();
        for field in fields {
            errors.push(field, FieldError::Taken);
        }
        Some(Refusal::Invalid(errors))
    };
    for (name, email, expected) in [
        ("Ada", Some("ada@example.org"), None),
        ("aDA", None, taken(&["username"])),
        ("bob", Some("ADA@EXAMPLE.ORG"), taken(&["email"])),
        (
            "ADA",
            Some("Ada@example.org"),
            taken(&["username", "email"]),
        ),
        ("bob", None, None),
        ("carol", None, None),
        ("straße", Some("ß@example.org"), None),
        ("STRASSE", None, taken(&["username"])),
        ("dora", Some("SS@example.org"), taken(&["email"])),
        ("ΟΔΟΣ", None, None),
        ("οδος", None, taken(&["username"])),
        ("résumé", None, None),
        ("resume", None, None),
        ("ad", Some("ad@example.org"), None),
    ] {
        let refused = registered(stores, &register(name, email)).err();
        assert_eq!(refused, expected, "{name} {email:?}");
    }
    let ada = credentials(stores, "ada").unwrap();
    assert_eq!(
        (ada.account.username.as_str(), ada.password),
        ("Ada", hash("Ada"))
    );
    assert_eq!(
        credentials(stores, "dora"),
        None,
        "who was refused is not there"
    );
}

/// Usernames and addresses of any script and of maximum length are stored unchanged.
pub fn names_come_back_as_written(stores: &Stores) {
    for (name, email) in [
        ("李ß𠮷Əé@.+-_".chars().cycle().take(150).collect(), None),
        (
            "é".repeat(150),
            Some(format!("'%😀_{}@ex-ä.example", "x".repeat(50))),
        ),
        (
            "x".repeat(150),
            Some(format!("{}@{}.example", "y".repeat(64), "z".repeat(181))),
        ),
    ] {
        let command = register(&name, email.as_deref());
        let account = registered(stores, &command).unwrap();
        assert_eq!(
            (&account.username, &account.email),
            (&command.username, &command.email)
        );
        assert_eq!(TestShop::new(stores).account(account.id), account);
        let found = credentials(stores, &name).map(|found| found.account);
        assert_eq!(found, Some(account));
    }
    for micros in [0, 1, 999_999] {
        let command = Register {
            at: DateTime::from_timestamp(1_700_000_000, micros * 1_000).unwrap(),
            ..register(&format!("at{micros}"), None)
        };
        let account = registered(stores, &command).unwrap();
        assert_eq!(
            TestShop::new(stores).account(account.id).created_at,
            command.at
        );
    }
}

/// A new password replaces the old one and ends every session.
pub fn a_new_password_ends_every_session(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let before = shop.account(ada);
    let bystander = credentials(stores, "bob");
    for (ended, verified, new) in [
        (1, Some(before.session_epoch), "second"),
        (2, None, "third"),
    ] {
        let command = ChangePassword {
            user: ada,
            verified,
            new: hash(new),
            at: at(210),
        };
        let expected = Account {
            session_epoch: before.session_epoch + ended,
            ..before.clone()
        };
        let after = retry_busy(|| stores.accounts.change_password(command.clone()));
        assert_eq!(after, Ok(expected.clone()));
        assert_eq!(shop.account(ada), expected);
        assert_eq!(credentials(stores, "ada").unwrap().password, hash(new));
    }
    assert_eq!(credentials(stores, "bob"), bystander);
    assert_eq!(shop.account(bob).session_epoch, before.session_epoch);
}

/// A password change is refused if the password has changed since it was verified.
pub fn a_password_that_was_not_checked_stays(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let before = credentials(stores, "ada");
    let command = ChangePassword {
        user: ada,
        verified: Some(shop.account(ada).session_epoch - 1),
        new: hash("new"),
        at: at(210),
    };
    let changed = retry_busy(|| stores.accounts.change_password(command.clone()));
    let wrong = Refusal::field("current_password", FieldError::WrongPassword);
    assert_eq!(changed, Err(wrong));
    assert_eq!(credentials(stores, "ada"), before);
}

/// Rehashing replaces the password hash that it was made from with a stronger hash of the same
/// password. It ends no session, does not block a password change verified before it, and does
/// nothing if the password has changed.
pub fn a_renewed_hash_does_not_undo_a_change(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    shop.customer("bob");
    let before = credentials(stores, "ada").unwrap();
    retry_busy(|| {
        stores
            .accounts
            .renew_hash(ada, hash("ada"), hash("stronger"))
    });
    let checked = before.account.session_epoch;
    let renewed = Credentials {
        password: hash("stronger"),
        ..before
    };
    assert_eq!(credentials(stores, "ada"), Some(renewed));
    let command = ChangePassword {
        user: ada,
        verified: Some(checked),
        new: hash("changed"),
        at: at(210),
    };
    retry_busy(|| stores.accounts.change_password(command.clone())).unwrap();
    let changed = credentials(stores, "ada");
    retry_busy(|| {
        stores
            .accounts
            .renew_hash(ada, hash("stronger"), hash("too late"))
    });
    assert_eq!(credentials(stores, "ada"), changed);
    assert_eq!(credentials(stores, "bob").unwrap().password, hash("bob"));
}

/// A new e-mail address must not belong to another account. The old address becomes free.
pub fn an_address_is_changed(stores: &Stores) {
    let shop = TestShop::new(stores);
    let change = |user, email: &str| {
        let command = ChangeEmail {
            user,
            verified: 0,
            email: Email::new(email).unwrap(),
            at: at(210),
        };
        retry_busy(|| stores.accounts.change_email(command.clone()))
    };
    let ada = registered(stores, &register("ada", Some("ada@example.org"))).unwrap();
    let bob = registered(stores, &register("bob", None)).unwrap();
    let taken = Err(Refusal::field("email", FieldError::Taken));
    assert_eq!(change(bob.id, "ADA@example.org"), taken);
    assert_eq!(shop.account(bob.id), bob);
    for email in ["Ada@example.org", "countess@example.org"] {
        let expected = Account {
            email: Some(Email::new(email).unwrap()),
            ..ada.clone()
        };
        assert_eq!(change(ada.id, email), Ok(expected.clone()));
        assert_eq!(shop.account(ada.id), expected);
    }
    assert!(change(bob.id, "ADA@example.org").is_ok());
    assert_eq!(change(ada.id, "ada@EXAMPLE.org"), taken);
    assert_eq!(
        change(unknown_user(), "no@example.org"),
        Err(Refusal::NotFound)
    );
    let outdated = ChangeEmail {
        user: ada.id,
        verified: 1,
        email: Email::new("free@example.org").unwrap(),
        at: at(210),
    };
    let refused = retry_busy(|| stores.accounts.change_email(outdated.clone()));
    let wrong = Refusal::field("current_password", FieldError::WrongPassword);
    assert_eq!(refused, Err(wrong));
    assert_eq!(
        shop.account(ada.id).email,
        Email::new("countess@example.org").ok()
    );
    assert_eq!(credentials(stores, "ada").unwrap().password, hash("ada"));
    let again = registered(stores, &register("carol", Some("Countess@example.org")));
    assert!(again.is_err());
}
