//! Probes and metrics, for monitoring systems. None of them authenticates the caller.

use crate::extract::request_context::RequestContext;
use crate::respond::responses::{self, HttpResult};
use schemars::JsonSchema;
use serde::Serialize;
use tradepost_domain::kernel::Refusal;
use tradepost_metrics::MEDIA;

/// It is well.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

/// Whether a path is that of a probe or of the metrics.
pub(crate) fn is_probe(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    ["/healthz", "/readyz", "/metrics"].contains(&path)
}

pub(crate) const OK: Health = Health { status: "ok" };

/// Liveness probe: the process runs. Nothing else is checked: an unavailable database is no reason
/// to restart the program.
pub(crate) async fn health() -> HttpResult {
    responses::ok(&OK)
}

/// Readiness probe: the store answers, and has the expected schema.
pub(crate) async fn readiness(call: RequestContext) -> HttpResult {
    call.probe().await?;
    responses::ok(&OK)
}

/// Metrics, for this machine and the networks that the operator allows; 404 for all others.
pub(crate) async fn metrics(call: RequestContext) -> HttpResult {
    if call.may_read_metrics() {
        Ok(responses::text(call.metrics(), MEDIA))
    } else {
        Err(Refusal::NotFound.into())
    }
}
