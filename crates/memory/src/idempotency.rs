//! Idempotency keys, and the purges of retention.

use crate::{MemoryStore, State, count};
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::decision::{
    Decision, KeyedCommand, KeyedResponse, Outcome, Settled, StoredKeys, answer_slice,
};
use tradepost_domain::identity::RefreshToken;
use tradepost_domain::kernel::{
    Execution, IdempotencyScope, Outcomes, StoreError, StoredResponse, StoredResponseUsage, UserId,
};
use tradepost_domain::maintenance::{ClockReading, HealthCheck, Retention};

impl HealthCheck for MemoryStore {
    /// A store in memory is always reachable, and has the schema that it was compiled with.
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Retention for MemoryStore {
    fn purge_idempotency_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let keys = &mut self.lock().keys;
        let held = keys.len();
        keys.retain(|_, record| record.at >= before);
        Ok(count(held - keys.len()))
    }

    fn purge_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let tokens = &mut self.lock().refresh_tokens;
        let held = tokens.len();
        let is_used = |token: &RefreshToken| token.used_at.is_some_and(|at| at < before);
        tokens.retain(|_, token| token.expires_at >= before && !is_used(token));
        Ok(count(held - tokens.len()))
    }

    fn purge_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
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

    fn purge_known_networks(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let networks = &mut self.lock().known_networks;
        let held = networks.len();
        networks.retain(|_, known| known.at >= before);
        Ok(count(held - networks.len()))
    }

    fn purge_staff_sessions(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let sessions = &mut self.lock().staff_sessions;
        let held = sessions.len();
        sessions.retain(|_, session| session.expires_at >= before);
        Ok(count(held - sessions.len()))
    }
}

/// A record to store under a key, once its command has been executed.
pub(crate) type Kept = ((UserId, IdempotencyScope), StoredResponse);

impl State {
    /// The stored responses that a slice needs.
    pub(crate) fn stored_keys<C: KeyedCommand>(&self, commands: &[C]) -> StoredKeys {
        let mut stored = StoredKeys::default();
        for (user, key) in commands.iter().filter_map(KeyedCommand::key) {
            let held = self.keys.get_key_value(&(user, key.scope.clone()));
            let held = held.map(|(scope, record)| (scope.clone(), record.clone()));
            stored.held.extend(held);
            stored.kept.insert(user, self.kept(user));
        }
        stored
    }

    /// Writes the decision about a slice; returns its results.
    pub(crate) fn apply_slice<C, T>(
        &mut self,
        commands: &[C],
        decision: Decision<Vec<Settled<T>>>,
    ) -> Outcomes<Execution<C::Outcome>>
    where
        C: KeyedCommand,
        T: Outcome<Stored = C::Outcome>,
    {
        self.apply_keeping(decision, |settled| {
            let answers = answer_slice(commands, settled);
            let kept = |response: KeyedResponse| ((response.user, response.scope), response.record);
            let kept = answers.responses.into_iter().map(kept).collect();
            (answers.results, kept)
        })
    }

    /// The stored responses of a user, as a running total.
    pub(crate) fn kept(&self, user: UserId) -> StoredResponseUsage {
        let of_user = self.keys.iter().filter(|((owner, _), _)| *owner == user);
        let sizes = of_user.map(|((_, scope), record)| record.size(scope));
        StoredResponseUsage {
            first: 0,
            last: sizes.fold(0, u64::saturating_add),
        }
    }
}
