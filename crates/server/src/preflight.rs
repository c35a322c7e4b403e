//! Preflight checks: every condition that keeps `tradepost serve` from starting and can be checked
//! before anything is created. `tradepost check` runs the same steps, so that the two cannot drift
//! apart.

use crate::config::{Config, folder_of};
use crate::exit::CliError;
use crate::lost_database::{self, FirstStart};
use crate::system::symlinks;
use crate::{signing_keys, wiring};
use rustix::fs::Access;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tradepost_diesel::{DatabaseUrl, OpenError, ShopCurrency};

/// Free space below which the disk counts as full: the files of the write-ahead log alone take a
/// tenth of it.
const LEAST_ROOM: u64 = 1024 * 1024;

type Step = fn(&Config, FirstStart) -> Result<(), CliError>;

/// The steps in the order in which `serve` takes them. A step whose prerequisite failed in an
/// earlier step finds nothing.
pub(crate) const STEPS: [Step; 6] = [
    |config, _| data_dir(config),
    database,
    |config, _| key(config),
    |config, _| log_files(config),
    |config, _| contents(config),
    |config, _| room(config, LEAST_ROOM),
];

/// Runs all steps.
///
/// # Errors
/// The finding of the first step that fails.
pub(crate) fn run(config: &Config, first: FirstStart) -> Result<(), CliError> {
    STEPS.iter().try_for_each(|step| step(config, first))
}

/// The steps for commands that create a database and serve nothing.
///
/// # Errors
/// The finding of the first step that fails.
pub(crate) fn for_database(config: &Config, first: FirstStart) -> Result<(), CliError> {
    data_dir(config)?;
    database(config, first)
}

/// Adds to an error that a folder of the shop is full, where that may be the cause.
pub(crate) fn explain(config: &Config, exit: CliError) -> CliError {
    match (exit, room(config, LEAST_ROOM)) {
        (CliError::Failed(sentence), Err(full)) if full.to_string() != sentence => {
            CliError::Failed(format!("{sentence} {full}"))
        }
        (exit, _) => exit,
    }
}

fn data_dir(config: &Config) -> Result<(), CliError> {
    let path = &config.data_dir;
    let not_made = |why: &io::Error| wiring::data_dir_not_made(config, why);
    symlinks::refuse_link(path).map_err(|error| not_made(&error))?;
    match fs::metadata(path) {
        Ok(data) if !data.is_dir() => Err(not_made(&ErrorKind::NotADirectory.into())),
        Ok(_) => writable(path).map_err(|error| {
            CliError::Failed(format!(
                "The data folder {} cannot be written: {error}. Run this as the user that it \
                 belongs to, or name another with --data-dir.",
                path.display()
            ))
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let there = path.ancestors().find(|folder| folder.exists());
            let there = there.filter(|folder| !folder.as_os_str().is_empty());
            writable(there.unwrap_or(Path::new("."))).map_err(|error| not_made(&error))
        }
        Err(error) => Err(not_made(&error)),
    }
}

fn database(config: &Config, first: FirstStart) -> Result<(), CliError> {
    if !is_folder_or_missing(&config.data_dir) {
        return Ok(());
    }
    if let DatabaseUrl::Sqlite(path) = &config.database {
        symlinks::refuse_link(path).map_err(|error| unusable(path, &error))?;
        lost_database::check(config, path, first)?;
    }
    wiring::preflight_database(config)?;
    if let DatabaseUrl::Sqlite(path) = &config.database
        && path.exists()
    {
        writable(path)
            .and_then(|()| writable(folder_of(path)))
            .map_err(|error| unusable(path, &error))?;
    }
    Ok(())
}

fn unusable(path: &Path, why: &io::Error) -> CliError {
    CliError::Failed(format!(
        "The database {} cannot be opened: {why}. It is the one of --database \
         (TRADEPOST_DATABASE_URL).",
        path.display()
    ))
}

fn key(config: &Config) -> Result<(), CliError> {
    if is_folder_or_missing(&config.data_dir) {
        signing_keys::preflight(config)
    } else {
        Ok(())
    }
}

fn log_files(config: &Config) -> Result<(), CliError> {
    log_file(config, &config.log_file, "log", "--log-file")?;
    match &config.access_log {
        Some(path) => log_file(config, path, "access log", "--access-log"),
        None => Ok(()),
    }
}

fn log_file(config: &Config, path: &Path, kind: &str, option: &str) -> Result<(), CliError> {
    let refused = |error: &io::Error| {
        CliError::Failed(format!(
            "The {kind} file {} cannot be written: {error}. Name another with {option}.",
            path.display()
        ))
    };
    if !is_folder_or_missing(&config.data_dir) {
        return Ok(());
    }
    symlinks::refuse_link(path).map_err(|error| refused(&error))?;
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(refused(&ErrorKind::IsADirectory.into())),
        Ok(_) => writable(path).map_err(|error| refused(&error)),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(refused(&error)),
        Err(error) if !config.has_folder_for(path) => Err(refused(&error)),
        Err(_) if !folder_of(path).exists() => Ok(()),
        Err(_) => writable(folder_of(path)).map_err(|error| refused(&error)),
    }
}

