//! Probes and metrics, for monitoring systems. None of them authenticates the caller.

use crate::resources::prelude::*;
use tradepost_domain::kernel::Refusal;
use tradepost_metrics::MEDIA;

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get("/healthz", Public, || web::to(health)).unmetered().uncompressed()
        .describe(Tag::OPERATIONS, "getHealth", "Whether the process lives")
        .ok::<Health>().without_store(),
    Endpoint::get("/readyz", Public, || web::to(readiness)).unmetered().uncompressed()
        .describe(Tag::OPERATIONS, "getReadiness", "Whether the database answers and its schema is current")
        .ok::<Health>(),
    Endpoint::get("/metrics", Public, || web::to(metrics)).unmetered()
        .describe(Tag::OPERATIONS, "getMetrics", "What is counted, as Prometheus reads it; for this machine, and whom the shop allows")
        .text(&["text/plain"]).errors(&[Code::NotFound]).without_store(),
];

/// Whether a path is that of a probe or of the metrics.
pub(crate) fn is_probe(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    ENDPOINTS.iter().any(|endpoint| endpoint.path() == path)
}

/// It is well.
#[derive(Serialize, JsonSchema)]
struct Health {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

impl Example for Health {
    fn example(_: &str) -> Option<Value> {
        to_json(&OK)
    }
}

/// Liveness probe: the process runs. Nothing else is checked: an unavailable database is no reason
/// to restart the program.
async fn health() -> HttpResult {
    responses::ok(&OK)
}

/// Readiness probe: the store answers, and has the expected schema.
async fn readiness(call: RequestContext) -> HttpResult {
    call.probe().await?;
    responses::ok(&OK)
}

/// Metrics, for this machine and the networks that the operator allows; 404 for all others.
async fn metrics(call: RequestContext) -> HttpResult {
    if call.may_read_metrics() {
        Ok(responses::text(call.metrics(), MEDIA))
    } else {
        Err(Refusal::NotFound.into())
    }
}
