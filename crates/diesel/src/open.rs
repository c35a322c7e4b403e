//! Opening a database.

#[cfg(feature = "postgres")]
use crate::postgres;
#[cfg(feature = "sqlite")]
use crate::sqlite;
use crate::{DatabaseUrl, OpenError};
use std::sync::Arc;
use std::time::Duration;
use tradepost_domain::Stores;
use tradepost_domain::kernel::Currency;

/// How long opening waits for the first connection of its pool. No request waits meanwhile, so that
/// a busy machine gets far longer than [`OpenOptions::wait`].
pub(crate) const FIRST_CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Options for opening a database.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The shop's currency.
    pub currency: ShopCurrency,
    /// Maximum number of read connections; on PostgreSQL, which writes over them as well, of all
    /// connections. They are opened on demand.
    pub readers: u32,
    /// How long a request waits for a connection or a lock.
    pub wait: Duration,
}

/// The shop's currency, and how it is compared with the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopCurrency {
    /// Stored if the database has no currency yet, else compared with the stored one.
    Is(Currency),
    /// Compared with the stored currency, if any. Not stored.
    Like(Currency),
    /// The stored currency; a default without one, which is not stored.
    Stored {
        /// The default.
        otherwise: Currency,
    },
}

impl ShopCurrency {
    pub(crate) fn agree(self, stored: Option<&str>) -> Result<Currency, OpenError> {
        let known = stored.and_then(Currency::from_code);
        match (self, known) {
            (Self::Is(wanted) | Self::Like(wanted), Some(stored)) if wanted != stored => {
                Err(OpenError::OtherCurrency {
                    stored: stored.to_string(),
                    wanted,
                })
            }
            (Self::Is(currency) | Self::Like(currency), _)
            | (Self::Stored { .. }, Some(currency))
            | (
                Self::Stored {
                    otherwise: currency,
                },
                None,
            ) => Ok(currency),
        }
    }
}

/// Opens an existing database whose schema is up to date.
///
/// # Errors
/// [`OpenError`], a sentence that says what to do.
pub fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Stores, OpenError> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(path) => Ok(Stores::new(Arc::new(sqlite::Database::open(
            path, options,
        )?))),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => {
            let database = Arc::new(postgres::Database::open(url, options)?);
            if matches!(options.currency, ShopCurrency::Is(_)) {
                let started = postgres::event_log::start_sequencer(&database);
                started.map_err(|error| OpenError::unusable(&url.to_string(), &error))?;
            }
            Ok(Stores::new(database))
        }
        #[cfg(not(feature = "sqlite"))]
        DatabaseUrl::Sqlite(_) => Err(OpenError::NotBuiltIn { name: "sqlite" }),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}

/// Unsafe settings of the database server, a sentence each. [`open`] logs the same.
///
/// # Errors
/// [`OpenError`] if the server cannot be queried.
pub fn warnings(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(Vec::new()),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::warnings(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}

/// A warning if the URL leads to PostgreSQL on another machine and does not have the server verified
/// (`sslmode=verify-full`). [`open`] writes the same to the log. Nothing is connected to.
#[must_use]
pub fn tls_warning(url: &DatabaseUrl) -> Option<String> {
    match url {
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::tls_warning(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => None,
        DatabaseUrl::Sqlite(_) => None,
    }
}

/// Refuses a read-only database: a standby of PostgreSQL, or a server that is set to read-only. An
/// SQLite file is checked when it is opened.
///
/// # Errors
/// [`OpenError::Standby`], [`OpenError::ReadOnly`]; others if the server cannot be queried.
pub fn require_writable(url: &DatabaseUrl) -> Result<(), OpenError> {
    match url {
        DatabaseUrl::Sqlite(_) => Ok(()),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => postgres::require_writable(url),
        #[cfg(not(feature = "postgres"))]
        DatabaseUrl::Postgres(_) => Err(OpenError::NotBuiltIn { name: "postgres" }),
    }
}
