//! For those who watch over the process. None asks who is calling.

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::metrics::MEDIA;
use schemars::JsonSchema;
use serde::Serialize;
use tradepost_domain::Refusal;

/// It is well.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

/// Whether a path is one of theirs.
pub(crate) fn is_probe(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    ["/healthz", "/readyz", "/metrics"].contains(&path)
}

pub(crate) const OK: Health = Health { status: "ok" };

/// The process lives. Nothing else is looked at: a database that is away is no reason to start the
/// program anew.
pub(crate) async fn health() -> Answer {
    answer::ok(&OK)
}

/// The store answers, and has the schema that is expected.
pub(crate) async fn readiness(call: Call) -> Answer {
    call.probe().await?;
    answer::ok(&OK)
}

/// What is counted, for this machine and for whom the shop allows it. For others there is nothing.
pub(crate) async fn metrics(call: Call) -> Answer {
    if call.may_read_metrics() {
        Ok(answer::text(call.metrics(), MEDIA))
    } else {
        Err(Refusal::NotFound.into())
    }
}
