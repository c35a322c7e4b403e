//! Signing in, and authenticating a token.

use super::*;
use crate::identity::{IdentityRefusal, MockAccountRepository};
use crate::kernel::{
    HashingFailed, MockClock, MockPasswordHasher, MockTokenService, StoreError, StoreErrorKind,
};
use crate::testing::{at, refusal, user};

/// Mocked ports, each of which panics on an unexpected call.
struct Ports {
    accounts: MockAccountRepository,
    hasher: MockPasswordHasher,
    tokens: MockTokenService,
}

impl Ports {
    fn new() -> Self {
        Self {
            accounts: MockAccountRepository::new(),
            hasher: MockPasswordHasher::new(),
            tokens: MockTokenService::new(),
        }
    }

    /// Ports with the user ada, whose password is "right".
    fn knowing(account: Account) -> Self {
        let mut ports = Self::new();
        ports
            .accounts
            .expect_credentials()
            .withf(|key| key == "ada")
            .returning(move |_| {
                Ok(Some(Credentials {
                    account: account.clone(),
                    password: hash("of right"),
                }))
            });
        ports
            .hasher
            .expect_verify()
            .withf(|_, stored| *stored == hash("of right"))
            .returning(|candidate, _| candidate == "right password");
        ports
    }

    /// The service, at 60.5 seconds on its clock.
    fn accounts(self) -> Accounts {
        let mut clock = MockClock::new();
        clock.expect_now().returning(now);
        Accounts::new(
            Arc::new(self.accounts),
            Arc::new(self.hasher),
            Arc::new(self.tokens),
            Arc::new(clock),
            AccountSettings {
                token_life: Duration::seconds(600),
                access_life: Duration::seconds(60),
                refresh_life: Duration::seconds(6_000),
            },
        )
    }
}

fn now() -> DateTime<Utc> {
    at(60) + Duration::microseconds(500_000)
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

fn password(text: &str) -> Password {
    Password::new(text, None).unwrap()
}

fn ada() -> Account {
    Account {
        id: user(1),
        username: Username::new("Ada").unwrap(),
        email: None,
        is_staff: false,
        is_active: true,
        session_epoch: 4,
        created_at: at(0),
    }
}

fn claims() -> TokenClaims {
    TokenClaims {
        user: user(1),
        session_epoch: 4,
        issued_at: at(60),
        expires_at: at(660),
    }
}

fn failed<T: std::fmt::Debug>(answer: Result<T, Error>) -> StoreErrorKind {
    match answer {
        Err(Error::Store(error)) => error.kind().clone(),
        other => panic!("no failure of the store: {other:?}"),
    }
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable)
}

#[test]
fn signing_in_gives_a_token_of_the_current_session() {
    for spelling in ["Ada", "ada", "  ADA\t"] {
        let mut ports = Ports::knowing(ada());
        ports.hasher.expect_is_outdated().returning(|_, _| false);
        ports
            .tokens
            .expect_issue()
            .withf(|said| *said == claims())
            .once()
            .returning(|_| "token".to_owned());
        let expected = SignedIn {
            account: ada(),
            token: "token".to_owned(),
            expires_at: at(660),
        };
        let signed_in = ports.accounts().sign_in(spelling, "right password");
        assert_eq!(signed_in.unwrap(), expected);
    }
}

#[test]
fn an_unknown_user_takes_as_long_as_a_wrong_password() {
    let mut ports = Ports::new();
    ports.accounts.expect_credentials().returning(|_| Ok(None));
    ports
        .hasher
        .expect_verify_dummy()
        .withf(|candidate| candidate == "whatever")
        .once()
        .return_const(());
    let refused = ports.accounts().sign_in("nobody", "whatever");
    assert_eq!(
        refusal(refused),
        Refusal::Identity(IdentityRefusal::InvalidCredentials)
    );
}

#[test]
fn a_wrong_password_and_a_deactivated_user_get_the_same_answer() {
    let off = Account {
        is_active: false,
        ..ada()
    };
    for (account, candidate) in [
        (ada(), "wrong password"),
        (ada(), ""),
        (off.clone(), "right password"),
        (off, "wrong password"),
    ] {
        let mut ports = Ports::knowing(account);
        ports.hasher.expect_is_outdated().never();
        let refused = ports.accounts().sign_in("ada", candidate);
        assert_eq!(
            refusal(refused),
            Refusal::Identity(IdentityRefusal::InvalidCredentials)
        );
    }
}

