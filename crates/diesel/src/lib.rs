//! Repositories of `tradepost-domain` on SQLite and on PostgreSQL.
//!
//! Both backends can be compiled in; the scheme of the URL chooses one at the start. The queries
//! are written once, in `queries/`, and compiled once per backend against the connection type that
//! `sqlite/` and `postgres/` define. Only the differences between the databases live in those two.
//!
//! ```text
//! open, migrate, backup    the public functions; each dispatches on the URL
//! schema, rows/            tables, and the structs that diesel reads and inserts, by context
//! queries/                 the repositories, by context; compiled once per backend
//! sqlite/, postgres/       connections, transactions, locks, bulk statements, search, errors
//! ```
//!
//! Where does something go?
//! - A rule: not here. It is a `decide` function of the domain.
//! - A query: `queries/`, in the folder of its context.
//! - A lock, a setting of a connection, the classification of an error: the backend's own folder.
//! - A table or a column: a migration of the same name for each backend, `schema.rs`, and the row
//!   structs in `rows/`.

#![cfg_attr(
    all(feature = "sqlite", feature = "postgres"),
    expect(
        clippy::duplicate_mod,
        reason = "the tree of queries is compiled once for each database"
    )
)]

mod backup;
mod error;
mod failure;
mod migrate;
mod open;
mod rows;
mod schema;
mod url;

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use backup::back_up;
#[cfg(feature = "sqlite")]
pub use backup::{Proof, prove};
pub use error::{BackupError, MigrateError, OpenError};
pub use migrate::{Migrator, Missing, Reverted};
pub use open::{OpenOptions, ShopCurrency, open, require_writable, tls_warning, warnings};
pub use url::{DatabaseUrl, UrlError};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
