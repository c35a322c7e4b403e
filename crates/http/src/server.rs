//! The application, and the server that runs it.

use crate::backend::Backend;
use crate::config::{ConcurrencyLimits, Settings};
use crate::connection::Shared;
use crate::connection::deadline::WithDeadline;
use crate::connection::lifecycle::Timeouts;
use crate::connection::stream::Stream;
use crate::loaders::Renderers;
use crate::middleware;
use crate::middleware::forwarded::PublicUrl;
use crate::mount::Mount;
use crate::resources::{cart, docs::Docs, probes, products};
use crate::router::Paths;
use crate::state::{RouteFacts, State};
use crate::{openapi, routes};
use actix_http::{HttpService, KeepAlive};
use actix_server::{GracefulShutdownSignal, Server as TcpServer};
use actix_service::{
    IntoServiceFactory, Service, ServiceFactoryExt, fn_factory, fn_service, map_config,
};
use actix_web::body::BoxBody;
use actix_web::dev::{
    AppConfig, Server, ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse,
};
use actix_web::guard::fn_guard;
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, Scope, web};
use socket2::SockRef;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use std::time::Duration;

/// How long a closing connection is still read, so that a client that is sending a body can read
/// the response that rejects it.
const LINGER: Duration = Duration::from_secs(1);

/// Drain period of a stop, in which the server goes on as before, except that each response ends
/// its connection. Requests in transit are answered in it, and clients learn that they have to
/// reconnect, which proxies take as the sign to use another server.
const DRAIN_PERIOD: Duration = Duration::from_millis(500);

/// Backlog of the listening socket: in a rush, a client beyond it has to retry its connection after
/// a second. The system has a limit of its own (`net.core.somaxconn`).
const BACKLOG: i32 = 4_096;

/// Send buffer of a connection, in bytes. By default the system buffers up to 4 MB of a response,
/// and a client that reads nothing is noticed only after them.
const SEND_BUFFER: usize = 64 * 1_024;

/// Minimum rate at which a response must be read, in bytes per second: half of the slowest mobile
/// network (GPRS, 8 kbit/s), as a client may pause. A slower client only keeps a connection busy.
const MIN_READ_RATE: u64 = 512;

/// The shop with the configuration of its API, ready to be served.
#[derive(Clone)]
pub struct Api {
    state: Arc<State>,
    docs: Arc<Docs>,
    limits: ConcurrencyLimits,
}

impl Api {
    /// # Errors
    /// If the system provides no randomness.
    pub fn new(backend: Backend, settings: Settings) -> io::Result<Self> {
        Self::build(backend, settings, None)
    }

    /// The API, and another interface in the same application.
    ///
    /// # Errors
    /// If the system provides no randomness.
    pub fn with_mount(
        backend: Backend,
        settings: Settings,
        mount: Arc<dyn Mount>,
    ) -> io::Result<Self> {
        Self::build(backend, settings, Some(mount))
    }

    fn build(
        backend: Backend,
        settings: Settings,
        mount: Option<Arc<dyn Mount>>,
    ) -> io::Result<Self> {
        let limits = settings.limits;
        let path = settings.public_url.as_ref().map_or("", PublicUrl::path);
        let docs = Docs::new(path, openapi::document_at);
        let routes = RouteFacts {
            patterns: routes::patterns()
                .chain(mount.iter().flat_map(|mount| mount.patterns()))
                .collect(),
            is_probe: probes::is_probe,
            renderers: Renderers {
                product: products::render,
                page: products::render_page,
                cart: cart::render,
            },
            mount,
        };
        Ok(Self {
            docs: Arc::new(docs),
            state: Arc::new(State::new(backend, settings, routes)?),
            limits,
        })
    }

