//! Rate limiter: a token bucket for each user, session, address and network, implemented as GCRA
//! (generic cell rate algorithm), in which a bucket is one time. A request takes its cost out of
//! it.
//!
//! Buckets live in the memory of each server, and full ones are not stored. Beyond the maximum
//! number of buckets, new keys are not limited: a client with that many addresses is not held up by
//! limits per address.

use crate::error::ApiError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tradepost_domain::identity::ClientNetwork;
use tradepost_domain::kernel::UserId;
use tradepost_metrics::Counter;

/// After the IETF draft "RateLimit header fields for HTTP".
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Each shard has a lock of its own, so that concurrent requests seldom contend.
const SHARDS: usize = 16;

/// The most buckets in a shard: a few megabytes in all.
const MAX_BUCKETS: usize = 4_096;

/// Minimum time between two sweeps of a full shard for buckets that have filled up, in
/// microseconds.
const SWEEP_INTERVAL: u64 = 100_000;

const MINUTE: u64 = 60_000_000;

/// Rate limits, in units of cost: most requests cost one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttling {
    /// Units a minute of one user, from 1; the burst is as large.
    pub user: u32,
    /// The same of one address, for all requests without a signed-in user.
    pub address: u32,
    /// The same of one network, for all of its users and all requests without a signed-in user: an
    /// IPv4 address, or a /48 of IPv6.
    pub network: u32,
}

impl Throttling {
    /// The maximum for [`Throttling::network`].
    pub const MAX_NETWORK: u32 = 10_000_000;

    /// The default rate of a network when only that of an address is set: five times as much. An
    /// operator who raises the rate of an address raises that of the users behind it too.
    #[must_use]
    pub fn network_of(address: u32) -> u32 {
        address.saturating_mul(5).min(Self::MAX_NETWORK)
    }
}

impl Default for Throttling {
    /// Twenty a second are more than a person clicks; a hundred a second from one address leave
    /// room for an office behind it, and for a front end that sends requests on behalf of visitors.
    /// Five hundred a second from one network are twenty-five users at their own limit.
    fn default() -> Self {
        Self {
            user: 1_200,
            address: 6_000,
            network: Self::network_of(6_000),
        }
    }
}

/// The key of the bucket that a request is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payer {
    /// The user, over all sessions: the account was looked up.
    User(UserId),
    /// A session that its token names, before the account is looked up. It may have ended: the
    /// holder of an ended token takes nothing from the user.
    Session(UserId, i64),
    /// The address, for requests without a token that is known to be genuine.
    Address(ClientNetwork),
    /// The network of an address, for every request.
    Network(ClientNetwork),
}

/// The network of an address. A site of IPv6 has up to a /48 (RFC 6177), which is 65,536 networks
/// of the size that [`ClientNetwork`] distinguishes.
fn network(place: ClientNetwork) -> IpAddr {
    match place.address() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 80 << 80).into(),
    }
}

/// Quota state: the content of a bucket after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    policy: &'static str,
    quota: u32,
    remaining: u64,
    /// Seconds until the bucket is full again, rounded up.
    reset: u64,
}

impl Quota {
    /// The one of two buckets with less left.
    pub(crate) fn nearer(self, other: Self) -> Self {
        if other.remaining <= self.remaining {
            other
        } else {
            self
        }
    }

    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let Self {
            policy,
            quota,
            remaining,
            reset,
        } = self;
        let of_policy = HeaderValue::try_from(format!("\"{policy}\";q={quota};w=60"));
        let now = HeaderValue::try_from(format!("\"{policy}\";r={remaining};t={reset}"));
        // Digits and compiled-in words are a valid header value.
        if let (Ok(of_policy), Ok(now)) = (of_policy, now) {
            headers.insert(POLICY, of_policy);
            headers.insert(LIMIT, now);
        }
    }
}

/// The decision on a request, with the state of its bucket.
pub(crate) type RateLimitDecision = (Quota, Result<(), ApiError>);

pub(crate) struct RateLimiter {
    began: Instant,
    users: Buckets<UserId>,
    sessions: Buckets<(UserId, i64)>,
    addresses: Buckets<ClientNetwork>,
    networks: Buckets<IpAddr>,
}

impl RateLimiter {
    pub(crate) fn new(rates: Throttling) -> Self {
        Self {
            began: Instant::now(),
            users: Buckets::new("user", rates.user),
            sessions: Buckets::new("session", rates.user),
            addresses: Buckets::new("address", rates.address),
            networks: Buckets::new("network", rates.network),
        }
    }

    /// Takes the cost of a request out of a bucket.
    pub(crate) fn take(&self, payer: Payer, cost: u32) -> RateLimitDecision {
        let now = self.now();
        match payer {
            Payer::User(user) => self.users.take(user, cost, now),
            Payer::Session(user, epoch) => self.sessions.take((user, epoch), cost, now),
            Payer::Address(place) => self.addresses.take(place, cost, now),
            Payer::Network(place) => self.networks.take(network(place), cost, now),
        }
    }

    /// The number of refused requests, by the limit that refused them.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 4] {
        [
            (self.addresses.name, self.addresses.refused.get()),
            (self.networks.name, self.networks.refused.get()),
            (self.sessions.name, self.sessions.refused.get()),
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
    /// Microseconds in which one unit is refilled.
    interval: u64,
    shards: [Mutex<Shard<K>>; SHARDS],
    hash: RandomState,
    refused: Counter,
}

struct Shard<K> {
    /// When each bucket is full again. Full ones are left out.
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
        let quota = quota.clamp(1, Throttling::MAX_NETWORK);
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

    /// Takes a cost out of a bucket, at a time in microseconds. A cost above the capacity of the
    /// bucket takes all of it.
    fn take(&self, key: K, cost: u32, now: u64) -> RateLimitDecision {
        // The time that an empty bucket takes to fill up.
        let whole = self.interval * u64::from(self.quota);
        let mut left = self.interval * u64::from(cost.min(self.quota));
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
        let quota = Quota {
            policy: self.name,
            quota: self.quota,
            remaining: whole.saturating_sub(left) / self.interval,
            reset: left.div_ceil(1_000_000),
        };
        if wait == 0 {
            return (quota, Ok(()));
        }
        self.refused.add_one();
        let seconds = wait.div_ceil(1_000_000);
        (quota, Err(ApiError::Throttled { seconds }))
    }
}

impl<K: Copy + Eq + Hash> Shard<K> {
    /// Whether there is room for one more bucket.
    fn has_room(&mut self, now: u64) -> bool {
        if self.full.len() >= MAX_BUCKETS && now.saturating_sub(self.swept) >= SWEEP_INTERVAL {
            self.full.retain(|_, full| *full > now);
            self.swept = now;
        }
        self.full.len() < MAX_BUCKETS
    }
}

#[cfg(test)]
#[path = "rate_limiter_tests.rs"]
mod tests;
