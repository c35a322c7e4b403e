//! The request context: the facts of a request for all layers, and the API of a handler.

use crate::backend::Backend;
use crate::error::ApiError;
use crate::exec::batched_write;
use crate::exec::event_waits::EventWaits;
use crate::exec::password_pool::Client;
use crate::exec::worker_pool::JobKind;
use crate::extract::fields::Fields;
use crate::loaders::{CatalogPageKey, Loaders, RenderedPage};
use crate::metrics::{SignIn, report};
use crate::middleware::forwarded;
use crate::middleware::forwarded::ForwardedInfo;
use crate::middleware::rate_limiter::Quota;
use crate::respond::replay;
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderValue;
use actix_web::http::{Method, Uri};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use ipnet::IpNet;
use std::cell::Cell;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tradepost_batch::Batcher;
use tradepost_domain::Services;
use tradepost_domain::catalog::ProductList;
use tradepost_domain::identity::{ClientNetwork, IdentityRefusal, SignInPriority, decide_role};
use tradepost_domain::kernel::{
    Actor, Currency, Error, IdempotencyKey, MessageSigner, PageRequest, Refusal, UserId,
};

/// The facts of a request, made by [`crate::middleware::request_context`] and completed by the
/// layers below. They outlive the request itself, which belongs to one layer at a time.
pub(crate) struct RequestInfo {
    pub(crate) state: Arc<State>,
    pub(crate) id: HeaderValue,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// The client IP; `None` if it is unknown.
    pub(crate) client: Option<IpAddr>,
    pub(crate) host_allowed: bool,
    /// Whether the client asked for errors as `application/problem+json`.
    pub(crate) wants_problem: bool,
    pub(crate) began: Instant,
    /// When the response is due.
    pub(crate) deadline: Instant,
    /// Index of the route in the table; `None` until a route is matched.
    pub(crate) route: Cell<Option<usize>>,
    /// The caller; `None` until the route has admitted it.
    pub(crate) actor: Cell<Option<Actor>>,
    /// The kind of its lists, by its cost.
    pub(crate) list_kind: Cell<JobKind>,
    /// Whether the command carries an idempotency key that its route supports: sending it again
    /// does not repeat it.
    pub(crate) has_key: Cell<bool>,
    /// Whether the response is a representation that may be compressed.
    pub(crate) is_compressible: Cell<bool>,
    /// State of the bucket with the least left, if rate limiting is on.
    pub(crate) quota: Cell<Option<Quota>>,
    /// Whether the client network has been charged.
    pub(crate) network_charged: Cell<bool>,
}

impl RequestInfo {
    pub(crate) fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }

    pub(crate) fn id(&self) -> &str {
        self.id.to_str().unwrap_or("-")
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The client network. All requests without a known client IP share one.
    pub(crate) fn client_network(&self) -> ClientNetwork {
        ClientNetwork::new(self.client.unwrap_or(Ipv4Addr::UNSPECIFIED.into()))
    }
}

/// The request context of a handler: the caller, the request, and the way to the services.
pub struct RequestContext {
    pub(crate) actor: Actor,
    pub(crate) deadline: Instant,
    info: Rc<RequestInfo>,
    request: HttpRequest,
}

impl FromRequest for RequestContext {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let info = RequestInfo::of(request);
        let admitted = info.and_then(|info| Some((info.actor.get()?, info)));
        let context = admitted.map(|(actor, info)| Self {
            actor,
            deadline: info.deadline,
            info,
            request: request.clone(),
        });
        let defect =
            || ApiError::Defect("a handler was reached past the table of routes".to_owned());
        ready(context.ok_or_else(defect))
    }
}

/// Interfaces beside the API.
impl RequestContext {
    /// The context of a request that is not admitted yet.
    pub(crate) fn anonymous(info: &Rc<RequestInfo>, request: &HttpRequest) -> Self {
        Self {
            actor: Actor::Anonymous,
            deadline: info.deadline,
            info: Rc::clone(info),
            request: request.clone(),
        }
    }

