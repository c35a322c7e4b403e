//! Repositories, in queries that both databases understand.
//!
//! This tree is compiled once per backend: `sqlite.rs` and `postgres.rs` mount it, and provide
//! - `Conn`, the connection,
//! - `Database`, with `read` (one query), `snapshot` (several in one snapshot) and `write` (one
//!   transaction),
//! - `locks`, which lock the rows that a write touches, in one order: user, order, product, stock,
//!   shop,
//! - `among`, which finds rows by a list of ids, and `bulk`, which inserts many rows and looks up
//!   many
//!   keys,
//! - `search`, which finds words in products,
//! - `Db`, `MIGRATIONS`, `has_history`, `exclusively` and `keep_copy` for the schema history.
//!
//! Every write has the same shape: lock, read, let the domain decide, write the decision.

pub(crate) mod accounts;
mod attempts;
mod carts;
mod clock_readings;
mod history;
mod imports;
mod keys;
mod known_networks;
pub(crate) mod ledger;
mod lists;
mod order_lists;
mod orders;
mod placing;
mod product_lists;
mod product_texts;
mod products;
mod refresh;
mod shop;
mod stock;
mod usernames;

pub(crate) use history::{Migrator, check_current, require_current};
pub(crate) use keys::NewKey;
pub(crate) use shop::{fix_currency, stored_currency};

use tradepost_domain::kernel::PageRequest;

/// Rows that one transaction purges: few enough not to block others for long.
const AT_ONCE: i64 = 500;

/// Rows before a page. No table has 2^63 rows.
fn offset(page: PageRequest) -> i64 {
    i64::try_from(page.offset()).unwrap_or(i64::MAX)
}

/// A count, which is never negative.
fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}