/// Whether the database takes writes, and can be opened as the server does. A database with pending
/// migrations is migrated first.
fn contents(config: &Config) -> Result<(), CliError> {
    let is_file = |path: &Path| path.exists();
    if matches!(&config.database, DatabaseUrl::Sqlite(path) if !is_file(path)) {
        return Ok(());
    }
    // Reported by the step before.
    let Ok(pending) = wiring::pending(config) else {
        return Ok(());
    };
    tradepost_diesel::require_writable(&config.database)?;
    if pending.is_empty() {
        wiring::open(config, ShopCurrency::Like(config.currency)).map(drop)
    } else {
        Ok(())
    }
}

/// Whether the file systems of the shop's folders have at least `least` bytes free.
pub(crate) fn room(config: &Config, least: u64) -> Result<(), CliError> {
    let mut folders = vec![
        config.data_dir.clone(),
        folder_of(&config.log_file).to_owned(),
    ];
    let access_log = config.access_log.as_deref();
    folders.extend(access_log.map(|path| folder_of(path).to_owned()));
    if let DatabaseUrl::Sqlite(path) = &config.database {
        folders.push(folder_of(path).to_owned());
    }
    for folder in folders {
        let there = folder.ancestors().find(|folder| folder.is_dir());
        let there = there.map_or_else(|| PathBuf::from("."), Path::to_owned);
        // A file system that does not report its free space passes.
        let Ok(found) = rustix::fs::statvfs(&there) else {
            continue;
        };
        let left = found.f_bavail.saturating_mul(found.f_frsize);
        // File systems such as /dev and /proc have no size.
        if found.f_blocks > 0 && left < least {
            return Err(CliError::Failed(format!(
                "The disk of the folder {} is full: {left} bytes are left. Make room there, or \
                 name another folder with --data-dir.",
                there.display()
            )));
        }
    }
    Ok(())
}

/// Whether the server can listen on the address, or a server already runs there.
///
/// # Errors
/// The error that a start would report.
pub(crate) fn listen(config: &Config) -> Result<Address, CliError> {
    match TcpListener::bind(&config.listen) {
        Ok(_) => Ok(Address::Free),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_served(&config.listen) => {
            Ok(Address::Served)
        }
        Err(error) => Err(not_listening(config, &error)),
    }
}

/// The state of the listen address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// Free.
    Free,
    /// Taken by a server of this program.
    Served,
}

/// Timeout for the health check of a server that may already run.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether a server answers `/healthz` on the address.
fn is_served(address: &str) -> bool {
    let ask = || -> io::Result<String> {
        let address = address.to_socket_addrs()?.next();
        let address = address.ok_or(ErrorKind::AddrNotAvailable)?;
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        io::read_to_string(stream.take(4_096))
    };
    ask().is_ok_and(|answer| answer.ends_with(r#"{"status":"ok"}"#))
}

/// The error for an address that cannot be listened on.
pub(crate) fn not_listening(config: &Config, error: &io::Error) -> CliError {
    let advice = match error.kind() {
        ErrorKind::AddrInUse => {
            "Stop the program that does, or choose another address with --listen"
        }
        ErrorKind::AddrNotAvailable => {
            "It is not an address of this machine: choose one that is with --listen"
        }
        ErrorKind::PermissionDenied => {
            "Ports below 1024 may be for others: choose a higher one with --listen"
        }
        _ => "Choose another address with --listen",
    };
    CliError::Failed(format!(
        "Nothing can listen on {}: {error}. {advice}.",
        config.listen
    ))
}

/// Whether a folder exists or can be created.
pub(crate) fn is_folder_or_missing(path: &Path) -> bool {
    fs::metadata(path).map_or_else(
        |error| error.kind() == ErrorKind::NotFound,
        |found| found.is_dir(),
    )
}

fn writable(path: &Path) -> io::Result<()> {
    rustix::fs::access(path, Access::WRITE_OK).map_err(io::Error::from)
}

/// Whether the database is missing, which the first start repairs.
pub(crate) fn is_missing(error: &OpenError) -> bool {
    matches!(error, OpenError::Missing { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Args;

    #[test]
    fn a_full_disk_is_reported_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let given = Args::of(&["--data-dir", &data.to_string_lossy()]);
        let config = Config::from_args(&given, &|_| None).unwrap();
        assert!(room(&config, 1).is_ok());
        let full = room(&config, u64::MAX).unwrap_err().to_string();
        let named = format!("The disk of the folder {} is full", folder.path().display());
        assert!(full.starts_with(&named), "{full}");
        assert!(full.contains("Make room there"), "{full}");
    }
}
