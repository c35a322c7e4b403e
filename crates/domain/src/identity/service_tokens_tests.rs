//! Token pairs.

use super::*;
use crate::identity::{Refresh, RefreshDigest, RefreshToken};
use crate::kernel::NoRandomness;

fn digest(text: &str) -> RefreshDigest {
    let mut bytes = [0; 32];
    for (byte, letter) in bytes.iter_mut().zip(text.bytes()) {
        *byte = letter;
    }
    RefreshDigest::new(bytes)
}

/// Ports that give the refresh token "new", and an access token of a minute.
fn making() -> Ports {
    let mut ports = Ports::new();
    let make = ports.tokens.expect_new_refresh();
    make.returning(|| Ok("new".to_owned()));
    ports.tokens.expect_digest().returning(digest);
    let issue = ports.tokens.expect_issue().withf(|said| {
        *said
            == TokenClaims {
                expires_at: at(120),
                ..claims()
            }
    });
    issue.returning(|_| "access".to_owned());
    ports
}

fn pair(refresh: &str) -> TokenPair {
    TokenPair {
        access: "access".to_owned(),
        refresh: refresh.to_owned(),
    }
}

#[test]
fn a_session_begins_with_a_pair() {
    let mut ports = making();
    let first = RefreshToken::first(digest("new"), &ada(), Duration::seconds(6_000), now());
    let begin = ports.accounts.expect_begin_family();
    begin
        .withf(move |token| *token == first)
        .once()
        .returning(|_| Ok(()));
    assert_eq!(ports.accounts().begin_session(&ada()).unwrap(), pair("new"));

    let mut ports = making();
    let begin = ports.accounts.expect_begin_family();
    begin.returning(|_| Err(unavailable()));
    let answer = ports.accounts().begin_session(&ada());
    assert_eq!(failed(answer), StoreErrorKind::Unavailable);
}

#[test]
fn a_pair_gives_the_next_one() {
    for (sent, family, next) in [
        ("first", "first", "first.new"),
        ("first.second", "first", "first.new"),
        ("", "", ".new"),
    ] {
        let expected = Refresh {
            token: digest(sent),
            family: digest(family),
            next: digest(next),
            life: Duration::seconds(6_000),
            at: now(),
        };
        let mut ports = making();
        let refresh = ports.accounts.expect_refresh();
        refresh
            .withf(move |given| *given == expected)
            .once()
            .returning(|_| Ok(ada()));
        assert_eq!(ports.accounts().refresh(sent).unwrap(), pair(next));
    }

    let mut ports = making();
    let refresh = ports.accounts.expect_refresh();
    refresh.returning(|_| Err(Refusal::InvalidToken.into()));
    ports.tokens.expect_issue().never();
    assert_eq!(
        refusal(ports.accounts().refresh("sent")),
        Refusal::InvalidToken
    );
}

#[test]
fn without_randomness_there_is_no_token() {
    let ports = || {
        let mut ports = Ports::new();
        let make = ports.tokens.expect_new_refresh();
        make.returning(|| Err(NoRandomness("none".to_owned())));
        ports.accounts()
    };
    for answer in [ports().begin_session(&ada()), ports().refresh("sent")] {
        assert!(matches!(answer, Err(Error::Randomness(_))), "{answer:?}");
    }
}

#[test]
fn signing_out_ends_the_family() {
    let mut ports = making();
    let end = ports.accounts.expect_end_family();
    end.withf(|family| *family == digest("first"))
        .times(2)
        .returning(|_| Ok(()));
    let accounts = ports.accounts();
    for sent in ["first", "first.second"] {
        assert!(accounts.sign_out(sent).is_ok());
    }
}

#[test]
fn a_token_pair_is_redacted_in_debug_output() {
    assert_eq!(format!("{:?}", pair("new")), "TokenPair(..)");
}
