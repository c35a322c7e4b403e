//! Configuration of the API.

use crate::access_log::{AccessLog, FacadeAccessLog};
use crate::exec::worker_pool::PoolLimit;
use crate::middleware::forwarded::PublicUrl;
use crate::middleware::rate_limiter::Throttling;
use ipnet::IpNet;
use std::sync::Arc;
use std::time::Duration;

/// Configuration of the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Base of absolute links; without it, the scheme and host of the request.
    pub public_url: Option<PublicUrl>,
    /// Hosts that requests may be for, without ports; `*` stands for any. The public URL's host is
    /// not added automatically.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-*` headers are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Rate limits; `None` for no limits.
    pub throttling: Option<Throttling>,
    /// Networks that may read the metrics, besides this machine.
    pub metrics_allow: Vec<IpNet>,
    /// Origins whose pages may use the API from a browser; `*` stands for any.
    pub allowed_origins: Vec<String>,
    /// Default page size of lists, in rows.
    pub page_size: u32,
    /// The longest that a request may take, from its head to its response.
    pub request_timeout: Duration,
    /// Limits of concurrency and connections.
    pub limits: ConcurrencyLimits,
    /// Sink of the access records.
    pub access_log: Arc<dyn AccessLog>,
}

/// Limits of concurrency and connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencyLimits {
    /// Use cases, each of which may hold a connection to the database.
    pub work: PoolLimit,
    /// Lists that cost about as much as their page, and as many that cost more, such as searches:
    /// each in a pool of their own, so that no other work waits for them.
    pub lists: PoolLimit,
    /// Password checks and hashes, each of which keeps a core busy.
    pub passwords: PoolLimit,
    /// Connections at once, shared out among the workers. Further ones wait in the backlog of the
    /// operating system until another one is closed.
    pub connections: usize,
    /// Connections at once of one client: an IPv4 address or an IPv6 /64 network. One more is
    /// closed at once. Trusted proxies and the loopback address of this machine have no such limit.
    pub connections_per_address: usize,
    /// Keep-alive timeout: how long a connection is kept without a request.
    pub keep_alive: Duration,
    /// Send timeout: how long a client may leave a response unread before its connection is ended.
    /// In twice this time, it has to take 512 bytes for each second.
    pub send_timeout: Duration,
}

impl ConcurrencyLimits {
    /// Readiness checks: they have to run when all other work hangs. Requests share them; a second
    /// check lets requests be answered while the first one hangs.
    pub(crate) const PROBES: PoolLimit = PoolLimit {
        running: 2,
        waiting: 2,
    };

    /// The most jobs that run at once, of all kinds. Each holds a thread, and may hold a connection
    /// to the database. With a smaller connection pool, some jobs would hold a slot while they wait
    /// for a connection.
    #[must_use]
    pub fn running(&self) -> usize {
        self.work
            .running
            .saturating_add(self.lists.running.saturating_mul(2))
            .saturating_add(self.passwords.running)
            .saturating_add(Self::PROBES.running)
    }
}

impl Default for Settings {
    /// For a server that is reached from this machine alone.
    fn default() -> Self {
        Self {
            public_url: None,
            allowed_hosts: ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into(),
            trusted_proxies: Vec::new(),
            throttling: Some(Throttling::default()),
            metrics_allow: Vec::new(),
            allowed_origins: Vec::new(),
            page_size: 10,
            request_timeout: Duration::from_secs(5),
            limits: ConcurrencyLimits::default(),
            access_log: Arc::new(FacadeAccessLog),
        }
    }
}

impl Default for ConcurrencyLimits {
    /// Half as many password jobs as there are cores, and as many lists: a flood of sign-ins or
    /// searches takes at most half of the processor time.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            work: PoolLimit {
                running: 32,
                waiting: 512,
            },
            lists: PoolLimit {
                running: (cores / 2).max(1),
                waiting: 512,
            },
            passwords: PoolLimit {
                running: (cores / 2).max(1),
                waiting: 64,
            },
            connections: 10_000,
            // Forty browsers with the six connections that each of them opens.
            connections_per_address: 256,
            keep_alive: Duration::from_secs(5),
            // A network may be down for a while; a client that reads nothing for longer is taken as
            // lost.
            send_timeout: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_lists_leave_half_of_the_cores_to_others() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let limits = ConcurrencyLimits::default();
        for running in [limits.passwords.running, limits.lists.running] {
            assert!(running * 2 <= cores || running == 1, "{running} of {cores}");
        }
    }
}