    /// The caller.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// When the response is due.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.info.id()
    }

    /// The facts of the request.
    pub(crate) fn info(&self) -> &RequestInfo {
        &self.info
    }

    /// Scheme, host and path of the shop's public URL, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        self.url("")
    }

    /// The path of the shop's public URL; empty at the root.
    #[must_use]
    pub fn public_path(&self) -> &str {
        self.info.state.public_path()
    }

    /// The origin that the request itself names: scheme, host and port.
    #[must_use]
    pub fn own_origin(&self) -> String {
        let trusted = &self.info.state.trusted_proxies;
        ForwardedInfo::of(self.request.head(), trusted).base()
    }

    /// Whether the client is on this machine, or in one of these networks. Requests forwarded by an
    /// untrusted proxy have no known client address and are denied.
    #[must_use]
    pub fn is_from(&self, networks: &[IpNet]) -> bool {
        let (head, state) = (self.request.head(), &self.info.state);
        let unknown = forwarded::is_via_untrusted_proxy(head, &state.trusted_proxies);
        let allowed = |client: IpAddr| {
            let mut networks = networks.iter();
            client.is_loopback() || networks.any(|network| network.contains(&client))
        };
        !unknown && self.info.client.is_some_and(allowed)
    }
}

/// Services, and jobs that run on the worker pools.
impl RequestContext {
    pub(crate) fn backend(&self) -> &Backend {
        &self.info.state.backend
    }

    /// The currency of every price.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.backend().currency
    }

    /// Signs pagination cursors.
    #[must_use]
    pub fn signer(&self) -> &dyn MessageSigner {
        &*self.backend().signer
    }

    /// Batched and shared reads.
    pub(crate) fn loaders(&self) -> &Loaders {
        &self.info.state.loaders
    }

    /// A shared page of the catalogue, read in the pool of this request's cost.
    ///
    /// # Errors
    /// [`Refusal::NotFound`](tradepost_domain::kernel::Refusal::NotFound) for a page that does not
    /// exist; those of the read; if it cannot run by the deadline.
    pub(crate) async fn catalogue_page(
        &self,
        list: ProductList,
        page: PageRequest,
    ) -> Result<Arc<RenderedPage>, ApiError> {
        let key = CatalogPageKey::of(self.actor, list, page);
        let kind = self.info.list_kind.get();
        self.loaders().page(kind, key, self.deadline).await
    }

    /// Runs a use case that reads.
    ///
    /// # Errors
    /// Those of the use case; if it cannot run by the deadline.
    pub async fn query<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(JobKind::Query, job).await
    }

    /// Runs a use case that reads a list.
    ///
    /// # Errors
    /// Those of the use case; if it cannot run by the deadline.
    pub async fn read_list<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(self.info.list_kind.get(), job).await
    }

    /// Runs a use case that reads a list, for a request that has waited. Its time begins now.
    pub(crate) async fn read_list_now<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (state, actor) = (Arc::clone(&self.info.state), self.actor);
        let job = move || job(&state.backend.services, actor);
        let pools = &self.info.state.pools;
        pools.run(JobKind::List, self.deadline_now(), job).await
    }

    fn deadline_now(&self) -> Instant {
        Instant::now() + self.info.state.request_timeout
    }

    /// Requests that wait for an event.
    pub(crate) fn event_waits(&self) -> &EventWaits {
        &self.info.state.event_waits
    }

    /// The last position of the event log.
    pub(crate) async fn last_event(&self) -> Result<i64, ApiError> {
        let last = &self.loaders().last_event;
        last.load((), self.deadline_now()).await
    }

    /// Checks that the caller, admitted as staff, still is.
    pub(crate) async fn check_staff(&self) -> Result<(), ApiError> {
        let user = self.actor.staff()?;
        let account = self.loaders().accounts.load(user, self.deadline_now());
        Ok(decide_role(account.await?.as_ref())?.staff().map(drop)?)
    }

    /// Whether the server stops, so that no request should wait.
    pub(crate) fn is_stopping(&self) -> bool {
        self.info.state.stopping.load(Ordering::Relaxed)
    }

    /// Runs a use case that writes.
    ///
    /// # Errors
    /// Those of the use case; if it cannot run by the deadline.
    pub async fn command<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(JobKind::Command, job).await
    }

    /// Executes a command through its batcher.
    pub(crate) async fn execute<C, T>(
        &self,
        batcher: &Batcher<C, T>,
        command: C,
    ) -> Result<T, ApiError>
    where
        C: Clone + Send + 'static,
        T: Send + 'static,
    {
        batched_write::execute(batcher, command, self.deadline).await
    }

    async fn run<T: Send + 'static>(
        &self,
        kind: JobKind,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (state, actor) = (Arc::clone(&self.info.state), self.actor);
        let job = move || job(&state.backend.services, actor);
        self.info.state.pools.run(kind, self.deadline, job).await
    }

    /// Runs a use case that checks or hashes a password, and whose writes need no known outcome:
    /// counts, or a stronger hash.
    ///
    /// # Errors
    /// Those of the use case; if it cannot run by the deadline.
    pub async fn run_password<T: Send + 'static>(
        &self,
        priority: SignInPriority,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (state, actor) = (Arc::clone(&self.info.state), self.actor);
        let job = move || job(&state.backend.services, actor);
        let client = Client::new(self.client_network(), priority);
        let passwords = &self.info.state.pools.passwords;
        Ok(passwords.run(client, self.deadline, job).await??)
    }

    /// Runs the readiness check, shared with other requests at about the same time. It has a
    /// deadline of its own, independent of the load of the server.
    pub(crate) async fn probe(&self) -> Result<(), ApiError> {
        let state = &self.info.state;
        let check = |deadline: tokio::time::Instant| {
            let (state, probed) = (Arc::clone(state), Arc::clone(state));
            async move {
                let check = move || Ok(probed.backend.health.check());
                match state
                    .pools
                    .run(JobKind::Probe, deadline.into(), check)
                    .await
                {
                    Ok(checked) => checked.map_err(ApiError::NotReady),
                    // The earlier checks have no result either.
                    Err(ApiError::Busy) => Err(ApiError::Overdue),
                    Err(error) => Err(error),
                }
            }
        };
        state.readiness.ask(self.deadline.into(), check).await
    }

    /// Invalidates the cached sessions of a user whose account has changed, on this server.
    pub fn invalidate_sessions(&self, user: UserId) {
        self.info.state.sessions.invalidate(user);
    }

    /// Counts the outcome of a sign-in.
    pub fn note_sign_in<T>(&self, outcome: &Result<T, ApiError>) {
        self.info.state.metrics.signed_in(match outcome {
            Ok(_) => SignIn::Ok,
            Err(ApiError::Refused(Refusal::Identity(IdentityRefusal::TooManyAttempts {
                ..
            }))) => SignIn::Throttled,
            Err(ApiError::Refused(_)) => SignIn::Wrong,
            Err(_) => SignIn::Failed,
        });
    }

    /// The metrics in the Prometheus text format.
    pub(crate) fn metrics(&self) -> String {
        report::report(&self.info.state)
    }
}

