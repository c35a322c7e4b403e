//! Tradepost: a shop's whole back end in one binary. This crate is its command line and wiring; the
//! product is in the crates that it depends on.
//!
//! - `cli.rs` declares commands and options, `config.rs` validates the settings.
//! - `commands/` has one file for each command.
//! - `shop.rs` has the wiring; `keys.rs`, `logging.rs` and `outside.rs` provide keys, log, clock
//!   and randomness from the operating system.

mod cli;
mod commands;
mod config;
mod console;
mod demo;
mod evidence;
mod exit;
mod exposed;
mod keys;
mod lane;
mod logging;
mod outside;
mod preflight;
mod rotate;
mod setting;
mod shop;
mod signals;
mod upkeep;

use std::process::ExitCode;

fn main() -> ExitCode {
    outside::dump_no_core();
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
