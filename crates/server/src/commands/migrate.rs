//! `tradepost migrate`: runs the pending migrations, shows them, or reverts the last one.

use crate::cli::Migrate;
use crate::config::Config;
use crate::exit::CliError;
use crate::lost_database::FirstStart;
use crate::system::console::print_line;
use crate::system::progress::ProgressReport;
use crate::{preflight, wiring};
use tradepost_diesel::{Migrator, Missing};

pub(super) fn run(config: &Config, options: &Migrate) -> Result<(), CliError> {
    if options.plan {
        plan(config)
    } else if options.revert {
        revert(config)
    } else {
        apply(config, options)
    }
}

fn apply(config: &Config, options: &Migrate) -> Result<(), CliError> {
    wiring::prepare(config, FirstStart::new(options.new))?;
    let progress = ProgressReport::of("Migrating", None, || None);
    let applied = wiring::migrate(config);
    progress.end();
    let applied = applied.map_err(|exit| preflight::explain(config, exit))?;
    print_line("Running migrations:");
    // All of them are committed, or none.
    for name in &applied {
        print_line(format_args!("  Applying {name}... OK"));
    }
    if applied.is_empty() {
        print_line("  No migrations to apply.");
    }
    Ok(())
}

fn plan(config: &Config) -> Result<(), CliError> {
    let pending = Migrator::connect(&config.database, Missing::Refuse)?.pending()?;
    print_line("Planned operations:");
    for name in &pending {
        print_line(format_args!("  {name}"));
    }
    if pending.is_empty() {
        print_line("  No planned migration operations.");
    }
    Ok(())
}

fn revert(config: &Config) -> Result<(), CliError> {
    let mut migrator = Migrator::connect(&config.database, Missing::Refuse)?;
    print_line("Running migrations:");
    match migrator.revert()? {
        Some(reverted) => {
            print_line(format_args!("  Unapplying {}... OK", reverted.name));
            if let Some(copy) = reverted.kept {
                let copy = copy.display();
                print_line(format_args!("The database as it was is kept in {copy}."));
            }
        }
        None => print_line("  No migrations to unapply."),
    }
    Ok(())
}
