//! `tradepost migrate`: runs the pending migrations, shows them, or reverts the last one.

use crate::cli::Migrate;
use crate::config::Config;
use crate::console::say;
use crate::evidence::FirstStart;
use crate::exit::Exit;
use crate::{preflight, shop};
use tradepost_diesel::{Migrator, Missing};

pub(super) fn run(config: &Config, options: &Migrate) -> Result<(), Exit> {
    if options.plan {
        plan(config)
    } else if options.revert {
        revert(config)
    } else {
        apply(config, options)
    }
}

fn apply(config: &Config, options: &Migrate) -> Result<(), Exit> {
    shop::prepare(config, FirstStart::new(options.new))?;
    let applied = shop::migrate(config).map_err(|exit| preflight::explain(config, exit))?;
    say("Running migrations:");
    // All of them are committed, or none.
    for name in &applied {
        say(format_args!("  Applying {name}... OK"));
    }
    if applied.is_empty() {
        say("  No migrations to apply.");
    }
    Ok(())
}

fn plan(config: &Config) -> Result<(), Exit> {
    let pending = Migrator::connect(&config.database, Missing::Refuse)?.pending()?;
    say("Planned operations:");
    for name in &pending {
        say(format_args!("  {name}"));
    }
    if pending.is_empty() {
        say("  No planned migration operations.");
    }
    Ok(())
}

fn revert(config: &Config) -> Result<(), Exit> {
    let mut migrator = Migrator::connect(&config.database, Missing::Refuse)?;
    say("Running migrations:");
    match migrator.revert()? {
        Some(reverted) => {
            say(format_args!("  Unapplying {}... OK", reverted.name));
            if let Some(copy) = reverted.kept {
                let copy = copy.display();
                say(format_args!("The database as it was is kept in {copy}."));
            }
        }
        None => say("  No migrations to unapply."),
    }
    Ok(())
}