#[test]
fn an_outdated_hash_is_renewed_at_sign_in() {
    let mut ports = Ports::knowing(ada());
    ports
        .hasher
        .expect_is_outdated()
        .withf(|stored, by| *stored == hash("of right") && by == "right password")
        .returning(|_, _| true);
    ports
        .hasher
        .expect_hash()
        .withf(|chosen| chosen.reveal() == "right password")
        .once()
        .returning(|_| Ok(hash("stronger")));
    ports
        .accounts
        .expect_renew_hash()
        .withf(|who, old, new| (*who, old, new) == (user(1), &hash("of right"), &hash("stronger")))
        .once()
        .returning(|_, _, _| Ok(()));
    ports
        .tokens
        .expect_issue()
        .withf(|said| *said == claims())
        .returning(|_| "token".to_owned());
    let signed_in = ports.accounts().sign_in("ada", "right password");
    assert_eq!(signed_in.unwrap().token, "token");
}

#[test]
fn a_password_that_predates_the_rules_is_accepted_and_keeps_its_hash() {
    let mut ports = Ports::new();
    let stored = Credentials {
        account: ada(),
        password: hash("of short"),
    };
    ports
        .accounts
        .expect_credentials()
        .returning(move |_| Ok(Some(stored.clone())));
    ports.hasher.expect_verify().returning(|_, _| true);
    ports.hasher.expect_is_outdated().returning(|_, _| true);
    ports
        .tokens
        .expect_issue()
        .returning(|_| "token".to_owned());
    assert!(ports.accounts().sign_in("ada", "short").is_ok());
}

#[test]
fn a_sign_in_that_the_store_or_the_hasher_fails_gives_no_token() {
    let mut ports = Ports::new();
    ports
        .accounts
        .expect_credentials()
        .returning(|_| Err(unavailable()));
    let answer = ports.accounts().sign_in("ada", "right password");
    assert_eq!(failed(answer), StoreErrorKind::Unavailable);
}

#[test]
fn a_sign_in_succeeds_if_its_hash_cannot_be_renewed() {
    let mut ports = Ports::knowing(ada());
    ports.hasher.expect_is_outdated().returning(|_, _| true);
    ports
        .hasher
        .expect_hash()
        .returning(|_| Ok(hash("stronger")));
    ports
        .accounts
        .expect_renew_hash()
        .once()
        .returning(|_, _, _| Err(unavailable()));
    ports.tokens.expect_issue().return_const("token".to_owned());
    assert!(ports.accounts().sign_in("ada", "right password").is_ok());

    let mut ports = Ports::knowing(ada());
    ports.hasher.expect_is_outdated().returning(|_, _| true);
    ports
        .hasher
        .expect_hash()
        .once()
        .returning(|_| Err(HashingFailed("no randomness".to_owned())));
    ports.tokens.expect_issue().return_const("token".to_owned());
    assert!(ports.accounts().sign_in("ada", "right password").is_ok());
}

#[test]
fn an_overflowing_lifetime_ends_at_the_maximum_time() {
    let mut ports = Ports::knowing(ada());
    ports.hasher.expect_is_outdated().returning(|_, _| false);
    ports.tokens.expect_issue().return_const("token".to_owned());
    let mut accounts = ports.accounts();
    accounts.settings.token_life = Duration::MAX;
    let signed_in = accounts.sign_in("ada", "right password").unwrap();
    assert_eq!(signed_in.expires_at, DateTime::<Utc>::MAX_UTC);
}

#[test]
fn a_token_is_read_and_its_account_looked_up() {
    let ended = Account {
        session_epoch: 5,
        ..ada()
    };
    let staff = Account {
        is_staff: true,
        ..ada()
    };
    let off = Account {
        is_active: false,
        ..ada()
    };
    for (account, expected) in [
        (Some(ada()), Ok(Actor::Customer(user(1)))),
        (Some(staff), Ok(Actor::Staff(user(1)))),
        (Some(off), Err(Refusal::InvalidToken)),
        (Some(ended), Err(Refusal::InvalidToken)),
        (None, Err(Refusal::InvalidToken)),
    ] {
        let mut ports = Ports::new();
        ports
            .tokens
            .expect_read()
            .withf(|token, when| token == "token" && *when == now())
            .returning(|_, _| Ok(claims()));
        ports
            .accounts
            .expect_find_all()
            .withf(|who| who == [user(1)])
            .returning(move |_| Ok(account.clone().into_iter().collect()));
        match ports.accounts().authenticate("token") {
            Ok(session) => {
                assert_eq!(Ok(session.actor), expected);
                assert_eq!(session.expires_at, claims().expires_at);
            }
            Err(error) => assert_eq!(Err(refusal::<()>(Err(error))), expected),
        }
    }
}

