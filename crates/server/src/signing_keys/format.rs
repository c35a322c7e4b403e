//! The text formats of the signing keys.
//!
//! - One key per line: the first one signs. A start writes it, and `TRADEPOST_JWT_SECRET` has it.
//! - A JWK Set (RFC 7517) of HS256 keys, whose private members `signs_from` and `ends` are the
//!   times of a key. A rotation writes it, with one member per line:
//!
//!   ```json
//!   {
//!     "keys": [
//!       {
//!         "kty": "oct",
//!         "use": "sig",
//!         "alg": "HS256",
//!         "kid": "0b6f2c1d",
//!         "k": "(the bytes of the key, in base64url)",
//!         "signs_from": "2026-11-22T18:05:00Z"
//!       }
//!     ]
//!   }
//!   ```
//!
//! - The former form with times, which is read and no longer written:
//!
//!   ```text
//!   tradepost keys 2
//!   - 2026-12-22T19:05:00Z (a key without a start time, accepted until then)
//!   2026-11-22T18:05:00Z - (a key that signs from then on)
//!   end
//!   ```
//!
//! Of two keys with the same time, the first signs, and the other is only accepted. The first line
//! of the forms with times is too short for a key, so that no list of keys begins like one, and a
//! program that knows only the list rejects the file rather than sign with a wrong key. The end of
//! either form detects truncation.

use super::strength::weakness;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use tradepost_auth::{KeyRing, KeyTooShort, SigningKey, TimedKey};

/// The first line of the former form.
const FIRST: &str = "tradepost keys 2";
const LAST: &str = "end";
/// Stands for an absent time in the former form.
const NONE: &str = "-";

/// The first line of a JWK Set.
const JSON: &str = "{";

const NOT_COMPLETE: &str = "with the signing keys is not complete";
const NO_TIMES: &str = "has a signing key without its times";

/// A key and its times; see [`TimedKey`]. `Debug` is not implemented, as it would show the key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) secret: Vec<u8>,
    pub(super) signs_from: Option<DateTime<Utc>>,
    pub(super) ends: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// A symmetric key (RFC 7518, section 6.4). Other members are ignored, as the standard says.
#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    k: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signs_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
}

/// Parses each of the forms. Error messages show nothing of the text.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    match lines.split_first() {
        Some((&FIRST, timed)) => parse_lines(timed),
        Some((&JSON, _)) => parse_jwk_set(text),
        // Another program may write the set in one line.
        Some((first, _)) if first.replace(' ', "").starts_with("{\"keys\":") => parse_jwk_set(text),
        _ => Ok(lines.iter().map(|line| list_entry(line)).collect()),
    }
}

fn list_entry(secret: &str) -> Entry {
    Entry {
        secret: secret.as_bytes().to_vec(),
        signs_from: None,
        ends: None,
    }
}

fn parse_lines(lines: &[&str]) -> Result<Vec<Entry>, String> {
    let Some((&LAST, timed)) = lines.split_last() else {
        return Err(NOT_COMPLETE.to_owned());
    };
    let entries = timed.iter().map(|line| parse_line(line));
    let entries: Option<_> = entries.collect();
    entries.ok_or_else(|| NO_TIMES.to_owned())
}

fn parse_line(line: &str) -> Option<Entry> {
    let mut words = line.splitn(3, ' ');
    let mut time = || match words.next()? {
        NONE => Some(None),
        text => parse_time(text).map(Some),
    };
    Some(Entry {
        signs_from: time()?,
        ends: time()?,
        secret: words.next()?.trim().as_bytes().to_vec(),
    })
}

fn parse_jwk_set(text: &str) -> Result<Vec<Entry>, String> {
    let set: JwkSet = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() {
            return NOT_COMPLETE.to_owned();
        }
        // The error itself may quote a key.
        let (line, column) = (error.line(), error.column());
        format!("is no JWK Set (RFC 7517): see line {line}, column {column}")
    })?;
    set.keys.iter().map(jwk_entry).collect()
}

fn jwk_entry(jwk: &Jwk) -> Result<Entry, String> {
    let is = |member: &Option<String>, value| member.as_deref().is_none_or(|found| found == value);
    if jwk.kty != "oct" || !is(&jwk.usage, "sig") || !is(&jwk.alg, "HS256") {
        return Err(
            "has a key that does not sign by HS256: its kty has to be oct, its use sig and its \
             alg HS256"
                .to_owned(),
        );
    }
    let time = |text: &Option<String>| {
        let time = text.as_deref().map(|text| parse_time(text).ok_or(NO_TIMES));
        time.transpose()
    };
    let entry = Entry {
        secret: URL_SAFE_NO_PAD
            .decode(&jwk.k)
            .map_err(|_| "has a key whose k is not base64url")?,
        signs_from: time(&jwk.signs_from)?,
        ends: time(&jwk.ends)?,
    };
    // A key that is too short has no id, and is reported as such later.
    let differs = |key: &SigningKey| jwk.kid.as_deref().is_some_and(|kid| kid != key.id());
    if SigningKey::from_secret(&entry.secret).is_ok_and(|key| differs(&key)) {
        return Err("has a key whose kid is not the one that follows from it".to_owned());
    }
    Ok(entry)
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.to_utc())
}