/// The request.
impl RequestContext {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The query string.
    #[must_use]
    pub fn query_string(&self) -> &str {
        self.request.query_string()
    }

    /// The id in the path.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a segment that does not parse.
    pub fn id<Id>(&self, parse: fn(&str) -> Option<Id>) -> Result<Id, ApiError> {
        let text = self.request.match_info().get("id").unwrap_or_default();
        Ok(parse(text).ok_or(Refusal::NotFound)?)
    }

    /// The file name in the path.
    pub(crate) fn file(&self) -> &str {
        self.request.match_info().get("file").unwrap_or_default()
    }

    /// The `Idempotency-Key`; an invalid one is reported along with the field errors.
    pub(crate) fn idempotency_key(&self, fields: &mut Fields) -> Option<IdempotencyKey> {
        let key = replay::read(self.request.headers());
        let key = fields.header(replay::FIELD, key);
        self.info.has_key.set(key.is_some());
        key
    }

    /// Default page size of lists.
    pub(crate) fn page_size(&self) -> u32 {
        self.info.state.page_size
    }

    /// The absolute URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        let mut url = self.info.state.base(self.request.head());
        url.push_str(path);
        url
    }

    /// The absolute URL of this request, without its query.
    pub(crate) fn own_url(&self) -> String {
        self.url(self.request.path())
    }

    /// The client network of the request.
    #[must_use]
    pub fn client_network(&self) -> ClientNetwork {
        self.info.client_network()
    }

    /// Whether the client may read the metrics: it is on this machine, or in an allowed network.
    /// Requests forwarded by an untrusted proxy have no known client address and are denied.
    pub(crate) fn may_read_metrics(&self) -> bool {
        self.is_from(&self.info.state.metrics_allow)
    }
}
