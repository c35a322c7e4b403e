use super::a_moment;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use chrono::{DateTime, Duration, Utc};
use tradepost_domain::identity::{
    Account, AccountRepository, ChangePassword, PasswordHash, REUSE_GRACE, Refresh, RefreshDigest,
    RefreshToken,
};
use tradepost_domain::kernel::{Error, StoreError};
use tradepost_domain::maintenance::Retention;
use tradepost_memory::MemoryStore as Store;

/// Stores the hash and keeps the sessions.
pub(crate) fn keeps_tokens(store: &Store, command: ChangePassword) -> Result<Account, Error> {
    let Some(account) = AccountRepository::find(store, command.user)? else {
        return store.change_password(command);
    };
    let key = account.username.key();
    let old: PasswordHash = store.credentials(&key)?.unwrap().password;
    store.renew_hash(command.user, old, command.new)?;
    Ok(account)
}

/// Gives the second use of a token a family of its own.
pub(crate) fn rotates_twice(store: &Store, command: Refresh) -> Result<Account, Error> {
    let refreshed = store.refresh(command);
    if refreshed.is_ok() {
        return refreshed;
    }
    let Some(user) = (1..=3).find_map(tradepost_domain::kernel::UserId::new) else {
        return refreshed;
    };
    let Some(account) = AccountRepository::find(store, user)? else {
        return refreshed;
    };
    store.begin_family(RefreshToken::first(
        command.next,
        &account,
        command.life,
        command.at,
    ))?;
    Ok(account)
}

/// Treats every reuse as one within the grace period.
pub(crate) fn ends_nothing(store: &Store, command: Refresh) -> Result<Account, Error> {
    let at = command.at.min(tradepost_contract::at(10) + REUSE_GRACE);
    store.refresh(Refresh { at, ..command })
}

/// Recognises a token by its own digest only.
pub(crate) fn knows_no_family(store: &Store, command: Refresh) -> Result<Account, Error> {
    let family = command.token;
    store.refresh(Refresh { family, ..command })
}

/// Looks up the family and ends it later, by a stale copy.
pub(crate) fn ends_late(store: &Store, token: RefreshDigest) -> Result<(), StoreError> {
    store.end_family(token)?;
    a_moment();
    let Some(user) = tradepost_domain::kernel::UserId::new(1) else {
        return Ok(());
    };
    let account = AccountRepository::find(store, user)?.unwrap();
    let at = tradepost_contract::at(0);
    store.begin_family(RefreshToken::first(token, &account, Duration::days(1), at))
}

/// Bounds the families of no user.
pub(crate) fn bounds_no_families(store: &Store, token: RefreshToken) -> Result<(), StoreError> {
    let user = i64::from_be_bytes(*token.digest.to_string().as_bytes().last_chunk().unwrap());
    let user = tradepost_domain::kernel::UserId::new(user).unwrap();
    store.begin_family(RefreshToken { user, ..token })
}

pub(crate) fn forgets_when_families_began(
    store: &Store,
    token: RefreshToken,
) -> Result<(), StoreError> {
    let issued_at = tradepost_contract::at(0);
    store.begin_family(RefreshToken { issued_at, ..token })
}

pub(crate) fn forgets_too_much(store: &Store, before: DateTime<Utc>) -> Result<u64, StoreError> {
    store.purge_refresh_tokens(before + Duration::seconds(1))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "keeps the tokens of sessions that have ended",
        Behaviour {
            change_password: keeps_tokens,
            ..HONEST
        },
        &["tokens_end_with_their_sessions"],
    ),
    (
        "gives a pair to everybody who is quick enough",
        Behaviour {
            refresh: rotates_twice,
            ..HONEST
        },
        &[
            "one_refresh_token_gives_one_pair",
            "a_refresh_token_works_once",
        ],
    ),
    (
        "ends a stolen token alone",
        Behaviour {
            refresh: ends_nothing,
            ..HONEST
        },
        &["a_stolen_token_ends_its_family"],
    ),
    (
        "takes a forgotten token for one that never was",
        Behaviour {
            refresh: knows_no_family,
            ..HONEST
        },
        &["reuse_of_a_purged_token_ends_its_family"],
    ),
    (
        "lets a token live that is refreshed during a sign-out",
        Behaviour {
            end_family: ends_late,
            ..HONEST
        },
        &["signing_out_races_refreshing"],
    ),
    (
        "lets a user have any number of families",
        Behaviour {
            begin_family: bounds_no_families,
            ..HONEST
        },
        &[
            "a_user_has_a_bounded_number_of_families",
            "concurrent_sign_ins_stay_within_the_quota",
        ],
    ),
    (
        "ends any family instead of the one that was idle for longest",
        Behaviour {
            begin_family: forgets_when_families_began,
            ..HONEST
        },
        &["a_user_has_a_bounded_number_of_families"],
    ),
    (
        "forgets tokens that live",
        Behaviour {
            forget_tokens: forgets_too_much,
            ..HONEST
        },
        &["expired_tokens_are_purged"],
    ),
];
