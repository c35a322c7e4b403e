use super::a_moment;
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::{Attempt, AttemptKey, AttemptRepository, Outcome, StoreError, Upkeep};
use tradepost_memory::MemoryStore as Store;

/// Looks whether there may be a try, and counts it later.
pub(crate) fn looks_before_it_counts(
    store: &Store,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let allowed = store.may_try(attempt, now)?;
    if allowed.is_ok() {
        a_moment();
        drop(store.count_try(attempt, now)?);
    }
    Ok(allowed)
}

/// Whoever is anywhere is everywhere.
pub(crate) fn counts_all_places_together(
    store: &Store,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let mut attempt = attempt.clone();
    attempt.key.from = tradepost_domain::Whereabouts::of([0, 0, 0, 0].into());
    store.count_try(&attempt, now)
}

pub(crate) fn keeps_what_is_given_back(_: &Store, _: &AttemptKey) -> Result<(), StoreError> {
    Ok(())
}

pub(crate) fn gives_one_back(store: &Store, key: &AttemptKey) -> Result<(), StoreError> {
    store.give_back(key)
}

pub(crate) fn forgets_too_many(store: &Store, before: DateTime<Utc>) -> Result<u64, StoreError> {
    store.forget_attempts(before + TimeDelta::microseconds(1))
}
