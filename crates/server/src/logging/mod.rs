//! The log: lines to standard error and to a file, access records to standard error and to a file
//! of their own. Callers copy a record into a bounded queue and block on no write.
//!
//! ```text
//! log::warn!    -> Logger          \                               / standard error
//! each request  -> QueuedAccessLog -> queue.rs -> pipeline.rs ----<  log file
//!                                     (bounded)   (one thread)     \ access log file
//! ```
//!
//! - `format.rs`, `line.rs`, `json.rs` and `digits.rs` format records; `filter.rs` reads `RUST_LOG`.
//! - `non_blocking.rs` gives each target a thread, so that a target that stalls delays no other;
//!   `output.rs` counts lines that a target does not take, and `rotating_file.rs` is a log file.

mod digits;
mod filter;
mod format;
mod json;
mod line;
mod non_blocking;
mod output;
mod pipeline;
mod queue;
mod rotating_file;

pub(crate) use filter::wanted;
pub(crate) use format::LogFormat;

use crate::exit::CliError;
use crate::logging::non_blocking::NonBlockingWriter;
use crate::logging::pipeline::Targets;
use crate::logging::queue::{Access, Class, Queue};
use crate::logging::rotating_file::{RotatingFile, Rotation};
use crate::system::console::{self, print_error};
use env_logger::{Builder, Target};
use log::{Level, Log, Metadata, Record};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};
use tradepost_auth::SystemClock;
use tradepost_domain::kernel::Clock;
use tradepost_http::{ACCESS_TARGET, AccessLog, AccessRecord, FacadeAccessLog, LogLosses};

/// Grace period at exit for lines that are not written yet.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The same for a panic in one thread of a server that goes on.
const PANIC_FLUSH_TIMEOUT: Duration = Duration::from_millis(100);

/// The log of this process.
static LOGGING: OnceLock<Logging> = OnceLock::new();

/// The number of requests to reopen the log files.
static REOPENED: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
struct Logging {
    queue: Arc<Queue>,
    targets: Targets,
    out: NonBlockingWriter,
}

/// Starts the log of the server: a log file, and an access log file if one is given.
///
/// # Errors
/// If a file cannot be written, or `RUST_LOG` is invalid.
pub(crate) fn to_files(
    file: &Path,
    access: Option<&Path>,
    format: LogFormat,
) -> Result<(), CliError> {
    let filters = filter::read(filter::DEFAULT)?;
    let file = log_file(file, "log", "--log-file")?;
    let access = access
        .map(|path| log_file(path, "access log", "--access-log"))
        .transpose()?;
    let logging = Logging::start(file, access, format)
        .map_err(|error| CliError::Failed(format!("The log cannot be written: {error}.")))?;
    let logger = Logger {
        filter: Builder::new().parse_filters(&filters).build(),
        format,
        queue: Arc::clone(&logging.queue),
    };
    // One log per process, as one server per process.
    let _ = LOGGING.set(logging);
    let level = logger.filter.filter();
    match log::set_boxed_logger(Box::new(logger)) {
        Ok(()) => log::set_max_level(level),
        Err(error) => print_error(format_args!("There is no log: {error}.")),
    }
    std::panic::set_hook(Box::new(|panic| {
        log::error!("{panic}");
        // The process ends after a panic of the main thread, and after one that cannot unwind.
        let is_main = thread::current().name() == Some("main");
        flush_within(match is_main {
            true => FLUSH_TIMEOUT,
            false => PANIC_FLUSH_TIMEOUT,
        });
    }));
    Ok(())
}

/// Starts the log of a command, which prints its own messages.
///
/// # Errors
/// If `RUST_LOG` is invalid.
pub(crate) fn to_standard_error(format: LogFormat) -> Result<(), CliError> {
    let started = Builder::new()
        .parse_filters(&filter::read("warn")?)
        .format(move |out, record| out.write_all(format.line(record).as_bytes()))
        .target(Target::Stderr)
        .try_init();
    if let Err(error) = started {
        print_error(format_args!("There is no log: {error}."));
    }
    Ok(())
}

/// The sink of access records, once the log is started.
pub(crate) fn access_log() -> Arc<dyn AccessLog> {
    match LOGGING.get() {
        Some(logging) => Arc::new(QueuedAccessLog::new(logging)),
        None => Arc::new(FacadeAccessLog),
    }
}

/// Reopens the log files, as log rotation tools expect.
pub(crate) fn reopen() {
    REOPENED.fetch_add(1, Ordering::AcqRel);
    if let Some(Logging { targets, .. }) = LOGGING.get() {
        targets.file.wake();
        targets.access.iter().for_each(NonBlockingWriter::wake);
    }
}

/// Prints a line on standard output without blocking on its reader.
pub(crate) fn print_line(line: impl Display) {
    match LOGGING.get() {
        Some(logging) => logging
            .out
            .push(format!("{line}\n").into_bytes().into(), true),
        None => console::print_line(line),
    }
}

/// Prints the final error on standard error, after the lines of the log.
pub(crate) fn log_last_line(line: impl Display) {
    match LOGGING.get() {
        Some(logging) => {
            logging.queue.drain(Instant::now() + FLUSH_TIMEOUT);
            let line = format!("{line}\n").into_bytes();
            logging.targets.err.push(line.into(), true);
        }
        None => print_error(line),
    }
}

/// Blocks until all lines are written, up to the grace period. Call it where the process ends.
pub(crate) fn flush() {
    flush_within(FLUSH_TIMEOUT);
}