    /// The application: all routes, inside the middleware stack. Each worker has one of its own,
    /// and tests call it without a server.
    pub fn app(
        &self,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<BoxBody>,
            Error = Error,
            InitError = (),
        > + use<>,
    > {
        let app = App::new()
            .app_data(Arc::clone(&self.docs))
            .configure(routes::configure)
            .configure(|config| {
                if let Some(mount) = &self.state.mount {
                    config.service(mounted(mount));
                }
            });
        middleware::wrap(app, &self.state)
    }

    /// Serves on a listening socket. Must be called within an actix or tokio runtime.
    ///
    /// # Errors
    /// If the socket cannot be used.
    pub fn serve(self, listener: TcpListener) -> io::Result<Running> {
        // The time that a stop waits for requests in flight, and a second to write the last
        // response.
        let shutdown_timeout = self.state.request_timeout.as_secs().saturating_add(2);
        let (limits, state) = (self.limits, Arc::clone(&self.state));
        let workers = available_parallelism().map_or(1, usize::from);
        prepare(&listener, &limits)?;
        let server = TcpServer::build()
            .workers(workers)
            .max_concurrent_connections((limits.connections / workers).max(1))
            .disable_signals()
            .shutdown_timeout(shutdown_timeout)
            .worker_max_blocking_threads(limits.running().max(1));
        let stopping = server.graceful_shutdown_signal();
        let server = server
            .listen("tradepost", listener, move || self.connections(&stopping))?
            .run();
        Ok(Running { server, state })
    }

    /// The connection service of each worker.
    fn connections(
        &self,
        stopping: &GracefulShutdownSignal,
    ) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = (), InitError = ()> + use<>
    {
        let timeouts = self.timeouts();
        let connections = Arc::clone(&self.state.connections);
        let stopping = stopping.clone();
        let app = self.app().into_factory();
        let app = app.map_err(|error| error.error_response());
        // The connection's own timer replaces those of HTTP, except for the last one.
        let http = HttpService::build()
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .on_connect_ext(|stream: &Stream<TcpStream>, data| {
                data.insert::<Shared>(Rc::clone(stream.lifecycle()));
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let http = Rc::new(http);
        fn_factory(move || {
            let (http, connections) = (Rc::clone(&http), Arc::clone(&connections));
            async move {
                let http = Rc::new(http.new_service(()).await?);
                Ok(fn_service(move |stream: TcpStream| {
                    let (http, connections) = (Rc::clone(&http), Arc::clone(&connections));
                    async move {
                        let client = stream.peer_addr().ok();
                        let address = client.map(|client| client.ip());
                        let Some(_admission) = connections.admit(address) else {
                            return Ok(());
                        };
                        let stream = Stream::new(stream, timeouts);
                        let lifecycle = Rc::clone(stream.lifecycle());
                        let serving = http.call((stream, client));
                        let note = |why| connections.note(why);
                        WithDeadline::new(serving, lifecycle, note).await;
                        Ok(())
                    }
                }))
            }
        })
    }

    fn timeouts(&self) -> Timeouts {
        let send_window = self.limits.send_timeout.saturating_mul(2);
        let least_taken = send_window.as_secs().saturating_mul(MIN_READ_RATE);
        Timeouts {
            head: self.state.request_timeout,
            keep_alive: self.limits.keep_alive,
            send_window,
            least_taken: usize::try_from(least_taken).unwrap_or(usize::MAX).max(1),
        }
    }
}

/// The scope of a mounted interface. Its guard is one look-up, so that requests to the API do not try
/// its patterns in turn.
fn mounted(mount: &Arc<dyn Mount>) -> Scope {
    let paths = Paths::new(mount.patterns().into_iter());
    let first = routes::patterns().count();
    web::scope("")
        .guard(fn_guard(move |request| {
            paths.find(request.head().uri.path()).is_some()
        }))
        .configure(|config| mount.configure(first, config))
}

/// A running server.
pub struct Running {
    server: Server,
    state: Arc<State>,
}

impl Running {
    /// A handle that stops the server.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle {
            server: self.server.handle(),
            state: Arc::clone(&self.state),
        }
    }

    /// Drives the server until it has stopped.
    ///
    /// # Errors
    /// If the server fails.
    pub async fn finished(self) -> io::Result<()> {
        self.server.await
    }
}

/// Stops a server.
#[derive(Clone)]
pub struct StopHandle {
    server: ServerHandle,
    state: Arc<State>,
}

impl StopHandle {
    /// For half a second, goes on accepting and serving, with `Connection: close` on every
    /// response. Then stops accepting connections, closes idle ones, lets every request in flight
    /// finish (within the request timeout and a little more), and ends the server. Must be called
    /// within an actix or tokio runtime.
    pub async fn stop(&self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        tokio::time::sleep(DRAIN_PERIOD).await;
        self.server.stop(true).await;
    }
}

/// Sets the options that accepted connections inherit from the listening socket.
fn prepare(listener: &TcpListener, limits: &ConcurrencyLimits) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.listen(BACKLOG)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    set_send_timeout(listener, limits.send_timeout)
}

/// Sets the TCP user timeout, which ends connections whose clients do not read their responses,
/// also those that the server has closed while the system still has data to send.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_send_timeout(listener: &TcpListener, after: Duration) -> io::Result<()> {
    SockRef::from(listener).set_tcp_user_timeout(Some(after))
}

/// Other systems have no such option: there, a closed connection may take longer to end.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_send_timeout(_: &TcpListener, _: Duration) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    /// No connection is accepted: all of them wait in the system's backlog.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_rush_of_connections_may_wait() {
        const RUSH: usize = 600;
        let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let rush = most.trim().parse().unwrap_or(RUSH).min(RUSH);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        prepare(&listener, &ConcurrencyLimits::default()).unwrap();
        let address = listener.local_addr().unwrap();
        let wait = Duration::from_secs(30);
        let connect = |_| TcpStream::connect_timeout(&address, wait).unwrap();
        let waiting: Vec<TcpStream> = (0..rush).map(connect).collect();
        assert_eq!(waiting.len(), rush);
    }
}
