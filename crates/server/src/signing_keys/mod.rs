//! The token signing keys: from the environment, or from a file that the first start creates.

mod format;
mod rotate;
mod strength;
mod watch;

pub(crate) use rotate::{Rotated, rotate};
pub(crate) use watch::watch;

use crate::config::{Config, KeySource, folder_of};
use crate::exit::CliError;
use crate::system::symlinks;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tradepost_auth::{JwtTokens, KeyRing, SigningKey};

/// The signing keys, and their source text.
pub(crate) struct Keys {
    ring: KeyRing,
    text: String,
}

impl Keys {
    /// Parses the keys of a text.
    fn parse(text: String, whence: &str) -> Result<Self, String> {
        let entries = format::parse(&text).map_err(|wrong| format!("{whence} {wrong}."))?;
        let ring = format::ring(&entries).map_err(|wrong| format!("{whence} {wrong}."))?;
        Ok(Self { ring, text })
    }

    /// Errors for a token lifetime: the keys that stop being accepted before tokens of that
    /// lifetime expire, because the last rotation assumed a shorter one.
    pub(crate) fn ends_early(&self, life: TimeDelta, now: DateTime<Utc>) -> Vec<String> {
        let begins = || self.ring.keys().filter_map(|key| key.signs_from);
        let early = self.ring.keys().filter_map(|key| {
            let end = key.ends?;
            let next = begins().filter(|begin| Some(*begin) > key.signs_from);
            let last = next.min()?.checked_add_signed(life)?;
            (end < last && now < last).then(|| {
                format!(
                    "The signing key {} is accepted until {end}, but its last tokens end at {last}: \
                     run `tradepost rotate-key` with the --token-auth-days of the servers.",
                    key.key.id()
                )
            })
        });
        early.collect()
    }

    /// The token service over these keys.
    pub(crate) fn tokens(&self) -> JwtTokens {
        JwtTokens::from_ring(self.ring.clone())
    }
}

/// A token service with a random key that is discarded, for commands that sign no user in.
pub(crate) fn temporary() -> Result<JwtTokens, CliError> {
    JwtTokens::with_random_key().map_err(|error| failed(&error))
}

fn failed(error: &dyn std::error::Error) -> CliError {
    CliError::Failed(format!("There is no signing key: {error}."))
}

/// Preflight check of the keys: reports errors that can be found before anything is created.
pub(crate) fn preflight(config: &Config) -> Result<(), CliError> {
    match &config.key {
        KeySource::File(path) if !path.try_exists().unwrap_or(true) => {
            if config.has_folder_for(path) {
                return Ok(());
            }
            Err(not_made(path, &"its folder is not there"))
        }
        source => load(source).map(drop),
    }
}

/// Loads the keys; creates the file if it is missing.
pub(crate) fn load_or_make(source: &KeySource) -> Result<Keys, CliError> {
    if let KeySource::File(path) = source {
        make_if_missing(path).map_err(|error| not_made(path, &error))?;
    }
    load(source)
}

fn not_made(path: &Path, why: &dyn Display) -> CliError {
    CliError::Failed(format!(
        "The file of the signing key {} cannot be made: {why}. Name another with --jwt-secret-file.",
        path.display()
    ))
}

/// Loads the keys.
pub(crate) fn load(source: &KeySource) -> Result<Keys, CliError> {
    match source {
        KeySource::Text(text) => {
            Keys::parse(text.clone(), "TRADEPOST_JWT_SECRET").map_err(CliError::Usage)
        }
        KeySource::File(path) => read(path).map_err(CliError::Failed),
    }
}

/// Loads the keys of a file.
fn read(path: &Path) -> Result<Keys, String> {
    let whence = format!("The file {}", path.display());
    let text = read_regular(path).map_err(|error| {
        format!("{whence} with the signing key cannot be read: {error}. Name another with --jwt-secret-file.")
    })?;
    Keys::parse(text, &whence)
}

/// Reads a regular file and rejects other kinds: a pipe may never end.
fn read_regular(path: &Path) -> io::Result<String> {
    symlinks::refuse_link(path)?;
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(symlinks::open_flags(path));
    io::read_to_string(options.open(path)?)
}

/// The insecure permissions of the key file, if it exists: a user that can read the key can forge a
/// token for any account.
pub(crate) fn insecure_mode(source: &KeySource) -> Option<String> {
    let KeySource::File(path) = source else {
        return None;
    };
    exposed(path).map(|mode| {
        format!(
            "The signing key {} can be read or written by others (mode {mode:o}): run chmod 600 on it.",
            path.display(),
        )
    })
}

/// The mode of a file, if others than its owner can read or write it.
pub(crate) fn exposed(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.mode();
    (mode & 0o077 != 0).then_some(mode & 0o777)
}

