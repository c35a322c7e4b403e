//! Wiring: builds the services and stores from the configuration.

use crate::config::Config;
use crate::exit::CliError;
use crate::lost_database::FirstStart;
use crate::{preflight, signing_keys};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;
use tradepost_auth::{BcryptHasher, JwtTokens};
use tradepost_batch::Batchers;
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenError, OpenOptions, ShopCurrency};
use tradepost_domain::identity::{AccountSettings, Accounts};
use tradepost_domain::kernel::Error;
use tradepost_domain::{Services, ServicesConfig, Stores};
use tradepost_http::ConcurrencyLimits;

/// Timeout for a connection or a lock. Requests that would wait longer are rejected as retryable.
const WAIT: Duration = Duration::from_millis(400);

/// Concurrency limit on PostgreSQL, where each use case holds a connection: these keep it busy, and
/// several servers have to share its hundred. On SQLite, writes share one connection, and read
/// connections are only open files, with half a megabyte of page cache each.
const AT_ONCE_ON_POSTGRES: usize = 16;

/// Connections outside the worker pool: one for each batcher, one for the purge, one for the stock
/// check, one for the sequencer of the event log.
const BESIDE: usize = Batchers::COUNT + 3;

/// Creates the data folder if it is missing and the preflight checks pass.
pub(crate) fn prepare(config: &Config, first: FirstStart) -> Result<(), CliError> {
    preflight::for_database(config, first)?;
    make_data_dir(config)
}

/// Creates the data folder with mode 0700, if it is missing.
pub(crate) fn make_data_dir(config: &Config) -> Result<(), CliError> {
    let path = &config.data_dir;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| data_dir_not_made(config, &error))
}

/// The error for a data folder that cannot be created.
pub(crate) fn data_dir_not_made(config: &Config, why: &io::Error) -> CliError {
    CliError::Failed(format!(
        "The data folder {} cannot be made: {why}. Name another with --data-dir.",
        config.data_dir.display()
    ))
}

/// Preflight check of the database, read-only.
pub(crate) fn preflight_database(config: &Config) -> Result<(), CliError> {
    match pending(config) {
        Err(error) if preflight::is_missing(&error) => match &config.database {
            DatabaseUrl::Sqlite(file) if !config.has_folder_for(file) => {
                Err(CliError::Failed(format!(
                    "The database {} cannot be made: its folder is not there. Name another with --database.",
                    file.display()
                )))
            }
            _ => Ok(()),
        },
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// The names of the pending migrations.
pub(crate) fn pending(config: &Config) -> Result<Vec<String>, OpenError> {
    Migrator::connect(&config.database, Missing::Refuse)?.pending()
}

/// The insecure permissions of the database file, if it is a file.
pub(crate) fn insecure_mode(config: &Config) -> Option<String> {
    let DatabaseUrl::Sqlite(path) = &config.database else {
        return None;
    };
    signing_keys::exposed(path).map(|mode| {
        format!(
            "The database {} can be read or written by others (mode {mode:o}): run chmod 600 on it.",
            path.display()
        )
    })
}

/// Creates the database if it is missing, and runs the pending migrations; returns their names.
pub(crate) fn migrate(config: &Config) -> Result<Vec<String>, CliError> {
    let mut migrator = Migrator::connect(&config.database, Missing::Create)?;
    let mut applied = Vec::new();
    migrator.run(|name| applied.push(name.to_owned()))?;
    Ok(applied)
}

/// The concurrency limits.
pub(crate) fn limits(config: &Config) -> ConcurrencyLimits {
    let mut limits = ConcurrencyLimits {
        connections_per_address: config.connections_per_address,
        ..ConcurrencyLimits::default()
    };
    if let DatabaseUrl::Postgres(_) = config.database {
        limits.work.running = limits.work.running.min(AT_ONCE_ON_POSTGRES);
    }
    limits
}

/// Opens the database, which exists and is up to date.
pub(crate) fn open(config: &Config, currency: ShopCurrency) -> Result<Stores, CliError> {
    // One connection for each concurrent job: a job that has a slot never waits for another job's
    // connection, only for one to be opened.
    let connections = limits(config).running().saturating_add(BESIDE);
    let options = OpenOptions {
        currency,
        readers: u32::try_from(connections).unwrap_or(u32::MAX),
        wait: WAIT,
    };
    Ok(tradepost_diesel::open(&config.database, &options)?)
}

/// The account service, for a command that signs no user in. The shop's currency is not fixed.
pub(crate) fn accounts_alone(config: &Config) -> Result<Accounts, CliError> {
    let stores = open(config, unfixed(config))?;
    Ok(services(config, stores, signing_keys::temporary()?)?.accounts)
}

/// The currency that is stored in the database, or else that of the settings, without writing it:
/// the shop's first start does that.
pub(crate) fn unfixed(config: &Config) -> ShopCurrency {
    ShopCurrency::Stored {
        otherwise: config.currency,
    }
}

/// The services of a shop.
pub(crate) fn services(
    config: &Config,
    stores: Stores,
    tokens: JwtTokens,
) -> Result<Services, CliError> {
    let hasher = BcryptHasher::new(config.bcrypt_cost);
    let hasher = hasher.map_err(|error| CliError::Usage(error.to_string()))?;
    let system = tradepost_auth::system(hasher, tokens).map_err(Error::from)?;
    let services = ServicesConfig {
        accounts: AccountSettings {
            token_life: config.token_life,
            access_life: config.access_life,
            refresh_life: config.refresh_life,
        },
        attempts: config.throttle.map(|throttle| throttle.attempts),
        order_quota: config.throttle.map(|throttle| throttle.orders),
        stock_writes: config.stock_writes,
    };
    Ok(Services::new(stores, system, services))
}
