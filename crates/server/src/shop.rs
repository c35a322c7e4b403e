//! Putting the shop together from its parts.

use crate::config::Config;
use crate::exit::Exit;
use crate::keys;
use crate::outside::SystemClock;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;
use tradepost_auth::{BcryptHasher, JwtTokens};
use tradepost_diesel::{Migrator, Missing, OpenOptions, ShopCurrency};
use tradepost_domain::{AccountSettings, Accounts, Stores};
use tradepost_http::Limits;

/// How long a request waits for a connection or a lock. Who would wait longer is told to come
/// again.
const WAIT: Duration = Duration::from_millis(400);

/// Makes the data folder, for its owner alone, if it is missing.
pub(crate) fn make_data_dir(config: &Config) -> Result<(), Exit> {
    let path = &config.data_dir;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| {
        Exit::Failed(format!(
            "The data folder {} cannot be made: {error}. Name another with --data-dir.",
            path.display()
        ))
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

/// Opens the database, which is there and up to date.
pub(crate) fn open(
    config: &Config,
    currency: ShopCurrency,
    limits: Limits,
) -> Result<Stores, Exit> {
    // One for each job that may run: who has a place to work never waits for a connection.
    let readers = limits.work.running.saturating_add(limits.passwords.running);
    let options = OpenOptions {
        currency,
        readers: u32::try_from(readers).unwrap_or(u32::MAX),
        wait: WAIT,
    };
    Ok(tradepost_diesel::open(&config.database, &options)?)
}

/// The accounts, for a command that signs nobody in. The shop's currency is left as it is.
pub(crate) fn accounts_alone(config: &Config) -> Result<Accounts, Exit> {
    let stores = open(config, unfixed(config), Limits::default())?;
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
        },
    ))
}
