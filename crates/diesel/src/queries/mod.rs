//! Repositories, in queries that both databases understand.
//!
//! This tree is compiled once per backend: `sqlite/` and `postgres/` mount it, and provide
//! - `Conn`, the connection, and `Db`, its dialect,
//! - `Database`, with `read` (one query), `snapshot` (several in one snapshot) and `write` (one
//!   transaction), `command` (one that is rolled back if the domain refuses it) and `slice` (one
//!   for several commands),
//! - `locks`, which lock the rows that a write touches, in one order: user, order, product, stock,
//!   shop,
//! - `event_log`, with `append`, `settle` and `add_to_sums`, which append events, number them and add them to the sums,
//! - `id_in`, which finds rows by a list of ids, and `bulk`, which inserts many rows and looks up
//!   many keys,
//! - `dialect`, with `OPAQUE_BIND`, which hides a value from the planner, and `SEEKS_BY_ROW`,
//! - `search`, which finds words in products,
//! - `migrations`, with `MIGRATIONS`, `has_history`, `exclusively` and `keep_copy` for the schema
//!   history.
//!
//! Every file begins with `use super::prelude::*`: the prelude is the only place that names the
//! module that mounts the tree, so that a file can move to any depth.
//!
//! Every command has the same shape: lock, read, let the domain decide, [`apply`](apply::apply) the
//! decision; [`slices`] does it for several commands at once.

mod addresses;
mod apply;
mod cart;
mod catalog;
pub(crate) mod events;
mod idempotency;
pub(crate) mod identity;
mod import;
pub(crate) mod inventory;
pub(crate) mod lists;
pub(crate) mod maintenance;
mod orders;
mod prelude;
mod reports;
mod schema;
mod slices;

pub(crate) use schema::shop_settings::agreed_currency;
pub(crate) use schema::{Migrator, check_current, require_current};

use crate::failure::Failure;
use tradepost_domain::kernel::{PageRequest, StoreError};

/// Rows that one transaction purges: few enough not to block others for long.
const PURGE_BATCH: i64 = 500;

/// Rows before a page. No table has 2^63 rows.
fn offset(page: PageRequest) -> i64 {
    i64::try_from(page.offset()).unwrap_or(i64::MAX)
}

/// A count, which is never negative.
fn row_count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}

/// The domain's values of rows.
fn all<R, T>(rows: Vec<R>, value: impl Fn(R) -> Result<T, StoreError>) -> Result<Vec<T>, Failure> {
    Ok(rows.into_iter().map(value).collect::<Result<_, _>>()?)
}
