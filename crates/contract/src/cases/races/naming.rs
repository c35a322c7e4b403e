//! Races for confusable usernames, and for a username that is an e-mail address.

use crate::{TestShop, at as moment, hash, race, retry_busy};
use std::collections::BTreeSet;
use tradepost_domain::Stores;
use tradepost_domain::identity::{ChangeEmail, Email, Register, Username};
use tradepost_domain::kernel::{FieldError, Refusal};

const RACERS: usize = 8;

/// Of concurrently registered confusable usernames, one succeeds.
pub fn one_of_the_names_that_look_alike_is_taken(stores: &Stores) {
    for names in [
        ["admin", "аdmin", "admln", "ADMІN"],
        ["grace", "ɡrace", "graсe", "gracе"],
    ] {
        let answers = race(RACERS, |at| {
            let command = Register {
                username: Username::new(names[at % 4]).unwrap(),
                email: None,
                password: hash(&at.to_string()),
                is_staff: false,
                at: moment(0),
            };
            retry_busy(|| stores.accounts.register(command.clone()))
        });
        assert_eq!(answers.iter().flatten().count(), 1, "{answers:?}");
        for refusal in answers.into_iter().filter_map(Result::err) {
            let similar = Refusal::field("username", FieldError::TooSimilar);
            let taken = Refusal::field("username", FieldError::Taken);
            assert!(refusal == similar || refusal == taken, "{refusal:?}");
        }
    }
}

/// A username and the same text as an e-mail address, claimed concurrently, go to one account.
pub fn a_username_races_the_same_address(stores: &Stores) {
    let users = TestShop::new(stores).customers(4);
    for round in 0..4 {
        let text = format!("contested-{round}@example.org");
        let answers = race(RACERS, |at| {
            let named = |username: &str, email: Option<&str>| {
                let command = Register {
                    username: Username::new(username).unwrap(),
                    email: email.map(|email| Email::new(email).unwrap()),
                    password: hash(&at.to_string()),
                    is_staff: false,
                    at: moment(0),
                };
                retry_busy(|| stores.accounts.register(command.clone()))
            };
            match at % 3 {
                0 => named(&text, None),
                1 => named(&format!("racer{round}-{at}"), Some(&text)),
                _ => {
                    let command = ChangeEmail {
                        user: users[at % 4],
                        verified: 0,
                        email: Email::new(&text).unwrap(),
                        at: crate::at(210),
                    };
                    retry_busy(|| stores.accounts.change_email(command.clone()))
                }
            }
        });
        let holders: BTreeSet<_> = answers.iter().flatten().map(|account| account.id).collect();
        assert_eq!(holders.len(), 1, "{answers:?}");
    }
}
