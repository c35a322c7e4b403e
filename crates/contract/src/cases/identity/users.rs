//! Users as staff see and change them.

use super::accounts::{credentials, register, registered};
use crate::{TestShop, at, first_page, hash, page, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::identity::{Account, IdentityRefusal, UpdateUser, UserChange, UserFilter};
use tradepost_domain::kernel::{Refusal, UserId, UserSearch};

pub(super) fn switch(
    stores: &Stores,
    user: UserId,
    active: Option<bool>,
    staff: Option<bool>,
) -> Result<Account, Refusal> {
    let command = UpdateUser {
        by: None,
        user,
        change: UserChange {
            is_active: active,
            is_staff: staff,
        },
        at: at(210),
    };
    retry_busy(|| stores.accounts.switch(command))
}

/// Accounts are activated and deactivated, and promoted to staff and demoted. Deactivation ends
/// every session of the user.
pub fn users_are_activated_and_promoted(stores: &Stores) {
    let shop = TestShop::new(stores);
    shop.staff("grace");
    let ada = shop.customer("ada");
    let mut expected = shop.account(ada);
    for (active, staff, ends) in [
        (None, Some(true), 0),
        (Some(false), None, 1),
        (Some(false), Some(false), 0),
        (Some(true), None, 0),
        (None, None, 0),
        (Some(false), Some(true), 1),
    ] {
        expected = Account {
            is_active: active.unwrap_or(expected.is_active),
            is_staff: staff.unwrap_or(expected.is_staff),
            session_epoch: expected.session_epoch + ends,
            ..expected
        };
        assert_eq!(switch(stores, ada, active, staff), Ok(expected.clone()));
        assert_eq!(shop.account(ada), expected);
        let found = credentials(stores, "ada").unwrap();
        assert_eq!(
            found.account, expected,
            "who is switched off is still there"
        );
        assert_eq!(found.password, hash("ada"));
    }
}

/// Once a shop has an active staff user, the last one cannot be demoted or deactivated.
pub fn a_shop_keeps_its_last_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let has_staff = || retry_busy(|| stores.accounts.has_staff());
    shop.customer("ada");
    assert!(!has_staff());
    let grace = shop.staff("grace");
    assert!(has_staff());
    let before = shop.account(grace);
    for (active, staff) in [
        (Some(false), None),
        (None, Some(false)),
        (Some(false), Some(true)),
    ] {
        assert_eq!(
            switch(stores, grace, active, staff),
            Err(Refusal::Identity(IdentityRefusal::LastStaff))
        );
        assert_eq!(shop.account(grace), before);
    }
    let alan = shop.staff("alan");
    switch(stores, alan, Some(false), None).unwrap();
    let refused = switch(stores, grace, None, Some(false));
    assert_eq!(
        refused,
        Err(Refusal::Identity(IdentityRefusal::LastStaff)),
        "one who is switched off does not count"
    );
    switch(stores, alan, Some(true), None).unwrap();
    assert!(switch(stores, grace, Some(false), None).is_ok());
    assert!(has_staff());
    assert_eq!(
        switch(stores, alan, Some(false), None),
        Err(Refusal::Identity(IdentityRefusal::LastStaff))
    );
}

/// Accounts are listed newest first, in pages, deactivated accounts included.
pub fn users_are_listed_newest_first(stores: &Stores) {
    let shop = TestShop::new(stores);
    let listed = |number, size| {
        let request = page(number, size);
        retry_busy(|| stores.accounts.list(UserFilter::default(), request))
    };
    assert_eq!((listed(1, 10).count, listed(1, 10).items.len()), (0, 0));
    shop.staff("grace");
    let mut ids = shop.customers(4);
    ids.reverse();
    switch(stores, ids[0], Some(false), None).unwrap();
    let first = listed(1, 3);
    assert_eq!(first.count, 5);
    let accounts: Vec<_> = ids[..3].iter().map(|id| shop.account(*id)).collect();
    assert_eq!(first.items, accounts);
    assert_eq!(listed(2, 3).items.len(), 2);
    assert_eq!((listed(3, 3).count, listed(3, 3).items.len()), (5, 0));
}

/// The search text is a substring of the username or of the e-mail address, compared without case.
/// Every character is literal: there are no wildcards.
pub fn users_are_found_by_part_of_a_name(stores: &Stores) {
    for (name, email) in [
        ("Ada", Some("countess@example.org")),
        ("bob_b", None),
        ("bobxb", Some("100%@example.org")),
        ("ÉLODIE", Some("a\'b@straße.example")),
        ("οδος", Some("Bob@example.org")),
    ] {
        registered(stores, &register(name, email)).unwrap();
    }
    for (search, expected) in [
        ("ada", &["Ada"][..]),
        ("COUNT", &["Ada"]),
        ("b_b", &["bob_b"]),
        ("bob", &["οδος", "bobxb", "bob_b"]),
        ("%", &["bobxb"]),
        ("0%@", &["bobxb"]),
        ("élo", &["ÉLODIE"]),
        ("elo", &[]),
        ("STRASSE", &["ÉLODIE"]),
        ("\'", &["ÉLODIE"]),
        ("\\", &[]),
        ("ΟΔΟΣ", &["οδος"]),
        ("@", &["οδος", "ÉLODIE", "bobxb", "Ada"]),
        ("ada countess", &[]),
    ] {
        let filter = UserFilter {
            search: Some(UserSearch::new(search).unwrap()),
        };
        let found = retry_busy(|| stores.accounts.list(filter.clone(), first_page()));
        let names: Vec<_> = found.items.iter().map(|a| a.username.as_str()).collect();
        assert_eq!(names, expected, "{search}");
        assert_eq!(found.count, u64::try_from(expected.len()).unwrap());
    }
}
