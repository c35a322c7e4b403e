//! Key rotation: adds a new key beside the old ones while servers run.

use super::format::{Entry, parse, ring, write};
use super::{draft_beside, read_regular, write_private};
use crate::config::folder_of;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use tradepost_auth::SigningKey;

/// How long an old key is accepted beyond the expiry of its last token: for a server that loaded
/// the new key late, or whose clock is behind.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// The result of a rotation.
pub(crate) struct Rotated {
    /// The key id (`kid`) of the new key.
    pub(crate) id: String,
    /// The time from which it signs.
    pub(crate) signs_from: DateTime<Utc>,
    /// The time at which the last of the older keys stops being accepted.
    pub(crate) others_end: DateTime<Utc>,
    /// The ids of superseded keys, which had not begun to sign and never will.
    pub(crate) passed_over: Vec<String>,
}

/// Adds a new key to the file, which is replaced atomically. The new key signs after `lead`; each
/// of the others is accepted for `life`, the lifetime of a token, after it has signed last. None of
/// them signs once the new one does.
///
/// # Errors
/// A sentence about the defect of the file.
pub(crate) fn rotate(
    path: &Path,
    now: DateTime<Utc>,
    lead: TimeDelta,
    life: TimeDelta,
) -> Result<Rotated, String> {
    // The file itself: replacing a link to it would replace the link.
    let path = fs::canonicalize(path).map_err(|error| failed(path, &error))?;
    let change = || {
        let folder = File::open(folder_of(&path))?;
        // Concurrent rotations are serialised, so that the second one sees the first one's key. Not
        // every file system has locks; without them, the operator must not run two rotations at
        // once.
        let _ = folder.lock();
        let text = read_regular(&path)?;
        let (text, rotated) = rotated(&text, now, lead, life).map_err(io::Error::other)?;
        replace(&path, &text)?;
        // The directory entry must survive a power failure as well.
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

/// The key text with the new key added.
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
    // In whole seconds, the precision of the written form.
    let signs_from = after(now, lead)?.trunc_subsecs(0);
    entries.retain(|entry| entry.ends.is_none_or(|end| now < end));
    let passed_over = pass_over(&mut entries, now, signs_from)?;
    let begins: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.signs_from)
        .collect();
    let mut others_end = signs_from;
    for entry in &mut entries {
        let from = entry.signs_from;
        let later = begins.iter().copied().filter(|begin| Some(*begin) > from);
        let end = after(after(later.min().unwrap_or(signs_from), life)?, MARGIN)?;
        // An earlier rotation may have assumed a longer token lifetime.
        let end = entry.ends.map_or(end, |before| before.max(end));
        entry.ends = Some(end);
        others_end = others_end.max(end);
    }
    let secret = SigningKey::generate_secret().map_err(|error| error.to_string())?;
    let id = id(secret.as_bytes())?;
    entries.push(Entry {
        secret: secret.into_bytes(),
        signs_from: Some(signs_from),
        ends: None,
    });
    let rotated = Rotated {
        id,
        signs_from,
        others_end,
        passed_over,
    };
    Ok((write(&entries)?, rotated))
}

/// Supersedes the keys that would begin to sign with the new one or later: they are moved behind
/// the key that signs until then. They are still accepted, as a server with an older file may sign
/// with one. Returns the ids of those that have not begun to sign.
fn pass_over(
    entries: &mut [Entry],
    now: DateTime<Utc>,
    signs_from: DateTime<Utc>,
) -> Result<Vec<String>, String> {
    let begins = entries.iter().map(|entry| entry.signs_from);
    let before = begins.filter(|from| *from < Some(signs_from)).max();
    let mut passed_over = Vec::new();
    for entry in entries {
        if entry.signs_from >= Some(signs_from) {
            if entry.signs_from > Some(now) {
                passed_over.push(id(&entry.secret)?);
            }
            // Of two keys with the same time, the first signs.
            entry.signs_from = before.flatten();
        }
    }
    Ok(passed_over)
}

fn id(secret: &[u8]) -> Result<String, String> {
    let key = SigningKey::from_secret(secret).map_err(|error| error.to_string())?;
    Ok(key.id().to_owned())
}

