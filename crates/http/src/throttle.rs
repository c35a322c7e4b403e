//! How much each user and each address may ask for: a bucket of requests each, which fills up again
//! evenly (the generic cell rate algorithm, in which a bucket is one time).
//!
//! Buckets live in the memory of each server, and those that are full need none. Where they would
//! take more than there is room for, newcomers are not counted: whoever has that many addresses is
//! not held up by counting them.

use crate::error::ApiError;
use crate::metrics::Counter;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tradepost_domain::{UserId, Whereabouts};

/// In the manner of the IETF draft "RateLimit header fields for HTTP".
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Each with a lock of its own, so that those who come at once seldom meet.
const SHARDS: usize = 16;

/// The most buckets in a shard: all in all a few megabytes.
const MOST: usize = 4_096;

/// How often a full shard is looked through for buckets that have filled up.
const SWEEP: u64 = 100_000;

const MINUTE: u64 = 60_000_000;

/// How many requests are not too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttling {
    /// Requests a minute of one user, from 1; as many may come at once.
    pub user: u32,
    /// The same of one address, for all that is asked without being signed in.
    pub address: u32,
}

impl Default for Throttling {
    /// Twenty a second are more than anybody clicks; a hundred a second from one address leave room
    /// for an office behind it, and for a front end that asks on behalf of visitors.
    fn default() -> Self {
        Self {
            user: 1_200,
            address: 6_000,
        }
    }
}

/// What a bucket holds after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    policy: &'static str,
    quota: u32,
    remaining: u64,
    /// Seconds until the bucket is full again, rounded up.
    reset: u64,
}

impl Allowance {
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let Self {
            policy,
            quota,
            remaining,
            reset,
        } = self;
        let of_policy = HeaderValue::try_from(format!("\"{policy}\";q={quota};w=60"));
        let now = HeaderValue::try_from(format!("\"{policy}\";r={remaining};t={reset}"));
        // Digits and compiled in words are header values.
        if let (Ok(of_policy), Ok(now)) = (of_policy, now) {
            headers.insert(POLICY, of_policy);
            headers.insert(LIMIT, now);
        }
    }
}

/// Whether there may be another request, and what the bucket holds.
pub(crate) type Taken = (Allowance, Result<(), ApiError>);

pub(crate) struct Throttle {
    began: Instant,
    /// By their sessions: whoever holds a token that has ended takes nothing from its owner.
    users: Buckets<(UserId, i64)>,
    addresses: Buckets<Whereabouts>,
}

impl Throttle {
    pub(crate) fn new(rates: Throttling) -> Self {
        Self {
            began: Instant::now(),
            users: Buckets::new("user", rates.user),
            addresses: Buckets::new("address", rates.address),
        }
    }

    pub(crate) fn user(&self, user: UserId, session_epoch: i64) -> Taken {
        self.users.take((user, session_epoch), self.now())
    }

    pub(crate) fn address(&self, place: Whereabouts) -> Taken {
        self.addresses.take(place, self.now())
    }

    /// By what requests are held up, and how many were.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        [
            (self.addresses.name, self.addresses.refused.get()),
            (self.users.name, self.users.refused.get()),
        ]
    }

    fn now(&self) -> u64 {
        micros(self.began.elapsed())
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

struct Buckets<K> {
    name: &'static str,
    quota: u32,
    /// Microseconds in which one request comes back.
    interval: u64,
    shards: [Mutex<Shard<K>>; SHARDS],
    hash: RandomState,
    refused: Counter,
}

struct Shard<K> {
    /// When each bucket is full again. One that is full stands for all that are not there.
    full: HashMap<K, u64>,
    swept: u64,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    fn new(name: &'static str, quota: u32) -> Self {
        let shard = |_| {
            Mutex::new(Shard {
                full: HashMap::new(),
                swept: 0,
            })
        };
        let quota = quota.clamp(1, 1_000_000);
        Self {
            name,
            quota,
            interval: MINUTE / u64::from(quota),
            shards: std::array::from_fn(shard),
            hash: RandomState::new(),
            refused: Counter::default(),
        }
    }

    fn shard(&self, key: &K) -> Option<&Mutex<Shard<K>>> {
        let number = usize::try_from(self.hash.hash_one(key) >> 32).unwrap_or_default();
        self.shards.get(number % SHARDS)
    }

    /// Takes a request out of a bucket, at a time in microseconds.
    fn take(&self, key: K, now: u64) -> Taken {
        // The time that an empty bucket takes to fill up.
        let whole = self.interval * u64::from(self.quota);
        let mut left = self.interval;
        let mut wait = 0;
        if let Some(shard) = self.shard(&key) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(full) = shard.full.get_mut(&key) {
                let before = full.saturating_sub(now);
                left += before;
                if left > whole {
                    wait = left - whole;
                    left = before;
                } else {
                    *full = now + left;
                }
            } else if shard.has_room(now) {
                shard.full.insert(key, now + left);
            }
        }
        let allowance = Allowance {
            policy: self.name,
            quota: self.quota,
            remaining: whole.saturating_sub(left) / self.interval,
            reset: left.div_ceil(1_000_000),
        };
        if wait == 0 {
            return (allowance, Ok(()));
        }
        self.refused.add_one();
        let seconds = wait.div_ceil(1_000_000);
        (allowance, Err(ApiError::Throttled { seconds }))
    }
}

