//! The ports, in queries that both databases understand.
//!
//! This tree is compiled once for each database: `sqlite.rs` and `postgres.rs` mount it, and give
//! it in their own terms
//! - `Conn`, the connection,
//! - `Database`, with `read` (one query), `snapshot` (several, of one moment) and `write` (one
//!   transaction),
//! - `locks`, which lock what a write touches, in the one order: user, order, product, stock, shop,
//! - `among`, which finds rows by a list of ids, and `bulk`, which writes many at once and finds
//!   many keys,
//! - `search`, which finds words in products,
//! - `Db`, `MIGRATIONS`, `has_history`, `exclusively` and `keep_copy` for the schema's history.
//!
//! Every write has the same shape: lock, read, let the domain decide, write what it returned.

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

use tradepost_domain::PageRequest;

/// How many rows one transaction forgets: few enough to hold nobody up.
const AT_ONCE: i64 = 500;

/// Rows before a page. No table has 2^63 rows.
fn offset(page: PageRequest) -> i64 {
    i64::try_from(page.offset()).unwrap_or(i64::MAX)
}

/// A count, which is never negative.
fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}