#[test]
fn a_session_expires_with_its_token() {
    let accounts = Ports::new().accounts();
    let instant = Duration::microseconds(1);
    for (expires_at, expired) in [
        (now() + instant, false),
        (now(), true),
        (now() - instant, true),
    ] {
        let actor = Actor::Customer(user(1));
        let session = Session {
            actor,
            session_epoch: 0,
            expires_at,
        };
        assert_eq!(accounts.has_expired(&session), expired, "{expires_at}");
    }
}

#[test]
fn a_bad_token_queries_no_store_and_a_failing_store_authenticates_no_user() {
    let mut ports = Ports::new();
    ports
        .tokens
        .expect_read()
        .returning(|_, _| Err(Refusal::InvalidToken));
    let answer = ports.accounts().authenticate("forged");
    assert_eq!(refusal(answer), Refusal::InvalidToken);

    let mut ports = Ports::new();
    ports.tokens.expect_read().returning(|_, _| Ok(claims()));
    ports
        .accounts
        .expect_find_all()
        .returning(|_| Err(unavailable()));
    let answer = ports.accounts().authenticate("token");
    assert_eq!(failed(answer), StoreErrorKind::Unavailable);
}

#[path = "service_users_tests.rs"]
mod users;

#[path = "service_tokens_tests.rs"]
mod tokens;

/// A hash that predates normalisation: it matches the text as typed at the time. The cost of a
/// wrong password does not reveal whether the user exists.
#[test]
fn a_password_is_checked_in_each_form_in_which_it_may_have_been_hashed() {
    let typed = "cafe\u{301} au lait";
    for (hashed, is_renewed) in [(typed, true), ("café au lait", false)] {
        let mut ports = Ports::new();
        ports.accounts.expect_credentials().returning(|_| {
            Ok(Some(Credentials {
                account: ada(),
                password: hash("stored"),
            }))
        });
        let verify = ports.hasher.expect_verify();
        verify.returning(move |candidate, _| candidate == hashed);
        let outdated = ports.hasher.expect_is_outdated();
        outdated.returning(|_, candidate| !Password::is_normalised(candidate));
        let renewed = ports.hasher.expect_hash();
        renewed
            .withf(|password| password.reveal() == "café au lait")
            .times(usize::from(is_renewed))
            .returning(|_| Ok(hash("new")));
        let renewed = ports.accounts.expect_renew_hash();
        renewed
            .withf(|user_id, old, new| {
                *user_id == user(1) && *old == hash("stored") && *new == hash("new")
            })
            .times(usize::from(is_renewed))
            .returning(|_, _, _| Ok(()));
        let recognised = ports.accounts().verify_credentials("ada", typed);
        assert_eq!(recognised.unwrap(), ada(), "{hashed}");
    }
    for (typed, checks) in [(typed, 2), ("cafe au lait", 1)] {
        let mut known = Ports::new();
        known.accounts.expect_credentials().returning(|_| {
            Ok(Some(Credentials {
                account: ada(),
                password: hash("stored"),
            }))
        });
        let verify = known.hasher.expect_verify();
        verify.times(checks).returning(|_, _| false);
        let mut unknown = Ports::new();
        unknown
            .accounts
            .expect_credentials()
            .returning(|_| Ok(None));
        let verify = unknown.hasher.expect_verify_dummy();
        verify.times(checks).returning(|_| ());
        for ports in [known, unknown] {
            let refused = ports.accounts().verify_credentials("ada", typed);
            assert_eq!(
                refusal(refused),
                Refusal::Identity(IdentityRefusal::InvalidCredentials)
            );
        }
    }
}

/// An account that predates normalisation is found first; a new name by every spelling.
#[test]
fn a_typed_name_is_looked_up_verbatim_and_then_as_a_new_name() {
    for (held, expected) in [("ａda", Some("ａda")), ("ada", Some("ada")), ("eve", None)] {
        let mut ports = Ports::new();
        let credentials = ports.accounts.expect_credentials();
        credentials.returning(move |key| {
            let account = Account {
                username: Username::existing(held).unwrap(),
                ..ada()
            };
            let found = (key == held).then_some(Credentials {
                account,
                password: hash("stored"),
            });
            Ok(found)
        });
        let found = ports.accounts().by_username(" Ａda").unwrap();
        let name = found.as_ref().map(|account| account.username.as_str());
        assert_eq!(name, expected);
    }
}
