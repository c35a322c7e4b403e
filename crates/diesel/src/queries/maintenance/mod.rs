//! Health check and retention.

mod clock_readings;

use super::prelude::{self, *};
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::maintenance::{ClockReading, HealthCheck, PoolStats, Retention};

/// Rows that are purged by their age: the table, its key on SQLite, and the column with the age.
pub(crate) type Aging = (&'static str, &'static str, &'static str);

pub(crate) const OLD_KEYS: Aging = ("idempotency_keys", "rowid", "created_at");
pub(crate) const OLD_TOKENS: Aging = ("refresh_tokens", "digest", "expires_at");
const USED_TOKENS: Aging = ("refresh_tokens", "digest", "used_at");
pub(crate) const OLD_ATTEMPTS: Aging = ("attempts", "rowid", "at");
const OLD_READINGS: Aging = ("clock_readings", "id", "uptime");
pub(crate) const OLD_SESSIONS: Aging = ("staff_sessions", "digest", "expires_at");
pub(crate) const OLD_NETWORKS: Aging = ("known_networks", "rowid", "at");

impl HealthCheck for Database {
    fn check(&self) -> Result<(), StoreError> {
        self.check_schema()
    }

    fn pools(&self) -> Vec<PoolStats> {
        self.pool_use()
    }
}

impl Retention for Database {
    fn purge_idempotency_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.purge(OLD_KEYS, before)
    }

    fn purge_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.purge(OLD_TOKENS, before)? + self.purge(USED_TOKENS, before)?)
    }

    fn purge_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.purge(OLD_ATTEMPTS, before)
    }

    fn record_clock(&self, reading: ClockReading, keep_from: TimeDelta) -> Result<(), StoreError> {
        self.write(move |conn| clock_readings::insert(conn, reading))?;
        let keep_from = clock_readings::stored(keep_from);
        self.write(move |conn| Ok(bulk::purge(conn, OLD_READINGS, keep_from, PURGE_BATCH)?))?;
        Ok(())
    }

    fn clock_readings(&self) -> Result<Vec<ClockReading>, StoreError> {
        self.read(clock_readings::all)
    }

    fn purge_known_networks(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.purge(OLD_NETWORKS, before)
    }

    fn purge_staff_sessions(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        self.purge(OLD_SESSIONS, before)
    }
}

impl Database {
    /// Purges old rows in small batches, so that other transactions can write in between.
    fn purge(&self, old: Aging, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let (mut purged, before) = (0, micros(before));
        loop {
            let some = self.write(move |conn| Ok(bulk::purge(conn, old, before, PURGE_BATCH)?))?;
            let some = i64::try_from(some).unwrap_or(i64::MAX);
            purged += row_count(some);
            // The remaining rows are locked, or left for the next run.
            if some < PURGE_BATCH {
                return Ok(purged);
            }
        }
    }
}
