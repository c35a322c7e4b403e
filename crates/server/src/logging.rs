//! The log: one line an event, to standard error and to a file.

use crate::console::complain;
use crate::exit::Exit;
use crate::outside::SystemClock;
use crate::rotate::{RotatingFile, Rotation};
use chrono::SecondsFormat;
use env_logger::{Builder, Target};
use log::Record;
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;
use tradepost_domain::Clock;

/// Starts the log of the server.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn to_file(path: &Path) -> Result<(), Exit> {
    let file = RotatingFile::open(path, Rotation::LOG).map_err(|error| {
        Exit::Failed(format!(
            "The log file {} cannot be written: {error}. Name another with --log-file.",
            path.display()
        ))
    })?;
    let tee = Tee {
        file,
        failing: false,
    };
    start("info,actix_server=warn", Target::Pipe(Box::new(tee)));
    std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
    Ok(())
}

/// Starts the log of a command, which has its own words for what it does.
pub(crate) fn to_standard_error() {
    start("warn", Target::Stderr);
}

/// What `RUST_LOG` says, if it says anything.
pub(crate) fn wanted() -> Option<String> {
    std::env::var("RUST_LOG")
        .ok()
        .filter(|filters| !filters.is_empty())
}

fn start(level: &str, target: Target) {
    let filters = wanted().unwrap_or_else(|| level.to_owned());
    let started = Builder::new()
        .parse_filters(&filters)
        .format(write_line)
        .target(target)
        .try_init();
    if let Err(error) = started {
        complain(format_args!("There is no log: {error}."));
    }
}

fn write_line(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    let time = SystemClock
        .now()
        .to_rfc3339_opts(SecondsFormat::Micros, true);
    let message = record.args().to_string();
    let (level, target) = (record.level(), record.target());
    writeln!(out, "{time} {level:<5} {target}: {}", one_line(&message))
}

/// Text from outside is not to look like another line.
fn one_line(message: &str) -> Cow<'_, str> {
    if !message.contains(char::is_control) {
        return Cow::Borrowed(message);
    }
    let escaped = message.chars().fold(String::new(), |mut line, letter| {
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
        line
    });
    Cow::Owned(escaped)
}

/// Writes to standard error and to a file. Neither can stop the server: a disk that is full fails
/// orders by itself.
struct Tee {
    file: RotatingFile,
    failing: bool,
}

impl Write for Tee {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().lock().write_all(line);
        let written = self.file.write_all(line);
        if let (Err(error), false) = (&written, self.failing) {
            complain(format_args!("The log file cannot be written: {error}."));
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
    use log::Level;

    #[test]
    fn a_line_has_time_level_and_place() {
        let mut out = Vec::new();
        let record = Record::builder()
            .level(Level::Warn)
            .target("tradepost")
            .args(format_args!("two\nlines"))
            .build();
        write_line(&mut out, &record).unwrap();
        let line = String::from_utf8(out).unwrap();
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.parse::<chrono::DateTime<chrono::Utc>>().is_ok() && time.ends_with('Z'));
        assert_eq!(rest, "WARN  tradepost: two\\nlines\n");
    }

    #[test]
    fn a_message_stays_on_its_line() {
        for (message, line) in [
            ("plain, with é and 🦀", "plain, with é and 🦀"),
            ("a\r\nb\tc\u{1b}[31m", "a\\r\\nb\\tc\\u{1b}[31m"),
            ("a\u{85}b", "a\\u{85}b"),
        ] {
            assert_eq!(one_line(message), line);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_stops_nothing() {
        let path = Path::new("/dev/full");
        if path.exists() {
            let file = RotatingFile::open(path, Rotation::LOG).unwrap();
            let mut tee = Tee {
                file,
                failing: false,
            };
            for _ in 0..2 {
                assert_eq!(tee.write(b"a line for the test of the log\n").unwrap(), 31);
                assert!(tee.failing);
            }
        }
    }
}
