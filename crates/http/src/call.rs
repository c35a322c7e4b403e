//! A request as a handler sees it: who is calling, and the shop to do something with.

use crate::Shop;
use crate::error::ApiError;
use crate::exchange::Exchange;
use crate::fields::Fields;
use crate::gate::Caller;
use crate::idempotency;
use crate::state::State;
use crate::work::Kind;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tradepost_domain::{Actor, Currency, IdempotencyKey, Refusal, ShopError};

pub(crate) struct Call {
    pub(crate) actor: Actor,
    pub(crate) deadline: Instant,
    state: Arc<State>,
    request: HttpRequest,
}

impl FromRequest for Call {
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
            request: request.clone(),
        }))
    }
}

impl Call {
    pub(crate) fn shop(&self) -> &Shop {
        &self.state.shop
    }

    pub(crate) fn currency(&self) -> Currency {
        self.state.shop.currency
    }

    /// The id in the path. What is no id names nothing.
    pub(crate) fn id<Id>(&self, parse: fn(&str) -> Option<Id>) -> Result<Id, ApiError> {
        let text = self.request.match_info().get("id").unwrap_or_default();
        Ok(parse(text).ok_or(Refusal::NotFound)?)
    }

    /// The name of a file in the path.
    pub(crate) fn file(&self) -> &str {
        self.request.match_info().get("file").unwrap_or_default()
    }

    /// The `Idempotency-Key`; what is wrong with it is noted with what is wrong with the fields.
    pub(crate) fn idempotency_key(&self, fields: &mut Fields) -> Option<IdempotencyKey> {
        let key = idempotency::read(self.request.headers());
        fields.header(idempotency::FIELD, key)
    }

    pub(crate) fn request(&self) -> &HttpRequest {
        &self.request
    }

    pub(crate) fn query_string(&self) -> &str {
        self.request.query_string()
    }

    pub(crate) fn page_size(&self) -> u32 {
        self.state.page_size
    }

    /// The absolute address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        let mut url = self.state.base(self.request.head());
        url.push_str(path);
        url
    }

    /// The absolute address of this request, without its query.
    pub(crate) fn own_url(&self) -> String {
        self.url(self.request.path())
    }

    /// Runs a use case that reads.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Shop, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(Kind::Query, job).await
    }

    /// Runs a use case that writes.
    pub(crate) async fn command<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Shop, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(Kind::Command, job).await
    }

    /// Asks the store how it is. The answer is due at once, whatever else may take its time.
    pub(crate) async fn probe(&self) -> Result<(), ApiError> {
        // Less than the second after which those who ask take the shop for dead.
        const PATIENCE: Duration = Duration::from_millis(800);
        let deadline = self.deadline.min(Instant::now() + PATIENCE);
        let check = |shop: &Shop| Ok(shop.upkeep.check());
        match self.state.run(Kind::Probe, deadline, check).await {
            Ok(checked) => checked.map_err(ApiError::NotReady),
            // Whoever asked before has no answer either.
            Err(ApiError::Busy) => Err(ApiError::Overdue),
            Err(error) => Err(error),
        }
    }

    /// Runs a use case of this kind.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        kind: Kind,
        job: impl FnOnce(&Shop, Actor) -> Result<T, ShopError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let actor = self.actor;
        let job = move |shop: &Shop| job(shop, actor);
        self.state.run(kind, self.deadline, job).await
    }
}
