//! For those who watch over the process. Neither asks who is calling.

use crate::answer::{self, Answer};
use crate::call::Call;
use schemars::JsonSchema;
use serde::Serialize;

/// It is well.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

/// Whether a path is one of theirs.
pub(crate) fn is_probe(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    ["/healthz", "/readyz"].contains(&path)
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