fn flush_within(timeout: Duration) {
    if let Some(Logging {
        queue,
        targets,
        out,
    }) = LOGGING.get()
    {
        let until = Instant::now() + timeout;
        queue.drain(until);
        let files = [Some(&targets.file), targets.access.as_ref()];
        for writer in files.into_iter().flatten().chain([out, &targets.err]) {
            writer.flush(until);
        }
    }
}

/// Opens a log file.
fn log_file(path: &Path, kind: &'static str, option: &str) -> Result<LogFile, CliError> {
    match RotatingFile::open(path, Rotation::LOG) {
        Ok(file) => Ok(LogFile {
            file,
            kind,
            reopened: REOPENED.load(Ordering::Acquire),
        }),
        Err(error) => Err(CliError::Failed(format!(
            "The {kind} file {} cannot be written: {error}. Name another with {option}.",
            path.display()
        ))),
    }
}

impl Logging {
    fn start(file: LogFile, access: Option<LogFile>, format: LogFormat) -> io::Result<Self> {
        // Not through `io::stderr`: a thread that blocks there would keep its lock.
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let err = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let notice = move |lost| format.warning(format_args!("{lost} lines of log were lost"));
        let start_file = |name, file: LogFile| {
            let kind = file.kind;
            NonBlockingWriter::start(name, file, notice, move |error| {
                log::error!("the {kind} file cannot be written: {error}");
            })
        };
        let targets = Targets {
            err: NonBlockingWriter::start("log: stderr", err, notice, |error| {
                log::error!("standard error cannot be written: {error}");
            })?,
            file: start_file("log: file", file)?,
            access: access
                .map(|file| start_file("log: access", file))
                .transpose()?,
        };
        let queue = Arc::new(Queue::default());
        pipeline::start(Arc::clone(&queue), targets.clone(), format)?;
        Ok(Self {
            queue,
            targets,
            // A closed standard output is no error: its lines are for the operator at the start.
            out: NonBlockingWriter::start("stdout", out, notice, |_| ())?,
        })
    }
}

/// The logger of the `log` facade: formats lines and queues them.
struct Logger {
    filter: env_logger::Logger,
    format: LogFormat,
    queue: Arc<Queue>,
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.filter.matches(record) {
            let class = match record.target() {
                ACCESS_TARGET => Class::Access,
                _ => Class::of(record.level()),
            };
            self.queue.push_line(class, &self.format.line(record));
        }
    }

    fn flush(&self) {
        flush();
    }
}

/// The sink of access records that queues them without formatting.
#[derive(Debug)]
struct QueuedAccessLog {
    /// Whether `RUST_LOG` lets access records through.
    is_on: bool,
    /// Whether `RUST_LOG` has a text filter, which needs the formatted message.
    is_text_filtered: bool,
    queue: Arc<Queue>,
    targets: Targets,
}

impl QueuedAccessLog {
    fn new(logging: &Logging) -> Self {
        Self {
            is_on: log::log_enabled!(target: ACCESS_TARGET, Level::Info),
            is_text_filtered: wanted().is_some_and(|filters| filters.contains('/')),
            queue: Arc::clone(&logging.queue),
            targets: logging.targets.clone(),
        }
    }
}

impl AccessLog for QueuedAccessLog {
    fn record(&self, record: &AccessRecord<'_>) {
        if self.is_text_filtered {
            FacadeAccessLog.record(record);
        } else if self.is_on {
            self.queue.push_access(&Access {
                at: SystemClock.now(),
                took: u64::try_from(record.took.as_micros()).unwrap_or(u64::MAX),
                status: record.status,
                user: record.user,
                client: record.client,
                id: record.id,
                method: record.method,
                path: record.path,
            });
        }
    }

    fn losses(&self) -> LogLosses {
        let Targets { err, file, access } = &self.targets;
        let access = access.as_ref().map(|access| ("access_log", access.lost()));
        let mut lines = vec![
            ("queue", self.queue.lost()),
            ("log_file", file.lost()),
            ("stderr", err.lost()),
        ];
        lines.extend(access);
        LogLosses {
            dropped: self.queue.dropped(),
            lines,
        }
    }
}

/// A log file that is reopened on request.
struct LogFile {
    file: RotatingFile,
    /// Its name in messages.
    kind: &'static str,
    /// The number of requests to reopen that are done.
    reopened: u64,
}

impl Write for LogFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let wanted = REOPENED.load(Ordering::Acquire);
        if wanted != self.reopened {
            self.reopened = wanted;
            if let Err(error) = self.file.reopen() {
                let kind = self.kind;
                log::error!("the {kind} file cannot be reopened: {error}");
            }
        }
        self.file.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_file_write_error_is_reported_once_and_stops_nothing() {
        let path = Path::new("/dev/full");
        if path.exists() {
            let file = log_file(path, "log", "--log-file").unwrap_or_else(|_| panic!());
            let errors = Arc::new(AtomicU64::new(0));
            let of_writer = Arc::clone(&errors);
            let failing = move |_: &_| {
                of_writer.fetch_add(1, Ordering::AcqRel);
            };
            let log = NonBlockingWriter::start("log", file, |_| String::new(), failing).unwrap();
            for _ in 0..2 {
                log.push(Arc::from(*b"a line for the test of the log\n"), false);
            }
            log.flush(Instant::now() + Duration::from_secs(60));
            assert_eq!((errors.load(Ordering::Acquire), log.lost()), (1, 2));
        }
    }
}