impl<K: Copy + Eq + Hash> Shard<K> {
    /// Whether there is room for one more.
    fn has_room(&mut self, now: u64) -> bool {
        if self.full.len() >= MOST && now.saturating_sub(self.swept) >= SWEEP {
            self.full.retain(|_, full| *full > now);
            self.swept = now;
        }
        self.full.len() < MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// Requests at these times: what is left, or for how many seconds to wait.
    fn taken(quota: u32, times: &[u64]) -> Vec<Result<u64, u64>> {
        let buckets = Buckets::new("user", quota);
        let take = |time: &u64| match buckets.take(1, *time) {
            (allowance, Ok(())) => Ok(allowance.remaining),
            (allowance, Err(ApiError::Throttled { seconds })) => {
                assert_eq!(allowance.remaining, 0);
                Err(seconds)
            }
            (_, Err(other)) => panic!("{other:?}"),
        };
        times.iter().map(take).collect()
    }

    #[test]
    fn a_bucket_is_emptied_at_once_and_fills_up_evenly() {
        let times = [
            0,
            0,
            0,
            1,
            19 * SECOND,
            20 * SECOND - 1,
            20 * SECOND,
            20 * SECOND,
            200 * SECOND,
        ];
        let expected = [
            Ok(2),
            Ok(1),
            Ok(0),
            Err(20),
            Err(1),
            Err(1),
            Ok(0),
            Err(20),
            Ok(2),
        ];
        assert_eq!(taken(3, &times), expected);
    }

    #[test]
    fn whoever_waits_as_told_gets_through() {
        for quota in [1, 7, 60, 1_200, 7_001, 1_000_000] {
            let buckets = Buckets::new("user", quota);
            let mut count = 0;
            let seconds = loop {
                match buckets.take(1, 5).1 {
                    Ok(()) => count += 1,
                    Err(ApiError::Throttled { seconds }) => break seconds,
                    Err(other) => panic!("{other:?}"),
                }
            };
            assert_eq!(count, quota);
            assert!(buckets.take(1, 5 + seconds * SECOND).1.is_ok(), "{quota}");
        }
    }

    #[test]
    fn memory_has_a_bound_and_what_is_full_makes_room() {
        let buckets = Buckets::new("address", 1);
        let held = || -> usize {
            let shards = buckets.shards.iter();
            shards.map(|shard| shard.lock().unwrap().full.len()).sum()
        };
        let many = 2 * SHARDS * MOST;
        for key in 0..many {
            assert!(buckets.take(key, 0).1.is_ok());
        }
        assert_eq!(held(), SHARDS * MOST);
        // Those who are known stay known.
        let known = (0..many).filter(|key| buckets.take(*key, 1).1.is_err());
        assert_eq!(known.count(), SHARDS * MOST);
        // Once their buckets are full, others find room.
        for key in 0..1_000 {
            assert!(buckets.take(many + key, 61 * SECOND).1.is_ok());
            assert!(buckets.take(many + key, 61 * SECOND).1.is_err());
        }
        assert_eq!(held(), 1_000);
    }

    #[test]
    fn the_fields_as_the_draft_has_them() {
        let buckets = Buckets::new("user", 1_200);
        let mut headers = HeaderMap::new();
        for (now, expected) in [
            (0, "\"user\";r=1199;t=1"),
            (0, "\"user\";r=1198;t=1"),
            (30_000, "\"user\";r=1197;t=1"),
        ] {
            buckets.take(1, now).0.write(&mut headers);
            assert_eq!(headers.get("ratelimit").unwrap(), expected);
            assert_eq!(
                headers.get("ratelimit-policy").unwrap(),
                "\"user\";q=1200;w=60"
            );
        }
        for _ in 0..600 {
            buckets.take(1, 30_000).0.write(&mut headers);
        }
        assert_eq!(headers.get("ratelimit").unwrap(), "\"user\";r=597;t=31");
    }
}
