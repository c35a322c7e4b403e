//! The text format of the signing keys.
//!
//! The simple form has one key per line, and the first one signs. The form with times is
//!
//! ```text
//! tradepost keys 2
//! - 2026-12-22T19:05:00Z (a key without a start time, accepted until then)
//! 2026-11-22T18:05:00Z - (a key that signs from then on)
//! end
//! ```
//!
//! with the key itself in place of the parentheses. Of two keys with the same time, the first
//! signs, and the other is only accepted. The first line is too short for a key, so that no text of
//! the simple form begins like it, and a program that knows only the simple form rejects the file
//! rather than sign with a wrong key. The last line detects truncation.

use super::strength::weakness;
use chrono::{DateTime, SecondsFormat, Utc};
use tradepost_auth::{KeyRing, KeyTooShort, SigningKey, TimedKey};

const FIRST: &str = "tradepost keys 2";
const LAST: &str = "end";
/// Stands for an absent time.
const NONE: &str = "-";

/// A key and its times; see [`TimedKey`]. `Debug` never shows the key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) secret: String,
    pub(super) signs_from: Option<DateTime<Utc>>,
    pub(super) ends: Option<DateTime<Utc>>,
}

/// Parses either form. Error messages show nothing of the text.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    let Some((&FIRST, timed)) = lines.split_first() else {
        let simple = |secret: &&str| Entry {
            secret: (*secret).to_owned(),
            signs_from: None,
            ends: None,
        };
        return Ok(lines.iter().map(simple).collect());
    };
    let Some((&LAST, timed)) = timed.split_last() else {
        return Err("with the signing keys is not complete".to_owned());
    };
    timed
        .iter()
        .map(|line| entry(line).ok_or_else(|| "has a signing key without its times".to_owned()))
        .collect()
}

fn entry(line: &str) -> Option<Entry> {
    let mut words = line.splitn(3, ' ');
    let mut time = || match words.next()? {
        NONE => Some(None),
        text => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| Some(time.to_utc())),
    };
    Some(Entry {
        signs_from: time()?,
        ends: time()?,
        secret: words.next()?.trim().to_owned(),
    })
}

/// The key ring of the entries, if it is valid.
pub(super) fn ring(entries: &[Entry]) -> Result<KeyRing, String> {
    let weakness = |entry: &Entry| {
        let is_long = entry.secret.len() >= SigningKey::MIN_BYTES;
        is_long.then(|| weakness(&entry.secret)).flatten()
    };
    if let Some(weakness) = entries.iter().find_map(weakness) {
        return Err(format!(
            "holds a signing key that can be guessed, as it {weakness}: make one with `openssl \
             rand -hex 32`, or leave the file out, and the next start makes one"
        ));
    }
    let keys = entries.iter().map(timed).collect::<Result<Vec<_>, _>>();
    let mut keys = keys
        .map_err(|short| {
            let least = SigningKey::MIN_BYTES;
            format!(
                "holds a signing key of {} bytes, but it has to have at least {least}",
                short.0
            )
        })?
        .into_iter();
    let first = keys.next().ok_or("holds no signing key")?;
    if entries.iter().all(|entry| entry.ends.is_some()) {
        return Err("holds no signing key that goes on".to_owned());
    }
    Ok(KeyRing::new(first, keys.collect()))
}

fn timed(entry: &Entry) -> Result<TimedKey, KeyTooShort> {
    Ok(TimedKey {
        key: SigningKey::from_secret(&entry.secret)?,
        signs_from: entry.signs_from,
        ends: entry.ends,
    })
}

/// Formats the entries as the form with times.
pub(super) fn write(entries: &[Entry]) -> String {
    let time = |time: Option<DateTime<Utc>>| {
        time.map_or(NONE.to_owned(), |time| {
            time.to_rfc3339_opts(SecondsFormat::Secs, true)
        })
    };
    let mut text = format!("{FIRST}\n");
    for entry in entries {
        let (from, ends) = (time(entry.signs_from), time(entry.ends));
        text.push_str(&format!("{from} {ends} {}\n", entry.secret));
    }
    text + LAST + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a key of the shop, with spaces in it";
    const TIME: &str = "2026-11-22T18:05:00Z";

    #[test]
    fn written_entries_parse_back_to_themselves() {
        let time = DateTime::parse_from_rfc3339(TIME).unwrap().to_utc();
        let entry = |signs_from, ends| Entry {
            secret: KEY.to_owned(),
            signs_from,
            ends,
        };
        let entries = [
            entry(None, Some(time)),
            entry(Some(time), Some(time)),
            entry(Some(time), None),
            entry(None, None),
        ];
        let text = write(&entries);
        assert!(parse(&text).unwrap() == entries, "{text}");
        assert!(parse(&text.replace('\n', "\r\n\r\n")).unwrap() == entries);
        assert!(ring(&entries).is_ok());
        assert!(ring(&entries[..2]).is_err(), "all of them end");
    }

    #[test]
    fn truncated_or_invalid_key_text_is_refused_without_being_shown() {
        let good = format!("{FIRST}\n{TIME} - {KEY}\nend\n");
        assert!(parse(&good).and_then(|entries| ring(&entries)).is_ok());
        for cut in FIRST.len()..good.len() - 1 {
            let read = parse(&good[..cut]).and_then(|entries| ring(&entries));
            let wrong = read.err().unwrap();
            assert!(!wrong.contains("spaces in it"), "{wrong}");
        }
        for text in [
            format!("{FIRST}\n- {KEY}\nend"),
            format!("{FIRST}\n- tomorrow {KEY}\nend"),
            format!("{FIRST}\n- -\nend"),
            format!("{FIRST}\n- - short\nend"),
            format!("{FIRST}\nend"),
            format!("{FIRST}\n- {TIME} {KEY}\nend"),
            format!("{FIRST}\n- - {KEY}\nend\nend"),
            format!("tradepost keys 3\n- - {KEY}\nend"),
            String::new(),
        ] {
            let read = parse(&text).and_then(|entries| ring(&entries));
            assert!(read.is_err(), "{text}");
        }
    }
}
