//! The key that signs tokens: from the environment, or from a file that is made at the first start.

use crate::config::{Config, KeySource, folder_of};
use crate::exit::Exit;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tradepost_auth::{JwtTokens, SigningKey};

/// The signing keys: one that signs, and others that are still accepted.
#[derive(Debug)]
pub(crate) struct Keys {
    signing: SigningKey,
    also_accepted: Vec<SigningKey>,
}

impl Keys {
    /// The keys of a text: one on each line, of which the first signs.
    fn of(text: &str, whence: &str) -> Result<Self, String> {
        let mut keys = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(SigningKey::from_secret);
        let signing = keys
            .next()
            .ok_or_else(|| format!("{whence} holds no signing key."))?;
        let keys = signing.and_then(|signing| {
            let also_accepted = keys.collect::<Result<_, _>>()?;
            Ok(Self {
                signing,
                also_accepted,
            })
        });
        keys.map_err(|short| {
            let least = SigningKey::MIN_BYTES;
            format!(
                "{whence} holds a signing key of {} bytes, but it has to have at least {least}.",
                short.0
            )
        })
    }

    /// The tokens of these keys.
    pub(crate) fn into_tokens(self) -> JwtTokens {
        JwtTokens::new(self.signing, self.also_accepted)
    }
}

/// Tokens of a key that nobody has, for commands that sign nobody in.
pub(crate) fn throw_away() -> Result<JwtTokens, Exit> {
    let secret = SigningKey::generate_secret().map_err(|error| failed(&error))?;
    let key = SigningKey::from_secret(&secret).map_err(|error| failed(&error))?;
    Ok(JwtTokens::new(key, Vec::new()))
}

fn failed(error: &dyn std::error::Error) -> Exit {
    Exit::Failed(format!("There is no signing key: {error}."))
}

/// Finds what is wrong with the keys, as far as it can be found before anything is made.
pub(crate) fn look_at(config: &Config) -> Result<(), Exit> {
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

/// Reads the keys, and makes the file if it is missing.
pub(crate) fn load_or_make(source: &KeySource) -> Result<Keys, Exit> {
    if let KeySource::File(path) = source {
        make_if_missing(path).map_err(|error| not_made(path, &error))?;
    }
    load(source)
}

fn not_made(path: &Path, why: &dyn Display) -> Exit {
    Exit::Failed(format!(
        "The file of the signing key {} cannot be made: {why}. Name another with --jwt-secret-file.",
        path.display()
    ))
}

/// Reads the keys.
pub(crate) fn load(source: &KeySource) -> Result<Keys, Exit> {
    match source {
        KeySource::Text(text) => Keys::of(text, "TRADEPOST_JWT_SECRET").map_err(Exit::Usage),
        KeySource::File(path) => {
            let whence = format!("The file {}", path.display());
            let text = read_regular(path).map_err(|error| {
                Exit::Failed(format!(
                    "{whence} with the signing key cannot be read: {error}. Name another with --jwt-secret-file."
                ))
            })?;
            Keys::of(&text, &whence).map_err(Exit::Failed)
        }
    }
}

/// Reads a file, and nothing that only looks like one: a pipe may never come to an end.
fn read_regular(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.is_file() {
        fs::read_to_string(path)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

/// What is unsafe about the file, if there is one: who can read the key can sign in as anybody.
pub(crate) fn exposure(source: &KeySource) -> Option<String> {
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

/// The mode of a file that others than its owner can read or write.
pub(crate) fn exposed(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.mode();
    (mode & 0o077 != 0).then_some(mode & 0o777)
}

/// Makes the file with a new key unless it is there. It appears with its whole content: neither a
/// server that starts at the same time nor one that starts after a crash finds half a key.
fn make_if_missing(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let secret = SigningKey::generate_secret().map_err(io::Error::other)?;
    let draft = draft_beside(path)?;
    write_private(&draft, &secret)?;
    let linked = fs::hard_link(&draft, path);
    let removed = fs::remove_file(&draft);
    match linked {
        // Another server was quicker: its key is the one.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return removed,
        // Not every file system has links.
        Err(_) => match write_private(path, &secret) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            written => written?,
        },
        Ok(()) => {}
    }
    removed?;
    // The name has to survive a power cut as well.
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

/// Makes a file that its owner alone can read, and sees it to the disk.
fn write_private(path: &Path, secret: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(format!("{secret}\n").as_bytes())?;
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
        keys.signing.id().to_owned()
    }

    #[test]
    fn a_missing_file_is_made_for_its_owner_alone_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, source) = file(&folder);
        let first = load_or_make(&source).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(exposure(&source), None);
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
        let long = "0123456789abcdef0123456789abcdef";
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
            let refused = load_or_make(&source).unwrap_err();
            let expected = format!("The file {} {said}", path.display());
            assert!(
                matches!(&refused, Exit::Failed(said) if *said == expected),
                "{refused}"
            );
            let refused = load(&KeySource::Text(text.to_owned())).unwrap_err();
            let expected = format!("TRADEPOST_JWT_SECRET {said}");
            assert!(
                matches!(&refused, Exit::Usage(said) if *said == expected),
                "{refused}"
            );
        }
    }

    #[test]
    fn the_first_line_signs_and_the_others_are_accepted() {
        let lines = ["first", "second", "third"].map(|name| name.repeat(7));
        let keys = load(&KeySource::Text(format!(
            "\n {} \r\n{}\n\n{}",
            lines[0], lines[1], lines[2]
        )))
        .unwrap();
        let expected = |at: usize| SigningKey::from_secret(&lines[at]).unwrap().id().to_owned();
        assert_eq!(id(&keys), expected(0));
        let others: Vec<_> = keys.also_accepted.iter().map(SigningKey::id).collect();
        assert_eq!(others, [expected(1), expected(2)]);
    }

    #[test]
    fn a_key_that_others_can_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (path, source) = file(&folder);
        assert_eq!(exposure(&source), None, "there is none yet");
        load_or_make(&source).unwrap();
        for (mode, exposed) in [
            (0o600, false),
            (0o400, false),
            (0o640, true),
            (0o604, true),
            (0o620, true),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(exposure(&source).is_some(), exposed, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_made_or_read_is_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let missing = KeySource::File(folder.path().join("no/jwt.key"));
        let refused = load_or_make(&missing).unwrap_err().to_string();
        assert!(
            refused.contains("cannot be made") && refused.contains("--jwt-secret-file"),
            "{refused}"
        );
        let refused = load(&KeySource::File(folder.path().to_owned()))
            .unwrap_err()
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
            let refused = load_or_make(&KeySource::File(path)).unwrap_err();
            assert!(refused.to_string().contains("it is not a regular file."));
        }
    }
}
