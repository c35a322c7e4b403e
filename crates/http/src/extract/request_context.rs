//! The request context of handlers: the caller and the services.

use crate::Services;
use crate::error::ApiError;
use crate::exec::batch_loader::{self, Key, Together};
use crate::exec::loaders::Reads;
use crate::exec::password_pool::Client;
use crate::exec::worker_pool::JobKind;
use crate::extract::fields::Fields;
use crate::metrics::{self, SignIn};
use crate::middleware::authenticate::Caller;
use crate::middleware::forwarded;
use crate::middleware::request_info::Exchange;
use crate::resources::docs::Docs;
use crate::respond::replay;
use crate::state::State;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tradepost_domain::identity::{ClientNetwork, SignInPriority};
use tradepost_domain::kernel::{
    Actor, Currency, IdempotencyKey, MessageSigner, Refusal, ShopError, UserId,
};

pub(crate) struct RequestContext {
    pub(crate) actor: Actor,
    pub(crate) deadline: Instant,
    state: Arc<State>,
    exchange: Rc<Exchange>,
    request: HttpRequest,
}

impl FromRequest for RequestContext {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        let exchange = Exchange::of(request);
        let (Some(caller), Some(exchange)) = (caller, exchange) else {
            let defect = "a handler was reached past the table of routes";
            return ready(Err(ApiError::Defect(defect.to_owned())));
        };
        ready(Ok(Self {
            actor: caller.actor,
            deadline: exchange.deadline,
            state: caller.state,
            exchange,
            request: request.clone(),
        }))
    }
}

impl RequestContext {
    pub(crate) fn shop(&self) -> &Services {
        &self.state.shop
    }

    pub(crate) fn currency(&self) -> Currency {
        self.state.shop.currency
    }

    /// The client network of the request.
    pub(crate) fn client_network(&self) -> ClientNetwork {
        self.exchange.client_network()
    }

    /// Whether the client may read the metrics: it is on this machine, or in an allowed network.
    /// Requests forwarded by an untrusted proxy have no known client address and are denied.
    pub(crate) fn may_read_metrics(&self) -> bool {
        let (head, state) = (self.request.head(), &self.state);
        let unknown = forwarded::is_via_untrusted_proxy(head, &state.trusted_proxies);
        let allowed = |client: IpAddr| {
            let mut networks = state.metrics_allow.iter();
            client.is_loopback() || networks.any(|network| network.contains(&client))
        };
        !unknown && self.exchange.client.is_some_and(allowed)
    }

    /// The metrics in the Prometheus text format.
    pub(crate) fn metrics(&self) -> String {
        metrics::report(&self.state)
    }

    /// Invalidates the cached sessions of a user whose account has changed, on this server.
    pub(crate) fn invalidate_sessions(&self, user: UserId) {
        self.state.sessions.invalidate(user);
    }

    /// Counters the outcome of a sign-in.
    pub(crate) fn note_sign_in<T>(&self, outcome: &Result<T, ApiError>) {
        self.state.metrics.signed_in(match outcome {
            Ok(_) => SignIn::Ok,
            Err(ApiError::Refused(Refusal::TooManyAttempts { .. })) => SignIn::Throttled,
            Err(ApiError::Refused(_)) => SignIn::Wrong,
            Err(_) => SignIn::Failed,
        });
    }

    /// The id in the path; a segment that does not parse is 404.
    pub(crate) fn id<Id>(&self, parse: fn(&str) -> Option<Id>) -> Result<Id, ApiError> {
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
        self.exchange.has_key.set(key.is_some());
        key
    }

    /// The docs page of a server below a path; `None` at the root of the host.
    pub(crate) fn docs(&self) -> Option<&Docs> {
        self.state.docs.as_ref()
    }

    pub(crate) fn request(&self) -> &HttpRequest {
        &self.request
    }

    pub(crate) fn query_string(&self) -> &str {
        self.request.query_string()
    }

    pub(crate) fn signer(&self) -> &dyn MessageSigner {
        &*self.state.shop.signer
    }

    pub(crate) fn page_size(&self) -> u32 {
        self.state.page_size
    }

    /// The absolute URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        let mut url = self.state.base(self.request.head());
        url.push_str(path);
        url
    }

    /// The absolute URL of this request, without its query.
    pub(crate) fn own_url(&self) -> String {
        self.url(self.request.path())
    }

    /// Reads a value through a loader, which batches or shares the reads of concurrent requests.
    pub(crate) async fn find<T: Key, K: Key, V: Clone + Send + 'static>(
        &self,
        of: fn(&Reads) -> &Together<T, K, V>,
        topic: T,
        key: K,
    ) -> Result<Option<V>, ApiError> {
        batch_loader::find(&self.state, of, topic, key, self.deadline).await
    }

    /// Runs a use case that reads.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(JobKind::Query, job).await
    }

    /// Runs a use case that reads a list.
    pub(crate) async fn read_list<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(JobKind::List, job).await
    }

    /// Runs a use case that writes.
    pub(crate) async fn command<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(JobKind::Command, job).await
    }

    /// Runs the readiness check, shared with other requests at about the same time. It has a
    /// deadline of its own, independent of the load of the server.
    pub(crate) async fn probe(&self) -> Result<(), ApiError> {
        let state = &self.state;
        let check = |deadline: tokio::time::Instant| {
            let state = Arc::clone(state);
            let check = |shop: &Services| Ok(shop.upkeep.check());
            async move {
                match state.run(JobKind::Probe, deadline.into(), check).await {
                    Ok(checked) => checked.map_err(ApiError::NotReady),
                    // The earlier checks have no result either.
                    Err(ApiError::Busy) => Err(ApiError::Overdue),
                    Err(error) => Err(error),
                }
            }
        };
        state.readiness.ask(self.deadline.into(), check).await
    }

    /// Runs a use case that checks or hashes a password.
    pub(crate) async fn run_password<T: Send + 'static>(
        &self,
        priority: SignInPriority,
        job: impl FnOnce(&Services, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let actor = self.actor;
        let client = Client::new(self.client_network(), priority);
        let job = move |shop: &Services| job(shop, actor);
        self.state.run_password(client, self.deadline, job).await
    }

    /// Runs a use case of this job kind.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        kind: JobKind,
        job: impl FnOnce(&Services, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let actor = self.actor;
        let job = move |shop: &Services| job(shop, actor);
        self.state.run(kind, self.deadline, job).await
    }
}
