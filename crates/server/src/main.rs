//! Tradepost: a shop's whole back end in one binary. This crate is its command line and wiring; the
//! product is in the crates that it depends on.
//!
//! - `cli/` declares commands and options, `config/` validates the settings.
//! - `commands/` has one file for each command; `preflight.rs` has the checks before a start.
//! - `wiring.rs` builds stores and services.
//! - `signing_keys/`, `logging/` and `system/` provide keys, log, clock and randomness.

mod cli;
mod commands;
mod config;
mod demo;
mod exit;
mod logging;
mod lost_database;
mod preflight;
mod retention;
mod signing_keys;
mod stock_check;
mod system;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    system::dump_no_core();
    let ended = cli::read().and_then(|(given, command)| commands::run(&given, command));
    let code = match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => {
            logging::log_last_line(format_args!("error: {exit}"));
            exit.code()
        }
    };
    logging::flush();
    code
}
