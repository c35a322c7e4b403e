//! `tradepost rotate-key`: key rotation: adds a new signing key beside the old ones.

use crate::cli::RotateKey;
use crate::config::{Config, KeySource};
use crate::exit::CliError;
use crate::signing_keys::{self, Rotated};
use crate::system::console::{count, print_line};
use crate::wiring;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use tradepost_auth::SystemClock;
use tradepost_domain::decision::{Event, EventKind};
use tradepost_domain::kernel::Clock;

pub(super) fn run(config: &Config, options: &RotateKey) -> Result<(), CliError> {
    let path = match &config.key {
        KeySource::File(path) => path,
        KeySource::Text(_) => {
            return Err(CliError::Usage(
                "TRADEPOST_JWT_SECRET holds the signing key itself, and a running server cannot be \
                 given another one: put the key into a file, name it with --jwt-secret-file, and \
                 leave the variable unset."
                    .to_owned(),
            ));
        }
    };
    if !path.exists() {
        return Err(CliError::Failed(format!(
            "There is no signing key in {} to rotate: the first start makes one.",
            path.display()
        )));
    }
    let lead = if options.now {
        TimeDelta::zero()
    } else {
        TimeDelta::minutes(options.minutes.into())
    };
    let now = SystemClock.now();
    let life = config.longest_token_life();
    let rotated = signing_keys::rotate(path, now, lead, life);
    report(&rotated.map_err(CliError::Failed)?, life, options.now);
    if let Err(error) = log_rotation(config, now) {
        print_line(format_args!(
            "The event log of the shop has no entry about it: {error}"
        ));
    }
    Ok(())
}

/// Appends `key.rotated` to the event log. The keys are rotated either way: this must work while the
/// database is down.
fn log_rotation(config: &Config, at: DateTime<Utc>) -> Result<(), CliError> {
    let stores = wiring::open(config, wiring::unfixed(config))?;
    let rotated = Event {
        kind: EventKind::KeyRotated,
        actor: None,
        at,
    };
    Ok(stores.events.append(rotated)?)
}

fn report(rotated: &Rotated, life: TimeDelta, at_once: bool) {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let Rotated {
        id,
        signs_from,
        others_end,
        passed_over,
    } = rotated;
    print_line(format_args!(
        "The key {id} signs from {}. Those before it are accepted until {}, when their last tokens \
         have ended.",
        time(*signs_from),
        time(*others_end)
    ));
    print_line(format_args!(
        "By these settings a token lasts {} at most. If a server lets it last longer, run this again \
         with its --token-auth-days.",
        count(life.num_days().unsigned_abs(), "day")
    ));
    for id in passed_over {
        print_line(format_args!(
            "The key {id}, which had not begun to sign, never does."
        ));
    }
    if at_once {
        print_line("Servers on this file take it within ten seconds.");
    } else {
        print_line(
            "Servers on this file take it within ten seconds. Copy the file to all others before it \
             signs.",
        );
    }
}
