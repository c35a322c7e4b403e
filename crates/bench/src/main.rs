//! Benchmark: measures Tradepost against the limits of its database, in one run on one machine.
//! `scripts/bench` runs it, and docs/performance.md has the results.
//!
//! - [`plan`]: the measurements, their number, and the required ratios.
//! - [`data`], [`fill`]: the measured shops.
//! - [`pgbench`], [`raw`]: the databases' own limits.
//! - [`limit`]: the limit of HTTP, a static answer from actix-web.
//! - [`server`], [`requests`], [`driver`], [`wrk`]: the program, over HTTP.
//! - [`cpu`], [`machine`], [`report`], [`chart`]: the report.

mod chart;
mod console;
mod cpu;
mod data;
mod driver;
mod fill;
mod limit;
mod machine;
mod pgbench;
mod plan;
mod raw;
mod report;
mod requests;
mod rounds;
mod server;
mod wrk;

use plan::Scale;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str =
    "usage: tradepost-bench [--quick] [--server PATH] [--against PATH] [--chart FILE]";

/// An error ends the measurement with a sentence.
type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::progress(format_args!("The measurement failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let mut scale = Scale::FULL;
    let mut program = std::env::current_exe()?.with_file_name("tradepost");
    let mut chart = None;
    let mut against = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => scale = Scale::QUICK,
            "--server" => program = PathBuf::from(words.next().ok_or("--server needs a path")?),
            "--against" => {
                against = Some(PathBuf::from(words.next().ok_or("--against needs a path")?));
            }
            "--chart" => {
                chart = Some(PathBuf::from(words.next().ok_or("--chart needs a path")?));
            }
            limit::OPTION => {
                return limit::serve(words.next().ok_or("--static needs a size")?.parse()?);
            }
            _ => return Err(USAGE.into()),
        }
    }
    let results = rounds::measure(&scale, &program, against.as_deref())?;
    console::say(format_args!("{}", report::text(&scale, &results)));
    if let Some(path) = chart {
        std::fs::write(path, chart::svg(&results))?;
    }
    Ok(())
}
