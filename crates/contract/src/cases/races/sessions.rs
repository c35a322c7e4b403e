//! Races of sessions, and for an e-mail address.

use crate::cases::sessions::{begin, begin_at, digest, forget_all, refresh};
use crate::{TestShop, at, race, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::identity::{ChangeEmail, Email, MAX_FAMILIES};
use tradepost_domain::kernel::{FieldError, Refusal};

/// Thirty concurrent refreshes of one token yield one next token, and the family stays valid.
pub fn one_refresh_token_gives_one_pair(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    begin(stores, ada, "first");
    let next = |at: usize| format!("next{at}");
    let answers = race(30, |racer| refresh(stores, "first", &next(racer), at(5)));
    let winners: Vec<usize> = (0..30).filter(|racer| answers[*racer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for refused in answers.into_iter().filter_map(Result::err) {
        assert_eq!(refused, Refusal::InvalidToken);
    }
    for racer in 0..30 {
        let again = refresh(stores, &next(racer), &format!("more{racer}"), at(6));
        assert_eq!(again.is_ok(), winners == [racer], "{racer}");
    }
}

/// Concurrent sign-ins of one user leave as many token families as sequential ones.
pub fn concurrent_sign_ins_stay_within_the_quota(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    for number in 0..MAX_FAMILIES {
        begin(stores, ada, &format!("a{number}"));
    }
    race(8, |racer| begin_at(stores, ada, &format!("b{racer}"), 10));
    assert_eq!(forget_all(stores), u64::try_from(MAX_FAMILIES).unwrap());
}

/// A sign-out ends the family, under concurrent refreshes of it.
pub fn signing_out_races_refreshing(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    for round in 0..10 {
        let name = |step: usize| match step {
            0 => format!("round{round}"),
            _ => format!("round{round}.{step}"),
        };
        begin(stores, ada, &name(0));
        race(2, |racer| {
            if racer == 0 {
                retry_busy(|| stores.accounts.end_family(digest(&name(0))));
            } else {
                for step in 0..3 {
                    let refreshed = refresh(stores, &name(step), &name(step + 1), at(5));
                    if refreshed.is_err() {
                        break;
                    }
                }
            }
        });
        for step in 0..4 {
            let refused = refresh(stores, &name(step), "x", at(6));
            assert_eq!(refused, Err(Refusal::InvalidToken), "{step}");
        }
    }
}

/// An e-mail address wanted concurrently goes to one account.
pub fn one_address_goes_to_one_account(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = shop.customers(8);
    let spellings = ["ada@example.org", "Ada@Example.ORG"];
    let answers = race(users.len(), |racer| {
        let command = ChangeEmail {
            user: users[racer],
            verified: 0,
            email: Email::new(spellings[racer % 2]).unwrap(),
            at: at(210),
        };
        retry_busy(|| stores.accounts.change_email(command.clone()))
    });
    assert_eq!(answers.iter().flatten().count(), 1, "{answers:?}");
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(*refused, Refusal::field("email", FieldError::Taken));
    }
    let holders = users
        .iter()
        .filter(|user| shop.account(**user).email.is_some());
    assert_eq!(holders.count(), 1);
}
