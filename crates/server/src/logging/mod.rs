//! The log: one line per event, to standard error and to a file. Callers never block on either: a
//! terminal or disk that stalls does not stop the server.

mod line;
mod non_blocking;
mod rotating_file;

use crate::exit::CliError;
use crate::logging::non_blocking::NonBlockingWriter;
use crate::logging::rotating_file::{RotatingFile, Rotation};
use crate::system::console::{self, print_error};
use env_logger::{Builder, Target};
use log::{Level, Record};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// The default filters, without `RUST_LOG`. actix's HTTP parser logs malformed input of any client
/// as an error of the server, so it is off.
const FILTERS: &str = "info,actix_server=warn,actix_http=off";

/// Grace period at exit for lines that are not written yet.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The writers of log, standard output and standard error.
static WRITERS: OnceLock<Writers> = OnceLock::new();

/// Whether the log file is to be reopened.
static REOPEN: AtomicBool = AtomicBool::new(false);

struct Writers {
    out: NonBlockingWriter,
    err: NonBlockingWriter,
    file: NonBlockingWriter,
}

/// Starts the log of the server.
///
/// # Errors
/// If the file cannot be written, or `RUST_LOG` is invalid.
pub(crate) fn to_file(path: &Path) -> Result<(), CliError> {
    let file = RotatingFile::open(path, Rotation::LOG).map_err(|error| {
        CliError::Failed(format!(
            "The log file {} cannot be written: {error}. Name another with --log-file.",
            path.display()
        ))
    })?;
    let writers = Writers::start(file)
        .map_err(|error| CliError::Failed(format!("The log cannot be written: {error}.")))?;
    let tee = Tee {
        err: writers.err.clone(),
        file: writers.file.clone(),
    };
    // One log per process, as one server per process.
    let _ = WRITERS.set(writers);
    start(FILTERS, Target::Pipe(Box::new(tee)))?;
    std::panic::set_hook(Box::new(|panic| {
        log::error!("{panic}");
        if thread::current().name() == Some("main") {
            // The process ends here.
            flush();
        }
    }));
    Ok(())
}

/// Starts the log of a command, which prints its own messages.
///
/// # Errors
/// If `RUST_LOG` is invalid.
pub(crate) fn to_standard_error() -> Result<(), CliError> {
    start("warn", Target::Stderr)
}

/// Requests that the log file is reopened before the next line, as log rotation tools expect.
pub(crate) fn reopen() {
    REOPEN.store(true, Ordering::Release);
}

/// Prints a line on standard output without blocking on its reader.
pub(crate) fn print_line(line: impl Display) {
    match WRITERS.get() {
        Some(writers) => writers.out.push(format!("{line}\n").into_bytes().into()),
        None => console::print_line(line),
    }
}

/// Prints the final error on standard error, after the lines of the log.
pub(crate) fn log_last_line(line: impl Display) {
    match WRITERS.get() {
        Some(writers) => writers.err.push(format!("{line}\n").into_bytes().into()),
        None => print_error(line),
    }
}

/// Blocks until all lines are written, up to the grace period. Call it where the process ends.
pub(crate) fn flush() {
    if let Some(writers) = WRITERS.get() {
        let until = Instant::now() + FLUSH_TIMEOUT;
        for writer in [&writers.out, &writers.file, &writers.err] {
            writer.flush(until);
        }
    }
}

/// The value of `RUST_LOG`, if set.
pub(crate) fn wanted() -> Option<String> {
    std::env::var("RUST_LOG")
        .ok()
        .filter(|filters| !filters.is_empty())
}

/// The first invalid part of `RUST_LOG`, if any: it would switch the log off.
fn wrong_part(filters: &str) -> Option<&str> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |text: &str| {
        let text = text.trim();
        LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text))
    };
    // The part after a slash is a text filter.
    let parts = filters.split('/').next().unwrap_or_default().split(',');
    let mut parts = parts.filter(|part| !part.trim().is_empty());
    parts.find(|part| match part.split_once('=') {
        Some((target, level)) => target.trim().is_empty() || !is_level(level),
        None => !is_level(part),
    })
}

