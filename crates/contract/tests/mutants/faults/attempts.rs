use super::a_moment;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::identity::{
    Attempt, AttemptKey, AttemptRepository, ClientNetwork, KnownNetwork, KnownNetworkKey,
    LimitedAction,
};
use tradepost_domain::kernel::{Error, StoreError};
use tradepost_domain::maintenance::Retention;
use tradepost_memory::MemoryStore as Store;

/// Checks the limit, and counts the attempt later.
pub(crate) fn looks_before_it_counts(
    store: &Store,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    store.check_attempt(attempt, now)?;
    a_moment();
    drop(store.count_attempt(attempt, now));
    Ok(())
}

/// Counts all networks as one.
pub(crate) fn counts_all_places_together(
    store: &Store,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut attempt = attempt.clone();
    attempt.key.from = Some(ClientNetwork::new([0, 0, 0, 0].into()));
    store.count_attempt(&attempt, now)
}

/// Counts registrations as sign-ins.
pub(crate) fn counts_all_that_is_tried_together(
    store: &Store,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut attempt = attempt.clone();
    attempt.key.what = LimitedAction::SignIn;
    store.count_attempt(&attempt, now)
}

pub(crate) fn keeps_released_attempts(_: &Store, _: &AttemptKey) -> Result<(), StoreError> {
    Ok(())
}

pub(crate) fn gives_one_back(store: &Store, key: &AttemptKey) -> Result<(), StoreError> {
    store.release(key)
}

pub(crate) fn forgets_too_many(store: &Store, before: DateTime<Utc>) -> Result<u64, StoreError> {
    store.purge_attempts(before + TimeDelta::microseconds(1))
}

/// Counts a site as its first network.
pub(crate) fn counts_sites_as_networks(
    store: &Store,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let mut attempt = attempt.clone();
    let address = attempt.key.from.map(ClientNetwork::address);
    attempt.key.from = address.map(ClientNetwork::new);
    store.count_attempt(&attempt, now)
}

fn knows_networks_for_all(
    store: &Store,
    key: &KnownNetworkKey,
) -> Result<Option<KnownNetwork>, StoreError> {
    let account = String::new();
    store.known_network(&KnownNetworkKey {
        account,
        ..key.clone()
    })
}

fn remembers_networks_for_all(
    store: &Store,
    key: &KnownNetworkKey,
    known: KnownNetwork,
) -> Result<(), StoreError> {
    let account = String::new();
    store.remember_network(
        &KnownNetworkKey {
            account,
            ..key.clone()
        },
        known,
    )
}

/// Stores each network under an account of its own, so that the limit is never reached.
fn remembers_without_end(
    store: &Store,
    key: &KnownNetworkKey,
    known: KnownNetwork,
) -> Result<(), StoreError> {
    store.remember_network(&apart(key), known)
}

fn finds_apart(store: &Store, key: &KnownNetworkKey) -> Result<Option<KnownNetwork>, StoreError> {
    store.known_network(&apart(key))
}

fn apart(key: &KnownNetworkKey) -> KnownNetworkKey {
    let account = format!("{} {}", key.account, key.network.address());
    KnownNetworkKey {
        account,
        ..key.clone()
    }
}

fn purges_too_many(store: &Store, before: DateTime<Utc>) -> Result<u64, StoreError> {
    store.purge_known_networks(before + TimeDelta::microseconds(1))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "looks before it counts a try",
        Behaviour {
            count_attempt: looks_before_it_counts,
            ..HONEST
        },
        &["concurrent_attempts_are_counted"],
    ),
    (
        "counts the tries of all places together",
        Behaviour {
            count_attempt: counts_all_places_together,
            ..HONEST
        },
        &["attempts_are_counted_per_key"],
    ),
    (
        "counts registrations with sign-ins",
        Behaviour {
            count_attempt: counts_all_that_is_tried_together,
            ..HONEST
        },
        &["limited_actions_are_counted_separately"],
    ),
    (
        "counts a question as a try",
        Behaviour {
            check_attempt: HONEST.count_attempt,
            ..HONEST
        },
        &["checking_a_limit_counts_no_attempt"],
    ),
    (
        "keeps tries that are given back",
        Behaviour {
            release: keeps_released_attempts,
            ..HONEST
        },
        &["an_attempt_can_be_released"],
    ),
    (
        "forgives one try of many",
        Behaviour {
            reset: gives_one_back,
            ..HONEST
        },
        &["attempts_can_be_reset"],
    ),
    (
        "forgets counts of tries too early",
        Behaviour {
            purge_attempts: forgets_too_many,
            ..HONEST
        },
        &["old_attempts_are_purged"],
    ),
    (
        "counts a site with its first network",
        Behaviour {
            count_attempt: counts_sites_as_networks,
            ..HONEST
        },
        &["attempts_are_counted_over_networks"],
    ),
    (
        "knows a network for every account",
        Behaviour {
            known_network: knows_networks_for_all,
            remember_network: remembers_networks_for_all,
            ..HONEST
        },
        &["known_networks_are_of_one_account"],
    ),
    (
        "keeps every known network",
        Behaviour {
            known_network: finds_apart,
            remember_network: remembers_without_end,
            ..HONEST
        },
        &["the_latest_known_networks_are_kept"],
    ),
    (
        "purges known networks too early",
        Behaviour {
            purge_known_networks: purges_too_many,
            ..HONEST
        },
        &["old_known_networks_are_purged"],
    ),
];
