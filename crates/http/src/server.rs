//! The application, and the server that runs it.

use crate::envelope::{envelope, require_allowed_host};
use crate::state::State;
use crate::{Limits, Settings, Shop, routes};
use actix_cors::Cors;
use actix_web::body::BoxBody;
use actix_web::dev::{Server, ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Condition, from_fn};
use actix_web::{App, Error, HttpServer};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use std::time::Duration;

/// How long a connection that ends is listened to, so that a client that is still sending a body
/// gets to read why nobody wants it.
const LINGER: Duration = Duration::from_secs(1);

/// How long a server that is to stop goes on as before, except that each answer ends its
/// connection. Requests that were on their way are answered then, and clients have heard that they
/// have to connect anew, which proxies take for the sign to go elsewhere.
const LAST_CALL: Duration = Duration::from_millis(500);

/// A shop with its settings, ready to be served.
#[derive(Clone)]
pub struct Api {
    state: Arc<State>,
    limits: Limits,
}

impl Api {
    /// # Errors
    /// If the system gives no randomness.
    pub fn new(shop: Shop, settings: Settings) -> io::Result<Self> {
        let limits = settings.limits;
        Ok(Self {
            state: Arc::new(State::new(shop, settings)?),
            limits,
        })
    }

    /// The application: every route, in its envelope. Each worker has one of its own, and tests
    /// call it without a server.
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
        let state = Arc::clone(&self.state);
        let origins = &self.state.allowed_origins;
        App::new()
            .configure(|config| routes::configure(&self.state, config))
            .wrap(from_fn(require_allowed_host))
            .wrap(Condition::new(!origins.is_empty(), cors(origins)))
            .wrap(from_fn(move |request, next| {
                envelope(Arc::clone(&state), request, next)
            }))
    }

    /// Serves on a socket that listens. To be called within an actix or tokio runtime.
    ///
    /// # Errors
    /// If the socket cannot be used.
    pub fn serve(self, listener: TcpListener) -> io::Result<Running> {
        // Beside the work in flight, what a stop waits for: a second to write the last answer.
        let patience = self.state.request_timeout.as_secs().saturating_add(2);
        let (limits, state) = (self.limits, Arc::clone(&self.state));
        let timeout = state.request_timeout;
        let workers = available_parallelism().map_or(1, usize::from);
        end_unread(&listener, limits.unread)?;
        let server = HttpServer::new(move || self.app())
            .workers(workers)
            .max_connections((limits.connections / workers).max(1))
            .disable_signals()
            .shutdown_timeout(patience)
            .client_request_timeout(timeout)
            .client_disconnect_timeout(LINGER)
            .worker_max_blocking_threads(limits.running().max(1))
            .listen(listener)?
            .run();
        Ok(Running { server, state })
    }
}

/// A server that runs.
pub struct Running {
    server: Server,
    state: Arc<State>,
}

impl Running {
    /// A handle to stop it with.
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
    /// For half a second, goes on accepting and serving, with `Connection: close` on every answer.
    /// Then stops accepting connections, closes idle ones, lets every request in flight finish
    /// (within the request timeout and a little more), and ends the server. To be called within an
    /// actix or tokio runtime.
    pub async fn stop(&self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        tokio::time::sleep(LAST_CALL).await;
        self.server.stop(true).await;
    }
}

/// Ends connections whose clients do not read what they asked for. Nothing in actix does: it waits
/// for ever to write the rest. What is set on a listening socket counts for those that it accepts.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn end_unread(listener: &TcpListener, after: Duration) -> io::Result<()> {
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(after))
}

/// Other systems have no such setting: there, only the bound on connections holds.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn end_unread(_: &TcpListener, _: Duration) -> io::Result<()> {
    Ok(())
}

/// What browsers may do from pages of other origins.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        // Any that is asked for: libraries add headers of their own, and what a page may do is up to
        // the token that it sends.
        .allow_any_header()
        .expose_headers([
            "ETag",
            "Idempotent-Replayed",
            "Location",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "WWW-Authenticate",
            "X-Request-ID",
        ])
        // What browsers keep a preflight for: an hour, as a change of settings is rare.
        .max_age(3_600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin().send_wildcard();
    }
    // Credentials for these alone: with `*` any page could act for the user.
    let cors = cors.supports_credentials();
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}
