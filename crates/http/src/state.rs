//! Application state, shared by all requests.

use crate::connection::admission::Connections;
use crate::error::ApiError;
use crate::exec::loaders::Reads;
use crate::exec::password_pool::{Client, PasswordPool};
use crate::exec::worker_pool::{JobKind, PoolLoad, WorkerPool};
use crate::metrics::Metrics;
use crate::middleware::forwarded::{ForwardedInfo, PublicUrl, setting};
use crate::middleware::log_limit::LogLimit;
use crate::middleware::rate_limit::RateLimiter;
use crate::middleware::request_info::RequestIds;
use crate::middleware::session_cache::SessionCache;
use crate::resources::docs::Docs;
use crate::resources::readiness::Readiness;
use crate::{ConcurrencyLimits, Services, Settings};
use actix_web::dev::RequestHead;
use ipnet::IpNet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::{ShopError, StoreErrorKind};

pub(crate) struct State {
    pub(crate) shop: Services,
    pub(crate) request_ids: RequestIds,
    pub(crate) sessions: SessionCache,
    pub(crate) reads: Reads,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) metrics: Metrics,
    pub(crate) connections: Arc<Connections>,
    pub(crate) throttle: Option<RateLimiter>,
    pub(crate) request_timeout: Duration,
    pub(crate) page_size: u32,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) metrics_allow: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<String>,
    /// In lower case; `None` for any.
    pub(crate) allowed_hosts: Option<Vec<String>>,
    /// Rate limiter of log lines about requests for other hosts.
    pub(crate) refused_hosts: LogLimit,
    /// Whether the server is draining: connections are closed after their response.
    pub(crate) stopping: AtomicBool,
    pub(crate) docs: Option<Docs>,
    public_url: Option<PublicUrl>,
    work: WorkerPool,
    lists: WorkerPool,
    passwords: PasswordPool,
    probes: WorkerPool,
}

/// The assumed duration of a list until one has ended.
const LIST_TIME: Duration = Duration::from_millis(20);

/// The assumed duration of a password job until one has ended: longer than on any usable machine.
const PASSWORD_TIME: Duration = Duration::from_secs(1);

impl State {
    /// # Errors
    /// If the system provides no randomness, or no thread.
    pub(crate) fn new(shop: Services, settings: Settings) -> io::Result<Self> {
        let any = settings.allowed_hosts.iter().any(|host| host == "*");
        let hosts = settings.allowed_hosts.iter().map(|host| setting(host));
        let connections = Connections::new(
            settings.limits.connections,
            settings.limits.connections_per_address,
            settings.trusted_proxies.clone(),
        );
        Ok(Self {
            shop,
            request_ids: RequestIds::new()?,
            sessions: SessionCache::new(),
            reads: Reads::new(settings.limits),
            readiness: Readiness::new(),
            metrics: Metrics::new(),
            connections: Arc::new(connections),
            throttle: settings.throttling.map(RateLimiter::new),
            refused_hosts: LogLimit::default(),
            stopping: AtomicBool::new(false),
            request_timeout: settings.request_timeout,
            page_size: settings.page_size,
            trusted_proxies: settings.trusted_proxies,
            metrics_allow: settings.metrics_allow,
            allowed_origins: settings.allowed_origins,
            allowed_hosts: (!any).then(|| hosts.collect()),
            docs: Docs::below(settings.public_url.as_ref()),
            public_url: settings.public_url,
            work: WorkerPool::new(settings.limits.work),
            lists: WorkerPool::with_admission(settings.limits.lists, LIST_TIME)
                .with_low_priority()?,
            passwords: PasswordPool::new(settings.limits.passwords, PASSWORD_TIME),
            probes: WorkerPool::new(ConcurrencyLimits::PROBES),
        })
    }

    /// The base of absolute links.
    pub(crate) fn base(&self, head: &RequestHead) -> String {
        match &self.public_url {
            Some(url) => url.as_str().to_owned(),
            None => ForwardedInfo::of(head, &self.trusted_proxies).base(),
        }
    }

    /// The current load of each pool, by name.
    pub(crate) fn loads(&self) -> [(&'static str, PoolLoad); 4] {
        [
            ("work", self.work.load()),
            ("lists", self.lists.load()),
            ("passwords", self.passwords.load()),
            ("probes", self.probes.load()),
        ]
    }

    /// Runs a use case in the worker pool of its job kind.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        kind: JobKind,
        deadline: Instant,
        job: impl FnOnce(&Services) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let bound = match kind {
            JobKind::Query | JobKind::Command => &self.work,
            JobKind::List => &self.lists,
            JobKind::Probe => &self.probes,
        };
        let state = Arc::clone(self);
        let done = bound.run(deadline, kind, move || job(&state.shop)).await?;
        done.map_err(|error| match error {
            // The same as if the request had timed out just before.
            ShopError::Store(store) if *store.kind() == StoreErrorKind::DeadlineExceeded => {
                kind.overdue()
            }
            other => other.into(),
        })
    }

    /// Runs a use case that checks or hashes a password, and whose writes need no known outcome:
    /// counts, or a stronger hash.
    pub(crate) async fn run_password<T: Send + 'static>(
        self: &Arc<Self>,
        client: Client,
        deadline: Instant,
        job: impl FnOnce(&Services) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let state = Arc::clone(self);
        let job = move || job(&state.shop);
        Ok(self.passwords.run(client, deadline, job).await??)
    }
}
