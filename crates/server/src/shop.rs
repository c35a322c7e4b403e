//! Putting the shop together from its parts.

use crate::config::Config;
use crate::evidence::FirstStart;
use crate::exit::Exit;
use crate::outside::SystemClock;
use crate::{keys, preflight};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;
use tradepost_auth::{BcryptHasher, JwtTokens};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenError, OpenOptions, ShopCurrency};
use tradepost_domain::{AccountSettings, Accounts, Stores};
use tradepost_http::Limits;

/// How long a request waits for a connection or a lock. Who would wait longer is told to come
/// again.
const WAIT: Duration = Duration::from_millis(400);

/// The most use cases at once on PostgreSQL, where each holds a connection: these keep it busy, and
/// several servers have to share its hundred. On SQLite writes share one connection, and those that
/// read are only files that are open, with half a megabyte of pages each.
const AT_ONCE_ON_POSTGRES: usize = 16;

/// Those who need a connection and no place: one places orders, and one forgets what is old.
const BESIDE: usize = 2;

/// Makes the data folder if it is missing, and if nothing is wrong.
pub(crate) fn prepare(config: &Config, first: FirstStart) -> Result<(), Exit> {
    preflight::for_database(config, first)?;
    make_data_dir(config)
}

/// Makes the data folder, for its owner alone, if it is missing.
pub(crate) fn make_data_dir(config: &Config) -> Result<(), Exit> {
    let path = &config.data_dir;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| data_dir_not_made(config, &error))
}

/// Why there is no data folder.
pub(crate) fn data_dir_not_made(config: &Config, why: &io::Error) -> Exit {
    Exit::Failed(format!(
        "The data folder {} cannot be made: {why}. Name another with --data-dir.",
        config.data_dir.display()
    ))
}

/// Checks the database without making anything.
pub(crate) fn look_at_database(config: &Config) -> Result<(), Exit> {
    match pending(config) {
        Err(error) if preflight::is_missing(&error) => match &config.database {
            DatabaseUrl::Sqlite(file) if !config.has_folder_for(file) => {
                Err(Exit::Failed(format!(
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

/// The names of the migrations that the database lacks.
pub(crate) fn pending(config: &Config) -> Result<Vec<String>, OpenError> {
    Migrator::connect(&config.database, Missing::Refuse)?.pending()
}

/// What is unsafe about the file of the database, if it is one.
pub(crate) fn exposure(config: &Config) -> Option<String> {
    let DatabaseUrl::Sqlite(path) = &config.database else {
        return None;
    };
    keys::exposed(path).map(|mode| {
        format!(
            "The database {} can be read or written by others (mode {mode:o}): run chmod 600 on it.",
            path.display()
        )
    })
}

/// Makes the database if it is missing, and brings its schema up to date; the names of the
/// migrations that were run.
pub(crate) fn migrate(config: &Config) -> Result<Vec<String>, Exit> {
    let mut migrator = Migrator::connect(&config.database, Missing::Create)?;
    let mut applied = Vec::new();
    migrator.run(|name| applied.push(name.to_owned()))?;
    Ok(applied)
}

/// How much may be done at once.
pub(crate) fn limits(config: &Config) -> Limits {
    let mut limits = Limits {
        connections_per_address: config.connections_per_address,
        ..Limits::default()
    };
    if let DatabaseUrl::Postgres(_) = config.database {
        limits.work.running = limits.work.running.min(AT_ONCE_ON_POSTGRES);
    }
    limits
}

/// Opens the database, which is there and up to date.
pub(crate) fn open(config: &Config, currency: ShopCurrency) -> Result<Stores, Exit> {
    // One for each job that may run: who has a place to work never waits until others give theirs
    // back, only until one is opened.
    let connections = limits(config).running().saturating_add(BESIDE);
    let options = OpenOptions {
        currency,
        readers: u32::try_from(connections).unwrap_or(u32::MAX),
        wait: WAIT,
    };
    Ok(tradepost_diesel::open(&config.database, &options)?)
}

/// The accounts, for a command that signs nobody in. The shop's currency is left as it is.
pub(crate) fn accounts_alone(config: &Config) -> Result<Accounts, Exit> {
    let stores = open(config, unfixed(config))?;
    accounts(config, &stores, keys::throw_away()?)
}

/// The currency that the database has, or else that of the settings, without writing it: that is
/// for the shop's first start to do.
pub(crate) fn unfixed(config: &Config) -> ShopCurrency {
    ShopCurrency::Stored {
        otherwise: config.currency,
    }
}

/// The accounts of a shop.
pub(crate) fn accounts(
    config: &Config,
    stores: &Stores,
    tokens: JwtTokens,
) -> Result<Accounts, Exit> {
    let hasher = BcryptHasher::new(config.bcrypt_cost);
    let hasher = hasher.map_err(|error| Exit::Usage(error.to_string()))?;
    Ok(Accounts::new(
        Arc::clone(&stores.accounts),
        Arc::new(hasher),
        Arc::new(tokens),
        Arc::new(SystemClock),
        AccountSettings {
            token_life: config.token_life,
            access_life: config.access_life,
            refresh_life: config.refresh_life,
        },
    ))
}