/// Creates the file with a new key unless it exists. It appears atomically: neither a server that
/// starts at the same time nor one that starts after a crash reads half a key.
fn make_if_missing(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let secret = SigningKey::generate_secret().map_err(io::Error::other)?;
    let draft = draft_beside(path)?;
    write_private(&draft, &format!("{secret}\n"))?;
    let linked = fs::hard_link(&draft, path);
    let removed = fs::remove_file(&draft);
    match linked {
        // Another server created the file first: its key is used.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return removed,
        // Not every file system has hard links.
        Err(_) => match write_private(path, &format!("{secret}\n")) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            written => written?,
        },
        Ok(()) => {}
    }
    removed?;
    // The directory entry must survive a power failure as well.
    File::open(folder_of(path))?.sync_all()
}

fn draft_beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(
        ".{:016x}",
        getrandom::u64().map_err(io::Error::other)?
    ));
    Ok(PathBuf::from(name))
}

/// Creates a file with mode 0600, and syncs it to disk.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    fn file(folder: &tempfile::TempDir) -> (PathBuf, KeySource) {
        let path = folder.path().join("jwt.key");
        (path.clone(), KeySource::File(path))
    }

    fn id(keys: &Keys) -> String {
        let now = chrono::DateTime::UNIX_EPOCH;
        keys.ring.signing(now).id().to_owned()
    }

    #[test]
    fn a_missing_file_is_made_for_its_owner_alone_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, source) = file(&folder);
        let first = load_or_make(&source).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(insecure_mode(&source), None);
        let again = load_or_make(&source).unwrap();
        assert_eq!(id(&first), id(&again));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn servers_that_start_together_share_one_key() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let (_, source) = file(&folder);
            let start = Barrier::new(8);
            let ids: Vec<String> = std::thread::scope(|scope| {
                let servers: Vec<_> = (0..8)
                    .map(|_| {
                        scope.spawn(|| {
                            start.wait();
                            id(&load_or_make(&source).unwrap())
                        })
                    })
                    .collect();
                let joined = servers.into_iter().map(|server| server.join().unwrap());
                joined.collect()
            });
            assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_key_that_is_too_short_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (path, source) = file(&folder);
        let long = "f3a9c17e5b2d8064e91b7fd3ac5820b6";
        for (text, said) in [
            ("", "holds no signing key."),
            (" \n\n", "holds no signing key."),
            (
                "secret\n",
                "holds a signing key of 6 bytes, but it has to have at least 32.",
            ),
            (
                &format!("{long}\nsecret"),
                "holds a signing key of 6 bytes, but it has to have at least 32.",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let refused = load_or_make(&source).err().unwrap();
            let expected = format!("The file {} {said}", path.display());
            assert!(
                matches!(&refused, CliError::Failed(said) if *said == expected),
                "{refused}"
            );
            let refused = load(&KeySource::Text(text.to_owned())).err().unwrap();
            let expected = format!("TRADEPOST_JWT_SECRET {said}");
            assert!(
                matches!(&refused, CliError::Usage(said) if *said == expected),
                "{refused}"
            );
        }
    }

    #[test]
    fn the_first_line_signs_and_the_others_are_accepted() {
        let lines = ["first", "second", "third"]
            .map(|name| format!("{name} of a shop, with 32 bytes or more"));
        let keys = load(&KeySource::Text(format!(
            "\n {} \r\n{}\n\n{}",
            lines[0], lines[1], lines[2]
        )))
        .unwrap();
        let expected = |at: usize| SigningKey::from_secret(&lines[at]).unwrap().id().to_owned();
        assert_eq!(id(&keys), expected(0));
        let all: Vec<_> = keys.ring.keys().map(|key| key.key.id()).collect();
        assert_eq!(all, [expected(0), expected(1), expected(2)]);
    }

    #[test]
    fn a_key_that_others_can_read_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (path, source) = file(&folder);
        assert_eq!(insecure_mode(&source), None, "there is none yet");
        load_or_make(&source).unwrap();
        for (mode, exposed) in [
            (0o600, false),
            (0o400, false),
            (0o640, true),
            (0o604, true),
            (0o620, true),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(insecure_mode(&source).is_some(), exposed, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_or_read_is_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let missing = KeySource::File(folder.path().join("no/jwt.key"));
        let refused = load_or_make(&missing).err().unwrap().to_string();
        assert!(
            refused.contains("cannot be made") && refused.contains("--jwt-secret-file"),
            "{refused}"
        );
        let refused = load(&KeySource::File(folder.path().to_owned()))
            .err()
            .unwrap()
            .to_string();
        assert!(
            refused.contains("cannot be read: it is not a regular file."),
            "{refused}"
        );
    }

    #[test]
    fn a_pipe_that_never_ends_is_not_read() {
        use std::os::fd::AsRawFd;
        let (reader, _writer) = io::pipe().unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", reader.as_raw_fd()));
        if path.exists() {
            let refused = load_or_make(&KeySource::File(path)).err().unwrap();
            assert!(refused.to_string().contains("it is not a regular file."));
        }
    }
}
