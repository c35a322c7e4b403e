//! Detection of a lost database. A first start creates the signing key after the database, so that
//! a key without a database is evidence of a database that was lost.

use crate::config::{Config, KeySource, folder_of};
use crate::exit::CliError;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The start of the log line of a running server; [`crate::commands`] writes it.
pub(crate) const SERVING: &str = "serving on ";

/// Whether to create an empty database despite evidence of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstStart {
    /// Create it only without such evidence.
    IfUnused,
    /// Create it in any case (`--new`).
    Wanted,
}

impl FirstStart {
    /// From the option `--new`.
    pub(crate) fn new(wanted: bool) -> Self {
        if wanted { Self::Wanted } else { Self::IfUnused }
    }
}

/// Looks for evidence if the database file is missing or empty.
///
/// # Errors
/// A sentence that names the evidence and the remedy.
pub(crate) fn check(config: &Config, database: &Path, first: FirstStart) -> Result<(), CliError> {
    let length = fs::metadata(database).map(|file| file.len());
    if length.as_ref().is_ok_and(|length| *length > 0) {
        return Ok(());
    }
    let missing = database.display();
    let log = beside(database, "-wal");
    if length.is_err() && fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Err(CliError::Failed(format!(
            "There is no database at {missing}, but its write-ahead log {} is there, and would be \
             written into a new one. Put the database back, or move the log away.",
            log.display()
        )));
    }
    if first == FirstStart::Wanted {
        return Ok(());
    }
    let Some(found) = found(config) else {
        return Ok(());
    };
    Err(CliError::Failed(format!(
        "There is no database at {missing}, but {found} says that there was a shop. Put the \
         database back, from a backup or from a file named {missing}.rescued-...; or name the \
         right one with --database; or make an empty shop with --new."
    )))
}

/// The evidence of an earlier shop, if any.
fn found(config: &Config) -> Option<String> {
    // A key file that the operator configured may have been created before the first start.
    let own = config.data_dir.join("jwt.key");
    if config.key == KeySource::File(own.clone()) && own.exists() {
        return Some(format!("the signing key {}", own.display()));
    }
    let older = beside(&config.log_file, ".1");
    [config.log_file.clone(), older]
        .into_iter()
        .find(|log| tells_of_a_shop(log))
        .map(|log| format!("the log {}", log.display()))
}

fn tells_of_a_shop(log: &Path) -> bool {
    // Other kinds of files may have no end.
    if !fs::metadata(log).is_ok_and(|log| log.is_file()) {
        return false;
    }
    let Ok(file) = File::open(log) else {
        return false;
    };
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let text = format!(" tradepost::commands::serve: {SERVING}");
    let json = format!("\"target\":\"tradepost::commands::serve\",\"message\":\"{SERVING}");
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .any(|line| line.contains(&text) || line.contains(&json))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default();
    let mut name = OsString::from(name);
    name.push(end);
    folder_of(path).join(name)
}
