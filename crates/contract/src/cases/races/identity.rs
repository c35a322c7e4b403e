//! Races for unique values, and for the last staff user.

use crate::{TestShop, at as moment, draft, first_page, hash, race, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{ProductChange, ProductDraft, ProductList};
use tradepost_domain::identity::{
    ChangePassword, Email, IdentityRefusal, Register, UpdateUser, UserChange, Username,
};
use tradepost_domain::kernel::{FieldError, Refusal, Sku, UserId};

const RACERS: usize = 8;

/// A SKU wanted concurrently, by new and existing products, goes to one of them.
pub fn one_sku_goes_to_one_product(stores: &Stores) {
    let shop = TestShop::new(stores);
    let old: Vec<_> = (0..RACERS / 2).map(|_| shop.product(100, 0)).collect();
    for sku in ["MUG", "CUP", "POT"] {
        let sku = Some(Sku::new(sku).unwrap());
        let answers = race(RACERS, |at| match old.get(at) {
            Some(product) => {
                let change = ProductChange {
                    sku: Some(sku.clone()),
                    ..ProductChange::default()
                };
                shop.change(*product, change)
            }
            None => shop.create(ProductDraft {
                sku: sku.clone(),
                ..draft("A thing", 100, 1)
            }),
        });
        let holders: Vec<_> = answers.iter().flatten().map(|product| product.id).collect();
        assert_eq!(holders.len(), 1);
        for refusal in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refusal, Refusal::field("sku", FieldError::Taken));
        }
        let page = retry_busy(|| stores.products.list(&ProductList::default(), first_page()));
        let with_it = page.items.iter().filter(|product| product.sku == sku);
        assert_eq!(
            with_it.map(|product| product.id).collect::<Vec<_>>(),
            holders
        );
    }
}

/// A username or address wanted concurrently, in any case, goes to one account.
pub fn one_username_goes_to_one_account(stores: &Stores) {
    let names = ["grace", "GRACE", "Grace", "gracE"];
    let by_name = race(RACERS, |at| {
        (names[at % 4].to_owned(), format!("g{at}@example.org"))
    });
    let addresses = [
        "ada@example.org",
        "ADA@example.org",
        "ada@EXAMPLE.org",
        "aDa@example.org",
    ];
    let by_email = race(RACERS, |at| {
        (format!("ada{at}"), addresses[at % 4].to_owned())
    });
    for (wishes, field) in [(by_name, "username"), (by_email, "email")] {
        let answers = race(RACERS, |at| {
            let (username, email) = &wishes[at];
            let command = Register {
                username: Username::new(username).unwrap(),
                email: Some(Email::new(email).unwrap()),
                password: hash(&at.to_string()),
                is_staff: false,
                at: moment(0),
            };
            retry_busy(|| stores.accounts.register(command.clone()))
        });
        assert_eq!(answers.iter().flatten().count(), 1, "{answers:?}");
        for refusal in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refusal, Refusal::field(field, FieldError::Taken));
        }
    }
    assert!(retry_busy(|| stores.accounts.credentials("grace")).is_some());
}

/// Of several password changes that verified the same current password, one succeeds.
pub fn one_checked_password_is_changed_once(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let before = shop.account(user);
    let answers = race(RACERS, |at| {
        let command = ChangePassword {
            user,
            verified: Some(before.session_epoch),
            new: hash(&format!("new{at}")),
            at: crate::at(210),
        };
        retry_busy(|| stores.accounts.change_password(command.clone()))
    });
    let winner = answers.iter().position(Result::is_ok).unwrap();
    assert_eq!(answers.iter().flatten().count(), 1);
    let stored = retry_busy(|| stores.accounts.credentials("ada")).unwrap();
    assert_eq!(stored.password, hash(&format!("new{winner}")));
    assert_eq!(stored.account.session_epoch, before.session_epoch + 1);
}

/// A user demoted or deactivated while promoting themselves and an accomplice is not staff
/// afterwards. Nor is an accomplice whom they promote after that.
pub fn a_demoted_user_cannot_undo_it(stores: &Stores) {
    let shop = TestShop::new(stores);
    let boss = shop.staff("boss");
    let switch = |by, user, is_active, is_staff| {
        let command = UpdateUser {
            by: Some(by),
            user,
            change: UserChange {
                is_active,
                is_staff,
            },
            at: crate::at(210),
        };
        retry_busy(|| stores.accounts.switch(command))
    };
    for round in 0..4 {
        let mallory = shop.staff(&format!("mallory{round}"));
        let accomplice = shop.customer(&format!("accomplice{round}"));
        let (off, on) = (Some(false), Some(true));
        race(RACERS, |at| match at {
            0 if round % 2 == 0 => switch(boss, mallory, None, off),
            0 => switch(boss, mallory, off, None),
            _ => switch(mallory, mallory, on, on),
        });
        let account = shop.account(mallory);
        assert!(!account.is_active || !account.is_staff, "{account:?}");
        let refusal = if account.is_active {
            Refusal::Forbidden
        } else {
            Refusal::InvalidToken
        };
        let promoted = switch(mallory, accomplice, None, on);
        assert_eq!(promoted, Err(refusal));
        assert!(!shop.account(accomplice).is_staff);
    }
}

/// Of several first staff users who are registered concurrently, one is created; once the shop has
/// one, none is.
pub fn one_first_staff_user_is_registered(stores: &Stores) {
    let register = |round: usize, at: usize| {
        let command = Register {
            username: Username::new(&format!("staff{round}x{at}")).unwrap(),
            email: None,
            password: hash(&at.to_string()),
            is_staff: true,
            at: moment(0),
        };
        retry_busy(|| stores.accounts.register_first_staff(command.clone()))
    };
    let answers = race(RACERS, |at| register(0, at));
    let created: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(created.len(), 1);
    assert!(created.iter().all(|account| account.is_staff));
    let refusals = answers.iter().filter_map(|answer| answer.as_ref().err());
    assert!(
        refusals
            .into_iter()
            .all(|refusal| *refusal == Refusal::Forbidden)
    );
    assert_eq!(register(1, 0), Err(Refusal::Forbidden));
}

/// Staff users who demote and deactivate each other concurrently leave exactly one of them.
pub fn the_last_staff_user_stays(stores: &Stores) {
    let shop = TestShop::new(stores);
    let switch = |user, is_active, is_staff| {
        let command = UpdateUser {
            by: None,
            user,
            change: UserChange {
                is_active,
                is_staff,
            },
            at: crate::at(210),
        };
        retry_busy(|| stores.accounts.switch(command))
    };
    let acts = |user: &UserId| {
        let account = shop.account(*user);
        account.is_active && account.is_staff
    };
    let mut last = None;
    for (round, members) in [2, RACERS, 2, 2].into_iter().enumerate() {
        let member = |at| shop.staff(&format!("staff{round}x{at}"));
        let staff: Vec<_> = (0..members).map(member).collect();
        // Demotes the staff user who remained in the previous round.
        if let Some(last) = last {
            switch(last, None, Some(false)).unwrap();
        }
        let answers = race(RACERS, |at| {
            let off = Some(false);
            let (is_active, is_staff) = if at % 3 == 0 {
                (off, None)
            } else {
                (None, off)
            };
            switch(staff[(at + 1) % members], is_active, is_staff)
        });
        for refusal in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refusal, Refusal::Identity(IdentityRefusal::LastStaff));
        }
        assert!(retry_busy(|| stores.accounts.has_staff()));
        let left: Vec<_> = staff.into_iter().filter(acts).collect();
        assert_eq!(left.len(), 1);
        last = Some(left[0]);
    }
}
