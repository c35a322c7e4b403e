//! Idempotency keys, and the upkeep that forgets them.

use crate::{MemoryStore, State, count};
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::{
    ClockReading, KeyRecord, KeyScope, Keyed, RefreshToken, Refusal, StoreError, Upkeep, UserId,
    decide_key,
};

impl Upkeep for MemoryStore {
    /// What is in memory answers, and has the schema that it was compiled with.
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn forget_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let keys = &mut self.lock().keys;
        let held = keys.len();
        keys.retain(|_, record| record.at >= before);
        Ok(count(held - keys.len()))
    }

    fn forget_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let tokens = &mut self.lock().refresh_tokens;
        let held = tokens.len();
        let is_used = |token: &RefreshToken| token.used_at.is_some_and(|at| at < before);
        tokens.retain(|_, token| token.expires_at >= before && !is_used(token));
        Ok(count(held - tokens.len()))
    }

    fn forget_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let attempts = &mut self.lock().attempts;
        let held = attempts.len();
        attempts.retain(|_, count| count.at >= before);
        Ok(count(held - attempts.len()))
    }

    fn record_clock(&self, reading: ClockReading, keep_from: TimeDelta) -> Result<(), StoreError> {
        let readings = &mut self.lock().clock_readings;
        readings.push(reading);
        readings.retain(|reading| reading.uptime >= keep_from);
        Ok(())
    }

    fn clock_readings(&self) -> Result<Vec<ClockReading>, StoreError> {
        Ok(self.lock().clock_readings.clone())
    }
}

/// What is to be stored under a key, once its command has happened.
pub(crate) type Kept = Option<((UserId, KeyScope), KeyRecord)>;

impl State {
    /// The answer of before, if the command has happened. A key belongs to somebody: without a user
    /// there is none.
    pub(crate) fn replay<T>(
        &self,
        user: Option<UserId>,
        key: Option<&Keyed<T>>,
    ) -> Result<Option<String>, Refusal> {
        let owned = user.zip(key);
        let held = owned.and_then(|(user, key)| self.keys.get(&(user, key.scope.clone())));
        decide_key(key, held)
    }

    /// How many answers are kept for a user and a path.
    pub(crate) fn keys_at(&self, user: UserId, path: &str) -> usize {
        let keys = self.keys.keys();
        keys.filter(|(owner, scope)| *owner == user && scope.path == path)
            .count()
    }

    pub(crate) fn keep(&mut self, kept: Kept) {
        self.keys.extend(kept);
    }
}

/// The answer of now, to be stored. What it is made by is not part of this crate, and may panic:
/// make it before anything is written.
pub(crate) fn kept<T>(
    user: Option<UserId>,
    key: Option<Keyed<T>>,
    outcome: &T,
    at: DateTime<Utc>,
) -> Kept {
    let (user, key) = user.zip(key)?;
    let Keyed {
        scope,
        fingerprint,
        render,
    } = key;
    let answer = (render.0)(outcome);
    let record = KeyRecord {
        fingerprint,
        answer,
        at,
    };
    Some(((user, scope), record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::{
        CartAction, CartItem, CartRepository, ChangeCart, Currency, IdempotencyKey, MOST_ADDITIONS,
        ProductId, Quantity, Render, Written,
    };

    #[test]
    fn additions_are_kept_up_to_a_bound() {
        let store = MemoryStore::new(Currency::from_code("USD").unwrap());
        let (ada, bob) = (UserId::new(1).unwrap(), UserId::new(2).unwrap());
        let scope = |path: &str, key: usize| KeyScope {
            path: path.to_owned(),
            key: IdempotencyKey::new(&key.to_string()).unwrap(),
        };
        let record = KeyRecord {
            fingerprint: "{}".to_owned(),
            answer: "kept".to_owned(),
            at: DateTime::UNIX_EPOCH,
        };
        // There is room for one more.
        let kept = (1..MOST_ADDITIONS).map(|key| ((ada, scope("/cart/", key)), record.clone()));
        store.lock().keys.extend(kept);
        let add = |user, path, key| {
            let command = ChangeCart {
                user,
                action: CartAction::Add {
                    product: ProductId::new(1).unwrap(),
                    quantity: Quantity::new(1).unwrap(),
                },
                seen: None,
                key: Some(Keyed {
                    scope: scope(path, key),
                    fingerprint: "{}".to_owned(),
                    render: Render(|_: &CartItem| String::new()),
                }),
                at: DateTime::UNIX_EPOCH,
            };
            store.change(command).unwrap()
        };
        let too_many = Err(Refusal::TooManyKeys);
        assert_ne!(add(ada, "/cart/", MOST_ADDITIONS), too_many);
        let last = (ada, scope("/cart/", MOST_ADDITIONS + 1));
        store.lock().keys.insert(last, record);
        assert_eq!(add(ada, "/cart/", MOST_ADDITIONS), too_many);
        let before = Ok(Written::Before("kept".to_owned()));
        assert_eq!(add(ada, "/cart/", 7), before);
        // Whoever has room hears that there is no such product.
        assert_ne!(add(bob, "/cart/", MOST_ADDITIONS), too_many);
        assert_ne!(add(ada, "/other/", MOST_ADDITIONS), too_many);
    }
}