fn start(level: &str, target: Target) -> Result<(), CliError> {
    let filters = wanted().unwrap_or_else(|| level.to_owned());
    if let Some(part) = wrong_part(&filters) {
        return Err(CliError::Usage(format!(
            "RUST_LOG is wrong at {part:?}: it takes off, error, warn, info, debug or trace, or \
             such a level for a part of the program, as in info,tradepost_http=debug."
        )));
    }
    let started = Builder::new()
        .parse_filters(&filters)
        .format(line::write)
        .target(target)
        .try_init();
    if let Err(error) = started {
        print_error(format_args!("There is no log: {error}."));
    }
    Ok(())
}

impl Writers {
    fn start(file: RotatingFile) -> io::Result<Self> {
        // Not through `io::stderr`: a thread that blocks there would keep its lock.
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let err = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let err = NonBlockingWriter::start("log: stderr", err, lost)?;
        let file = LogFile {
            file,
            failing: false,
            err: err.clone(),
        };
        Ok(Self {
            out: NonBlockingWriter::start("stdout", out, lost)?,
            err,
            file: NonBlockingWriter::start("log: file", file, lost)?,
        })
    }
}

/// The line that reports dropped lines.
fn lost(lines: u64) -> String {
    let mut line = Vec::new();
    let mut record = Record::builder();
    record.level(Level::Warn).target("tradepost");
    // Writing to memory cannot fail.
    let _ = line::write(
        &mut line,
        &record
            .args(format_args!("{lines} lines of log were lost"))
            .build(),
    );
    String::from_utf8_lossy(&line).into_owned()
}

/// Writes each line to standard error and to the file.
struct Tee {
    err: NonBlockingWriter,
    file: NonBlockingWriter,
}

impl Write for Tee {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text: Arc<[u8]> = line.into();
        self.err.push(Arc::clone(&text));
        self.file.push(text);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log file. A write error is reported once: on a full disk, orders fail on their own.
struct LogFile {
    file: RotatingFile,
    failing: bool,
    err: NonBlockingWriter,
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let reopened = if REOPEN.swap(false, Ordering::AcqRel) {
            self.file.reopen()
        } else {
            Ok(())
        };
        let written = self.file.write_all(line).and(reopened);
        if let (Err(error), false) = (&written, self.failing) {
            let said = format!("The log file cannot be written: {error}.\n");
            self.err.push(said.into_bytes().into());
        }
        self.failing = written.is_err();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_log_filters_are_found() {
        for (filters, wrong) in [
            ("", None),
            ("info", None),
            (FILTERS, None),
            (" Debug , tradepost_http = TRACE,", None),
            ("off", None),
            ("info/what, is=looked for", None),
            ("loud", Some("loud")),
            ("info,tradepost", Some("tradepost")),
            ("info,tradepost=loud", Some("tradepost=loud")),
            ("=info", Some("=info")),
            ("bogus=[", Some("bogus=[")),
        ] {
            assert_eq!(wrong_part(filters), wrong, "{filters:?}");
        }
    }

    #[test]
    fn a_log_file_write_error_is_reported_once_and_stops_nothing() {
        let path = Path::new("/dev/full");
        if path.exists() {
            let file = RotatingFile::open(path, Rotation::LOG).unwrap();
            let (reader, writer) = io::pipe().unwrap();
            let mut file = LogFile {
                file,
                failing: false,
                err: NonBlockingWriter::start("err", writer, lost).unwrap(),
            };
            for _ in 0..2 {
                assert_eq!(file.write(b"a line for the test of the log\n").unwrap(), 31);
                assert!(file.failing);
            }
            drop(file);
            let said = io::read_to_string(reader).unwrap();
            assert_eq!(said.matches("cannot be written").count(), 1, "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }

    #[test]
    fn lost_lines_are_a_line() {
        let line = lost(7);
        assert!(
            line.ends_with(" WARN  tradepost: 7 lines of log were lost\n"),
            "{line}"
        );
    }
}
