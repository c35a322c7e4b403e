//! Jobs that outlast the request timeout: of requests that take a file, and of responses that are
//! read from the store while they are sent.

use crate::error::ApiError;
use crate::exec::worker_pool::JobKind;
use crate::extract::request_context::RequestContext;
use crate::state::State;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tradepost_domain::Services;
use tradepost_domain::kernel::{Actor, Error};

impl RequestContext {
    /// Runs a use case that writes, and that may take this long from now on, instead of until the
    /// deadline of the request.
    ///
    /// # Errors
    /// Those of the use case; if it cannot run within this time.
    pub async fn command_within<T: Send + 'static>(
        &self,
        time: Duration,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (state, actor) = (Arc::clone(&self.info().state), self.actor);
        let job = move || job(&state.backend.services, actor);
        let pools = &self.info().state.pools;
        pools
            .run(JobKind::Command, Instant::now() + time, job)
            .await
    }

    /// A reader of lists for a response body, which may live longer than the request.
    #[must_use]
    pub fn list_reader(&self) -> ListReader {
        ListReader {
            state: Arc::clone(&self.info().state),
            actor: self.actor,
        }
    }
}

/// Reads lists while a response is sent. No thread is held between two reads.
#[derive(Clone)]
pub struct ListReader {
    state: Arc<State>,
    actor: Actor,
}

impl ListReader {
    /// Runs a use case that reads a list. Its time begins now.
    ///
    /// # Errors
    /// Those of the use case; if it cannot run within the request timeout.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (state, actor) = (Arc::clone(&self.state), self.actor);
        let job = move || job(&state.backend.services, actor);
        let deadline = Instant::now() + self.state.request_timeout;
        self.state.pools.run(JobKind::List, deadline, job).await
    }
}
