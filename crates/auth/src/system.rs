//! Clock and randomness of the operating system, behind the domain's ports.

use crate::{BcryptHasher, JwtTokens};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tradepost_domain::kernel::{Clock, NoRandomness, PlacementIds, System};
use tradepost_domain::orders::PlacementId;

/// The environment of a program: the system's clock, random placement ids, bcrypt and JWT.
///
/// # Errors
/// If the operating system gives no random bytes.
pub fn system(hasher: BcryptHasher, tokens: JwtTokens) -> Result<System, NoRandomness> {
    Ok(System {
        clock: Arc::new(SystemClock),
        placement_ids: Arc::new(RandomPlacementIds::new()?),
        hasher: Arc::new(hasher),
        tokens: Arc::new(tokens),
    })
}

/// The system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
    fn now(&self) -> DateTime<Utc> {
        let now = DateTime::<Utc>::from(std::time::SystemTime::now());
        // Truncates to microseconds, the precision of the stores.
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// Placement ids in the order of time, as UUIDs of version 7 ([RFC 9562]): the microseconds since
/// 1970 in the upper 64 bits, and random bits in the lower ones. The ids of one batch of orders are
/// neighbours in the index of the database, where random ones would each change a page of their own.
///
/// [RFC 9562]: https://www.rfc-editor.org/rfc/rfc9562#section-5.7
#[derive(Debug)]
pub struct RandomPlacementIds {
    start: u128,
    fallen_back: AtomicU64,
}

impl RandomPlacementIds {
    /// A generator of ids.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn new() -> Result<Self, NoRandomness> {
        Ok(Self {
            start: random().map_err(|error| NoRandomness(error.to_string()))?,
            fallen_back: AtomicU64::new(0),
        })
    }
}

fn random() -> Result<u128, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(u128::from_le_bytes(bytes))
}

impl PlacementIds for RandomPlacementIds {
    fn next(&self) -> PlacementId {
        let bits = random().unwrap_or_else(|_| {
            // Fallback without randomness, as an order does not wait for entropy: counting on from
            // the random start is as unique.
            let count = self.fallen_back.fetch_add(1, Ordering::Relaxed);
            self.start.wrapping_add(u128::from(count))
        });
        PlacementId::new(at_time(SystemClock.now(), bits))
    }
}

/// These bits, with the upper half replaced by a time.
fn at_time(time: DateTime<Utc>, bits: u128) -> u128 {
    // A clock before 1970 costs the order alone.
    let micros = u64::try_from(time.timestamp_micros()).unwrap_or_default();
    (u128::from(micros) << 64) | (bits & u128::from(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_has_whole_microseconds() {
        let now = SystemClock.now();
        assert_eq!(now.timestamp_subsec_nanos() % 1_000, 0);
        assert!(now.timestamp() > 1_700_000_000);
    }

    #[test]
    fn no_placement_id_comes_twice() {
        let ids = RandomPlacementIds::new().unwrap();
        let given: std::collections::BTreeSet<_> = (0..1_000).map(|_| ids.next()).collect();
        assert_eq!(given.len(), 1_000);
    }

    #[test]
    fn placement_ids_follow_the_time() {
        let at = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        let first = at_time(at(1_700_000_000_000_000), u128::MAX);
        let second = at_time(at(1_700_000_000_000_001), 0);
        assert!(first < second);
        assert_eq!(first & u128::from(u64::MAX), u128::from(u64::MAX));
        assert_eq!(at_time(at(-1), 7), 7);
    }
}