/// The key ring of the entries, if it is valid.
pub(super) fn ring(entries: &[Entry]) -> Result<KeyRing, String> {
    let weakness = |entry: &Entry| {
        let is_long = entry.secret.len() >= SigningKey::MIN_BYTES;
        let text = String::from_utf8_lossy(&entry.secret);
        is_long.then(|| weakness(&text)).flatten()
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

/// Formats the entries as a JWK Set.
///
/// # Errors
/// If a key is too short.
pub(super) fn write(entries: &[Entry]) -> Result<String, String> {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let jwk = |entry: &Entry| {
        let key = SigningKey::from_secret(&entry.secret)?;
        Ok(Jwk {
            kty: "oct".to_owned(),
            usage: Some("sig".to_owned()),
            alg: Some("HS256".to_owned()),
            kid: Some(key.id().to_owned()),
            k: URL_SAFE_NO_PAD.encode(&entry.secret),
            signs_from: entry.signs_from.map(time),
            ends: entry.ends.map(time),
        })
    };
    let keys: Result<_, KeyTooShort> = entries.iter().map(jwk).collect();
    let keys = keys.map_err(|error| error.to_string())?;
    let text = serde_json::to_string_pretty(&JwkSet { keys });
    text.map(|text| text + "\n")
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a key of the shop, with spaces in it";
    const TIME: &str = "2026-11-22T18:05:00Z";

    fn read(text: &str) -> Result<KeyRing, String> {
        parse(text).and_then(|entries| ring(&entries))
    }

    fn entries() -> [Entry; 4] {
        let time = parse_time(TIME);
        let entry = |signs_from, ends| Entry {
            signs_from,
            ends,
            ..list_entry(KEY)
        };
        [
            entry(None, time),
            entry(time, time),
            entry(time, None),
            entry(None, None),
        ]
    }

    #[test]
    fn written_entries_parse_back_to_themselves() {
        let entries = entries();
        let text = write(&entries).unwrap();
        assert!(parse(&text).unwrap() == entries, "{text}");
        assert!(parse(&text.replace('\n', "\r\n\r\n")).unwrap() == entries);
        let one_line: String = text.lines().map(str::trim).collect();
        assert!(parse(&one_line).unwrap() == entries, "{one_line}");
        assert!(ring(&entries).is_ok());
        assert!(ring(&entries[..2]).is_err(), "all of them end");
        let any = Entry {
            secret: (0..=255).collect(),
            ..entries[3].clone()
        };
        let text = write(std::slice::from_ref(&any)).unwrap();
        assert!(parse(&text).unwrap() == [any], "{text}");
    }

    #[test]
    fn keys_are_written_as_a_jwk_set() {
        let set: serde_json::Value =
            serde_json::from_str(&write(&entries()[2..]).unwrap()).unwrap();
        let key = SigningKey::from_secret(KEY).unwrap();
        let mut plain = serde_json::json!({
            "kty": "oct", "use": "sig", "alg": "HS256", "kid": key.id(),
            "k": "YSBrZXkgb2YgdGhlIHNob3AsIHdpdGggc3BhY2VzIGluIGl0",
        });
        let second = plain.clone();
        plain["signs_from"] = TIME.into();
        assert_eq!(set, serde_json::json!({ "keys": [plain, second] }));
    }

    #[test]
    fn the_former_form_with_times_is_read() {
        let text = format!(
            "{FIRST}\n- {TIME} {KEY}\n{TIME} {TIME} {KEY}\n{TIME} - {KEY}\n- - {KEY}\nend\n"
        );
        assert!(parse(&text).unwrap() == entries(), "{text}");
        assert!(parse(&text.replace('\n', "\r\n\r\n")).unwrap() == entries());
    }

    #[test]
    fn truncated_or_invalid_key_text_is_refused_without_being_shown() {
        let lines = format!("{FIRST}\n{TIME} - {KEY}\nend\n");
        let set = write(&entries()[2..3]).unwrap();
        let one_line = set.replace('\n', "");
        for good in [&lines, &set, &one_line] {
            assert!(read(good).is_ok());
            for cut in 0..good.trim_end().len() {
                let wrong = read(&good[..cut]).err().unwrap();
                assert!(!wrong.contains("spaces in it"), "{wrong}");
                assert!(!wrong.contains("YSBrZX"), "{wrong}");
            }
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
            "{}".to_owned(),
            "{\n\"keys\": []\n}".to_owned(),
            format!("{{\n\"keys\": [\"{KEY}\"]\n}}"),
            format!("{set}{KEY}"),
            set.replace("oct", "RSA"),
            set.replace("sig\"", "enc\""),
            set.replace("HS256", "HS384"),
            set.replace(TIME, "tomorrow"),
            set.replace("\"k\"", "\"n\""),
            set.replace("YSBr", "YSBs"),
            set.replace("YSBr", "+/=="),
        ] {
            let wrong = read(&text).err();
            let wrong = wrong.unwrap_or_else(|| panic!("{text}"));
            assert!(!wrong.contains("spaces in it"), "{wrong}");
        }
    }

    #[test]
    fn a_jwk_set_of_another_program_needs_no_more_than_the_key() {
        let text = r#"{"keys":[{"k":"YSBrZXkgb2YgdGhlIHNob3AsIHdpdGggc3BhY2VzIGluIGl0","kty":"oct","x":1}]}"#;
        assert!(parse(text).unwrap() == entries()[3..]);
    }
}
