//! HTTP API of the shop, on actix-web.
//!
//! # The way of a request
//!
//! ```text
//! server.rs       socket, connection limits and timeouts       connection/
//!   middleware/   the stack, on one page: request id, access log, errors, CORS, hosts
//!     routes.rs   the table: 404, 405, OPTIONS
//!       middleware/   authentication, authorization, rate limit, panics
//!         resources/  a handler: parses the request, runs the use case, builds the response
//!           extract/  request context, fields of the body, query parameters
//!           exec/     worker pools, and loaders that batch and share reads
//!           respond/  responses, problem documents, entity tags, pages
//! ```
//!
//! # Where to look
//!
//! - [`Endpoint`]: each is declared once, in `resources/`, beside its handler; [`table`] has all of
//!   them, and the router, the document and the labels of the metrics derive from it.
//! - `middleware/mod.rs` composes the stack; each concern has a file of its own.
//! - `error.rs` is the only file that names the status of a failure.
//! - `state.rs` is what all requests share; `loaders.rs` says which reads are batched or shared.
//! - `exec/` runs blocking work in bounded worker pools; frequent writes go to a batcher and hold no
//!   thread.
//! - `mount.rs` is the interface for another crate that is served in the same application, such as
//!   the admin interface; [`kit`] has the parts of the generic layers that such a crate uses.
//! - `openapi/` derives the document from the route table.
//!
//! # Rules
//!
//! - This crate has no business rules: a handler calls [`tradepost_domain`], which checks
//!   authorization once more.
//! - `middleware`, `extract`, `respond`, `exec` and `connection` are a kit that knows no resource:
//!   they never import `resources`, `routes` or `openapi`.
//! - Modules import each other in one direction. No set of files is a cycle.
//!
//! `tests/architecture.rs` holds both import rules.

mod access_log;
mod backend;
mod config;
mod connection;
mod endpoint;
mod error;
mod exec;
mod extract;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod kit;
mod loaders;
mod metrics;
mod middleware;
mod mount;
mod openapi;
mod resources;
mod respond;
mod router;
mod routes;
mod server;
mod state;

pub use access_log::{ACCESS_TARGET, AccessLog, AccessRecord, FacadeAccessLog, LogLosses};
pub use backend::Backend;
pub use config::{ConcurrencyLimits, Settings};
pub use endpoint::Endpoint;
pub use error::error_codes;
pub use exec::worker_pool::PoolLimit;
pub use ipnet::IpNet;
pub use middleware::forwarded::{NotAPublicUrl, PublicUrl};
pub use middleware::rate_limiter::Throttling;
pub use mount::Mount;
pub use openapi::document;
pub use respond::json::push_digits;
pub use routes::{resources, table};
pub use server::{Api, Running, StopHandle};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
