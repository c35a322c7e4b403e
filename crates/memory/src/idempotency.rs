//! Idempotency keys, and the purges of retention.

use crate::{MemoryStore, State, count};
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::identity::RefreshToken;
use tradepost_domain::kernel::{
    IdempotencyScope, Idempotent, Refusal, StoreError, StoredResponse, StoredResponseUsage, UserId,
    check_replay_quota, decide_replay,
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
    /// The stored response of a replay; for a new command, checks that its response fits in a quota
    /// in bytes. Without a user there is no key.
    pub(crate) fn replay<T>(
        &self,
        user: Option<UserId>,
        key: Option<&Idempotent<T>>,
        quota: u64,
    ) -> Result<Option<String>, Refusal> {
        let Some((user, key)) = user.zip(key) else {
            return Ok(None);
        };
        let held = self.keys.get(&(user, key.scope.clone()));
        if let Some(answer) = decide_replay(Some(key), held)? {
            return Ok(Some(answer));
        }
        check_replay_quota(self.kept(user), quota)?;
        Ok(None)
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

/// Builds the record to store, if the command has a key. The encoder is the caller's code and may panic, so call this before
/// any write.
pub(crate) fn kept<T>(
    user: Option<UserId>,
    key: Option<Idempotent<T>>,
    outcome: &T,
    at: DateTime<Utc>,
) -> Vec<Kept> {
    let Some((user, key)) = user.zip(key) else {
        return Vec::new();
    };
    let Idempotent {
        scope,
        fingerprint,
        render,
    } = key;
    let answer = (render.0)(outcome);
    let record = StoredResponse {
        fingerprint,
        answer,
        at,
    };
    vec![((user, scope), record)]
}
