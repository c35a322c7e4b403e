//! Application state, shared by all requests: the shop, and the parts of the generic layers.

use crate::access_log::AccessLog;
use crate::backend::Backend;
use crate::config::Settings;
use crate::connection::admission::Connections;
use crate::exec::event_waits::EventWaits;
use crate::exec::pools::Pools;
use crate::exec::readiness::Readiness;
use crate::loaders::{Loaders, Renderers};
use crate::metrics::Metrics;
use crate::middleware::forwarded::{ForwardedInfo, PublicUrl, setting};
use crate::middleware::log_limit::LogLimit;
use crate::middleware::rate_limiter::RateLimiter;
use crate::middleware::request_id::RequestIds;
use crate::middleware::session_cache::SessionCache;
use crate::mount::Mount;
use actix_web::dev::RequestHead;
use ipnet::IpNet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) struct State {
    pub(crate) backend: Backend,
    pub(crate) pools: Pools,
    pub(crate) loaders: Loaders,
    pub(crate) request_ids: RequestIds,
    pub(crate) sessions: SessionCache,
    pub(crate) readiness: Arc<Readiness>,
    /// Another interface in the same application.
    pub(crate) mount: Option<Arc<dyn Mount>>,
    pub(crate) event_waits: EventWaits,
    pub(crate) metrics: Metrics,
    pub(crate) access_log: Arc<dyn AccessLog>,
    pub(crate) connections: Arc<Connections>,
    /// `None` if requests are not rate limited.
    pub(crate) rate_limiter: Option<RateLimiter>,
    pub(crate) request_timeout: Duration,
    pub(crate) page_size: u32,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) metrics_allow: Vec<IpNet>,
    pub(crate) allowed_origins: Vec<String>,
    /// In lower case; `None` for any.
    pub(crate) allowed_hosts: Option<Vec<String>>,
    /// Rate limiter of log lines about requests for other hosts.
    pub(crate) refused_hosts: LogLimit,
    /// Whether a path is that of a probe, which is served for any host.
    pub(crate) is_probe: fn(&str) -> bool,
    /// Whether the server is draining: connections are closed after their response.
    pub(crate) stopping: AtomicBool,
    public_url: Option<PublicUrl>,
}

/// The facts of the routes that the state needs.
pub(crate) struct RouteFacts {
    /// The path of each route, for the metrics.
    pub(crate) patterns: Vec<&'static str>,
    pub(crate) is_probe: fn(&str) -> bool,
    pub(crate) renderers: Renderers,
    pub(crate) mount: Option<Arc<dyn Mount>>,
}

impl State {
    /// # Errors
    /// If the system provides no randomness, or no thread.
    pub(crate) fn new(
        backend: Backend,
        settings: Settings,
        routes: RouteFacts,
    ) -> io::Result<Self> {
        let any = settings.allowed_hosts.iter().any(|host| host == "*");
        let hosts = settings.allowed_hosts.iter().map(|host| setting(host));
        let connections = Connections::new(
            settings.limits.connections,
            settings.limits.connections_per_address,
            settings.trusted_proxies.clone(),
        );
        let pools = Pools::new(settings.limits)?;
        Ok(Self {
            loaders: Loaders::new(&backend, &pools, settings.limits, routes.renderers),
            backend,
            pools,
            request_ids: RequestIds::new()?,
            sessions: SessionCache::new(),
            readiness: Readiness::new(),
            mount: routes.mount,
            event_waits: EventWaits::new(),
            metrics: Metrics::new(routes.patterns),
            access_log: settings.access_log,
            connections: Arc::new(connections),
            rate_limiter: settings.throttling.map(RateLimiter::new),
            refused_hosts: LogLimit::default(),
            is_probe: routes.is_probe,
            stopping: AtomicBool::new(false),
            request_timeout: settings.request_timeout,
            page_size: settings.page_size,
            trusted_proxies: settings.trusted_proxies,
            metrics_allow: settings.metrics_allow,
            allowed_origins: settings.allowed_origins,
            allowed_hosts: (!any).then(|| hosts.collect()),
            public_url: settings.public_url,
        })
    }

    /// The base of absolute links.
    pub(crate) fn base(&self, head: &RequestHead) -> String {
        match &self.public_url {
            Some(url) => url.as_str().to_owned(),
            None => ForwardedInfo::of(head, &self.trusted_proxies).base(),
        }
    }

    /// The path of the public URL; empty at the root.
    pub(crate) fn public_path(&self) -> &str {
        self.public_url.as_ref().map_or("", PublicUrl::path)
    }

    /// Whether each response ends its connection: while the server drains, and while few
    /// connections are left, to free it for another client.
    pub(crate) fn frees_connections(&self) -> bool {
        self.stopping.load(Ordering::Relaxed) || self.connections.are_scarce()
    }
}
