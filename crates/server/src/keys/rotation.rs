//! Putting a new key beside the old ones, while servers run.

use super::text::{Entry, parse, ring, write};
use super::{draft_beside, read_regular, write_private};
use crate::config::folder_of;
use chrono::{DateTime, TimeDelta, Utc};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use tradepost_auth::SigningKey;

/// How long an old key is accepted beyond its last token: for a server that learned of the new one
/// late, or whose clock is behind.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// What was done.
pub(crate) struct Rotated {
    /// The name that tokens give the new key.
    pub(crate) id: String,
    /// When it begins to sign.
    pub(crate) signs_from: DateTime<Utc>,
    /// When the last of the keys before it is no longer accepted.
    pub(crate) others_end: DateTime<Utc>,
}

/// Puts a new key into the file, which is replaced whole: it signs after `lead`, and the others go
/// on being accepted for `life` after that, which is how long tokens last.
///
/// # Errors
/// A sentence about what is wrong with the file.
pub(crate) fn rotate(
    path: &Path,
    now: DateTime<Utc>,
    lead: TimeDelta,
    life: TimeDelta,
) -> Result<Rotated, String> {
    // The file itself, not a link to it, which would be replaced.
    let path = fs::canonicalize(path).map_err(|error| failed(path, &error))?;
    let change = || {
        let folder = File::open(folder_of(&path))?;
        // Whoever comes second sees what the first one has written. Not every file system has
        // locks, and without them it is only a matter of not doing it twice at once.
        let _ = folder.lock();
        let text = read_regular(&path)?;
        let (text, rotated) = rotated(&text, now, lead, life).map_err(io::Error::other)?;
        replace(&path, &text)?;
        // The name has to survive a power cut as well.
        folder.sync_all()?;
        Ok(rotated)
    };
    change().map_err(|error| failed(&path, &error))
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!(
        "The key in the file {} cannot be rotated: {error}.",
        path.display()
    )
}

/// The text with a new key in it.
fn rotated(
    text: &str,
    now: DateTime<Utc>,
    lead: TimeDelta,
    life: TimeDelta,
) -> Result<(String, Rotated), String> {
    let mut entries = parse(text).map_err(|wrong| format!("it {wrong}"))?;
    ring(&entries).map_err(|wrong| format!("it {wrong}"))?;
    let after = |time: DateTime<Utc>, span| {
        time.checked_add_signed(span)
            .ok_or_else(|| "the time is beyond every calendar".to_owned())
    };
    let signs_from = after(now, lead)?;
    let end = after(after(signs_from, life)?, MARGIN)?;
    entries.retain(|entry| entry.ends.is_none_or(|end| now < end));
    for entry in &mut entries {
        // One that was replaced before keeps the end that it has.
        entry.ends.get_or_insert(end);
    }
    let secret = SigningKey::generate_secret().map_err(|error| error.to_string())?;
    let key = SigningKey::from_secret(&secret).map_err(|error| error.to_string())?;
    entries.push(Entry {
        secret,
        signs_from: Some(signs_from),
        ends: None,
    });
    let rotated = Rotated {
        id: key.id().to_owned(),
        signs_from,
        others_end: end,
    };
    Ok((write(&entries), rotated))
}

/// Puts another file in the place of one, in one step, for the same owner and nobody else.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(path)?;
    let draft = draft_beside(path)?;
    let put = || {
        write_private(&draft, text)?;
        let new = fs::metadata(&draft)?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            // The servers read it as whoever the file belongs to.
            chown(&draft, Some(old.uid()), Some(old.gid())).map_err(|error| {
                let advice = "run this as the user that the file belongs to";
                io::Error::new(error.kind(), format!("{error}; {advice}"))
            })?;
        }
        fs::set_permissions(&draft, Permissions::from_mode(old.mode() & 0o660))?;
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, path)
    };
    put().inspect_err(|_| drop(fs::remove_file(&draft)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "the key of the shop, 32 bytes and more";

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + 60 * minutes, 0).unwrap()
    }

    fn rotated_at(text: &str, minutes: i64) -> String {
        let (lead, life) = (TimeDelta::minutes(5), TimeDelta::days(30));
        rotated(text, at(minutes), lead, life).unwrap().0
    }

    type Time = Option<DateTime<Utc>>;

    fn times(text: &str) -> Vec<(Time, Time)> {
        let entries = parse(text).unwrap();
        let times = entries.iter().map(|entry| (entry.signs_from, entry.ends));
        times.collect()
    }

    #[test]
    fn each_key_ends_when_the_last_token_of_it_has() {
        let end = |minutes| at(minutes + 5) + TimeDelta::days(30) + MARGIN;
        let once = rotated_at(&format!("{OLD}\n{OLD} older\n"), 0);
        let old = (None, Some(end(0)));
        assert_eq!(times(&once), [old, old, (Some(at(5)), None)]);
        let twice = rotated_at(&once, 2);
        let second = (Some(at(5)), Some(end(2)));
        assert_eq!(times(&twice), [old, old, second, (Some(at(7)), None)]);
        let days = |days: i64| days * 24 * 60;
        let later = rotated_at(&twice, days(32));
        let third = (Some(at(7)), Some(end(days(32))));
        assert_eq!(times(&later), [third, (Some(at(days(32) + 5)), None)]);
        let ring = ring(&parse(&once).unwrap()).unwrap();
        let first = SigningKey::from_secret(OLD).unwrap();
        assert_eq!(ring.signing(at(4)).id(), first.id());
        assert_ne!(ring.signing(at(5)).id(), first.id());
    }

    #[test]
    fn what_cannot_be_read_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.key");
        let rotate = || rotate(&path, at(0), TimeDelta::zero(), TimeDelta::days(1));
        assert!(rotate().is_err(), "there is none");
        for text in ["", "short", "tradepost keys 2\n- - x"] {
            fs::write(&path, text).unwrap();
            assert!(rotate().is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_file_is_replaced_for_its_owner_alone_and_links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("jwt.key"), folder.path().join("link"));
        fs::write(&path, OLD).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for (mode, expected) in [(0o600, 0o600), (0o640, 0o640), (0o644, 0o640)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            rotate(&link, at(0), TimeDelta::zero(), TimeDelta::days(1)).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, expected);
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(parse(&fs::read_to_string(&path).unwrap()).unwrap().len(), 4);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn no_rotation_loses_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.key");
        fs::write(&path, OLD).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let rotate = || rotate(&path, at(0), TimeDelta::zero(), TimeDelta::days(1));
                scope.spawn(move || rotate().unwrap());
            }
        });
        assert_eq!(parse(&fs::read_to_string(&path).unwrap()).unwrap().len(), 9);
    }
}
