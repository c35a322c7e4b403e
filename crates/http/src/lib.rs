//! The shop over HTTP.
//!
//! ```text
//! envelope   request id, host, access log, the one form of errors
//!   cors     if other origins are allowed
//!     routes the table: 404, 405, OPTIONS
//!       gate who is calling, and whether they may; panics
//!         handler   read the request, run the use case, shape the answer
//! ```
//!
//! - Each route stands in one line of the table in `routes.rs`, with the access it needs.
//! - `error.rs` is the only file that names the status of a failure.
//! - What may block goes through `work.rs`, which has a bound in front of it; an order goes to the
//!   batcher and holds no thread, and what many read (`reads.rs`) is read for all of them at once.
//! - Rules are not here: a handler asks [`tradepost_domain`], and authorisation is checked there
//!   once more.

mod answer;
mod body;
mod call;
mod connection;
mod cost;
mod cursor;
mod envelope;
mod error;
mod exchange;
mod fields;
mod form;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod handlers;
mod idempotency;
mod log_limit;
mod low_priority;
mod metrics;
mod openapi;
mod origin;
mod pages;
mod password_pool;
mod placing;
mod problem;
mod query;
mod readiness;
mod reads;
mod routes;
mod server;
mod sessions;
mod shapes;
mod state;
mod tags;
mod throttle;
mod together;
mod unread;
mod work;

pub use error::error_codes;
pub use ipnet::IpNet;
pub use openapi::document;
pub use origin::{NotAPublicUrl, PublicUrl};
pub use routes::{Entry, table};
pub use server::{Api, Running, StopHandle};
pub use throttle::Throttling;
pub use work::Limit;

use std::sync::Arc;
use std::time::Duration;
use tradepost_batch::Batcher;
use tradepost_domain::{Accounts, Attempts, Carts, Catalogue, Currency, Orders, Seal, Upkeep};

/// What there is to serve.
#[derive(Clone)]
pub struct Shop {
    /// Products.
    pub catalogue: Catalogue,
    /// Carts.
    pub carts: Carts,
    /// Orders.
    pub orders: Orders,
    /// Accounts.
    pub accounts: Accounts,
    /// What keeps passwords from being guessed.
    pub attempts: Attempts,
    /// Where orders wait to be placed together.
    pub batcher: Arc<Batcher>,
    /// What cursors are sealed with.
    pub seal: Arc<dyn Seal>,
    /// What tells whether the store is well.
    pub upkeep: Arc<dyn Upkeep>,
    /// The currency of every price.
    pub currency: Currency,
}

/// How it is served.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What absolute links begin with; without it, what the client asked for.
    pub public_url: Option<PublicUrl>,
    /// Hosts that requests may be for, without ports; `*` stands for any. The public URL's host is
    /// not added by itself.
    pub allowed_hosts: Vec<String>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How many requests are not too many; `None` for any number.
    pub throttling: Option<Throttling>,
    /// Networks that may read the metrics, besides this machine.
    pub metrics_allow: Vec<IpNet>,
    /// Origins whose pages may use the API from a browser; `*` stands for any.
    pub allowed_origins: Vec<String>,
    /// Rows on a page of a list for clients that name no size.
    pub page_size: u32,
    /// How long a request may take, from its head to its answer.
    pub request_timeout: Duration,
    /// How much may be done at once.
    pub limits: Limits,
}

/// How much may be done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Use cases, each of which may hold a connection to the database.
    pub work: Limit,
    /// Lists and searches, which cost what the client asks for: apart from everything else, so that
    /// none of it waits for them.
    pub lists: Limit,
    /// Passwords that are checked or hashed, each of which keeps a core busy.
    pub passwords: Limit,
    /// Connections at once, shared out among the workers. Who comes beyond them waits in the
    /// system's queue until another one leaves.
    pub connections: usize,
    /// Connections at once of one client: an IPv4 address or an IPv6 /64 network. One more is closed
    /// at once. Trusted proxies and the loopback address of this machine have no such bound.
    pub connections_per_address: usize,
    /// How long a connection is kept without a request.
    pub keep_alive: Duration,
    /// How long a client may leave an answer unread before its connection is ended. In
    /// twice this time, it has to take 512 bytes for each second.
    pub unread: Duration,
}

impl Limits {
    /// Readiness checks: they have to run when everything else hangs. Askers share them; a second
    /// one lets them be told while the first one hangs.
    pub(crate) const PROBES: Limit = Limit {
        running: 2,
        waiting: 2,
    };

    /// The most that runs at once, of all kinds: whoever has a place holds a thread, and may hold a
    /// connection to the database. If there are fewer connections, some wait for one while the
    /// places after them stay empty.
    #[must_use]
    pub fn running(&self) -> usize {
        self.work
            .running
            .saturating_add(self.lists.running)
            .saturating_add(self.passwords.running)
            .saturating_add(Self::PROBES.running)
    }
}

impl Default for Settings {
    /// For a server on this machine alone.
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
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    /// Half as many passwords as there are cores, and as many lists: a flood of sign-ins or searches
    /// takes half of the shop from those who buy, and no more.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            work: Limit {
                running: 32,
                waiting: 512,
            },
            lists: Limit {
                running: (cores / 2).max(1),
                waiting: 512,
            },
            passwords: Limit {
                running: (cores / 2).max(1),
                waiting: 64,
            },
            connections: 10_000,
            // Forty browsers with the six connections that each of them opens.
            connections_per_address: 256,
            keep_alive: Duration::from_secs(5),
            // A network may be gone for a while; whoever does not read for longer is gone.
            unread: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_lists_leave_half_of_the_cores_to_others() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let limits = Limits::default();
        for running in [limits.passwords.running, limits.lists.running] {
            assert!(running * 2 <= cores || running == 1, "{running} of {cores}");
        }
    }
}