/// Replaces a file atomically, keeping owner and group, without permissions for other users.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let old = fs::metadata(path)?;
    let draft = draft_beside(path)?;
    let put = || {
        write_private(&draft, text)?;
        let new = fs::metadata(&draft)?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            // The servers read the file as its owner.
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
    use tradepost_auth::{JwtTokens, KeyRing};
    use tradepost_domain::identity::TokenClaims;
    use tradepost_domain::kernel::{TokenService, UserId};

    const SECOND: TimeDelta = TimeDelta::seconds(1);
    const OLD: &str = "the key of the shop, 32 bytes and more";

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + 60 * minutes, 0).unwrap()
    }

    fn rotated_at(text: &str, minutes: i64) -> String {
        let (lead, life) = (TimeDelta::minutes(5), TimeDelta::days(30));
        rotated(text, at(minutes), lead, life).unwrap().0
    }

    /// The key file that servers have from a time on.
    struct Version {
        from: DateTime<Utc>,
        ring: KeyRing,
        tokens: JwtTokens,
    }

    impl Version {
        fn new(from: DateTime<Utc>, text: &str) -> Self {
            let ring = ring(&parse(text).unwrap()).unwrap();
            let tokens = JwtTokens::from_ring(ring.clone());
            Self { from, ring, tokens }
        }

        fn signs(&self, at: DateTime<Utc>) -> &str {
            self.ring.signing(at).id()
        }
    }

    /// The key file that all servers have at a time.
    fn known(versions: &[Version], at: DateTime<Utc>) -> &Version {
        let known = versions.iter().rfind(|version| version.from <= at);
        known.unwrap()
    }

    /// A token that was signed with a key file of age `late` is accepted until it expires.
    fn check_token(versions: &[Version], signed: DateTime<Utc>, late: TimeDelta, life: TimeDelta) {
        let claims = TokenClaims {
            user: UserId::new(1).unwrap(),
            session_epoch: 0,
            issued_at: signed,
            expires_at: signed + life,
        };
        let known_then = known(versions, at(0).max(signed - late));
        let token = known_then.tokens.issue(&claims);
        let last = signed + life - SECOND;
        let changes = versions.iter().map(|version| version.from);
        let inside = changes.filter(|change| (signed..=last).contains(change));
        for moment in inside.chain([signed, last]) {
            let read = known(versions, moment).tokens.read(&token, moment);
            assert!(read.is_ok(), "signed at {signed}, read at {moment}");
        }
    }

    /// Rotates after each of the pauses, with the lead that belongs to it.
    fn check_rotations(life: TimeDelta, rotations: &[(TimeDelta, TimeDelta)]) {
        let mut now = at(0);
        let mut text = format!("{OLD}\n");
        let mut versions = vec![Version::new(now, &text)];
        let (mut done, mut times) = (Vec::new(), vec![now]);
        for (pause, lead) in rotations {
            now += *pause;
            let (next, told) = rotated(&text, now, *lead, life).unwrap();
            text = next;
            versions.push(Version::new(now, &text));
            times.extend([now, told.signs_from, told.others_end]);
            done.push((now, told));
        }
        let around =
            |time: &DateTime<Utc>| [-SECOND, TimeDelta::zero(), SECOND].map(|by| *time + by);
        let times: Vec<_> = times
            .iter()
            .flat_map(around)
            .filter(|time| *time >= at(0))
            .collect();
        for time in &times {
            for late in [TimeDelta::zero(), MARGIN - SECOND] {
                check_token(&versions, *time, late, life);
            }
            let begun =
                |(known, told): &&(DateTime<Utc>, Rotated)| known.max(&told.signs_from) <= time;
            if let Some((_, newest)) = done.iter().rfind(begun) {
                assert_eq!(known(&versions, *time).signs(*time), newest.id, "at {time}");
            }
        }
        for ((_, told), version) in done.iter().zip(&versions[1..]) {
            let ends = version.ring.keys().filter_map(|key| key.ends);
            assert_eq!(ends.max(), Some(told.others_end));
            let never = |id: &String| times.iter().all(|time| version.signs(*time) != id);
            assert!(told.passed_over.iter().all(never));
        }
    }

    #[test]
    fn the_newest_signs_and_no_token_ends_early_in_any_order() {
        let leads = [TimeDelta::zero(), TimeDelta::minutes(5), TimeDelta::days(1)];
        let pauses = [TimeDelta::milliseconds(300), TimeDelta::days(2)];
        let all = || {
            leads
                .into_iter()
                .flat_map(|lead| pauses.map(|pause| (pause, lead)))
        };
        for life in [TimeDelta::hours(1), TimeDelta::days(30)] {
            for first in all() {
                for second in all() {
                    for third in all() {
                        check_rotations(life, &[first, second, third]);
                    }
                }
            }
        }
    }

    #[test]
    fn a_superseded_key_is_named_and_stays_superseded() {
        let rotate = |text: &str, lead| {
            rotated(text, at(0), TimeDelta::minutes(lead), TimeDelta::days(30)).unwrap()
        };
        let (text, long) = rotate(OLD, 1_440);
        assert!(long.passed_over.is_empty());
        let (text, short) = rotate(&text, 5);
        assert_eq!(short.passed_over, [long.id]);
        assert_eq!(
            short.others_end, long.others_end,
            "the old one was promised more"
        );
        let (text, last) = rotate(&text, 10);
        assert!(last.passed_over.is_empty(), "{text}");
    }

    #[test]
    fn the_longest_token_life_of_all_rotations_counts() {
        let (text, _) = rotated(OLD, at(0), TimeDelta::zero(), TimeDelta::days(30)).unwrap();
        let (text, told) = rotated(&text, at(60), TimeDelta::zero(), TimeDelta::days(90)).unwrap();
        let first = at(0) + TimeDelta::days(90) + MARGIN;
        let second = at(60) + TimeDelta::days(90) + MARGIN;
        let expected = [
            (None, Some(first)),
            (Some(at(0)), Some(second)),
            (Some(at(60)), None),
        ];
        assert_eq!(times(&text), expected);
        assert_eq!(told.others_end, second);
    }

    type Time = Option<DateTime<Utc>>;

    fn times(text: &str) -> Vec<(Time, Time)> {
        let entries = parse(text).unwrap();
        let times = entries.iter().map(|entry| (entry.signs_from, entry.ends));
        times.collect()
    }

    #[test]
    fn each_key_is_accepted_until_its_last_token_expires() {
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
    fn a_file_of_the_former_form_becomes_a_jwk_set_by_a_rotation_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.key");
        let former = format!("tradepost keys 2\n- - {OLD}\nend\n");
        fs::write(&path, &former).unwrap();
        let source = crate::config::KeySource::File(path.clone());
        super::super::load_or_make(&source).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), former);
        rotate(&path, at(0), TimeDelta::zero(), TimeDelta::days(1)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let set: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), 2);
        assert_eq!(parse(&text).unwrap()[0].secret, OLD.as_bytes());
    }

    #[test]
    fn an_unreadable_key_file_is_left_unchanged() {
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
