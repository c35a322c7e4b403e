//! JSON Lines: one object per line, with the keys `time`, `level`, `target` and `message`, and those
//! of the record's values.

use super::digits::{push_address, push_number};
use super::format::{Timestamp, is_escaped};
use super::queue::Access;
use log::Record;
use log::kv::{self, Key, Value, VisitSource};
use std::fmt::{Display, Write as _};
use tradepost_auth::SystemClock;
use tradepost_domain::kernel::Clock;
use tradepost_http::ACCESS_TARGET;

/// The keys of every line.
const KEYS: [&str; 4] = ["time", "level", "target", "message"];

/// The line of a record.
pub(super) fn line(record: &Record<'_>) -> String {
    let mut out = String::from("{\"time\":\"");
    Timestamp::default().write(&mut out, SystemClock.now());
    push(
        &mut out,
        format_args!("\",\"level\":\"{}\",\"target\":", record.level()),
    );
    string(&mut out, record.target());
    out.push_str(",\"message\":");
    string(&mut out, &record.args().to_string());
    let mut members = Members {
        out,
        seen: KEYS.map(str::to_owned).into(),
    };
    // Members adds each value and cannot fail; a value that fails to format ends the list.
    let _ = record.key_values().visit(&mut members);
    members.out.push_str("}\n");
    members.out
}

/// Appends the line of an access record.
pub(super) fn access(out: &mut String, stamp: &mut Timestamp, access: &Access<'_>) {
    out.push_str("{\"time\":\"");
    stamp.write(out, access.at);
    out.push_str("\",\"level\":\"INFO\",\"target\":\"");
    out.push_str(ACCESS_TARGET);
    out.push_str("\",\"message\":\"request\",\"method\":");
    string(out, access.method);
    out.push_str(",\"path\":");
    string(out, access.path);
    out.push_str(",\"status\":");
    push_number(out, access.status.into());
    out.push_str(",\"duration_us\":");
    push_number(out, access.took);
    out.push_str(",\"id\":");
    string(out, access.id);
    out.push_str(",\"user\":");
    match access.user.map(|user| u64::try_from(user.get())) {
        Some(Ok(user)) => push_number(out, user),
        _ => out.push_str("null"),
    }
    match access.client {
        Some(client) => {
            out.push_str(",\"from\":\"");
            push_address(out, client);
            out.push_str("\"}\n");
        }
        None => out.push_str(",\"from\":null}\n"),
    }
}

/// Values as members of an object. A key that is taken gets an underscore.
struct Members {
    out: String,
    seen: Vec<String>,
}

impl<'kvs> VisitSource<'kvs> for Members {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let mut key = key.to_string();
        while self.seen.contains(&key) {
            key.push('_');
        }
        self.out.push(',');
        string(&mut self.out, &key);
        self.out.push(':');
        self.seen.push(key);
        match (value.to_i64(), value.to_u64(), value.to_bool()) {
            (Some(number), _, _) => push(&mut self.out, number),
            (None, Some(number), _) => push(&mut self.out, number),
            (None, None, Some(flag)) => push(&mut self.out, flag),
            (None, None, None) => string(&mut self.out, &value.to_string()),
        }
        Ok(())
    }
}

fn push(out: &mut String, value: impl Display) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{value}");
}

/// Appends a JSON string.
fn string(out: &mut String, text: &str) {
    let special = |letter: char| ['"', '\\'].contains(&letter) || is_escaped(letter);
    out.push('"');
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && ![b'"', b'\\'].contains(&byte);
    if !text.bytes().all(is_plain) && text.contains(special) {
        for letter in text.chars() {
            match letter {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                // All of them are in the basic plane, so that four digits are enough.
                letter if special(letter) => {
                    push(out, format_args!("\\u{:04x}", u32::from(letter)))
                }
                letter => out.push(letter),
            }
        }
    } else {
        out.push_str(text);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use log::Level;
    use serde_json::{Value as Json, json};
    use tradepost_domain::kernel::UserId;

    /// The object of a line, without its time.
    fn object(line: &str) -> Json {
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let mut object: Json = serde_json::from_str(line).unwrap();
        let time = object.as_object_mut().unwrap().remove("time").unwrap();
        let time = time.as_str().unwrap();
        assert!(time.parse::<DateTime<chrono::Utc>>().is_ok() && time.ends_with('Z'));
        object
    }

    #[test]
    fn values_are_members_and_no_key_is_used_twice() {
        let values = [
            ("id", Value::from("a\"b\\c")),
            ("count", Value::from(-3)),
            ("most", Value::from(u64::MAX)),
            ("on", Value::from(true)),
            ("share", Value::from(1.0 / 0.0)),
            ("time", Value::from("never")),
            ("a\nb", Value::from("")),
            ("id", Value::from(1)),
        ];
        let mut record = Record::builder();
        record
            .level(Level::Warn)
            .target("tradepost")
            .key_values(&values);
        let line = line(&record.args(format_args!("two\nlines")).build());
        let expected = json!({
            "level": "WARN", "target": "tradepost", "message": "two\nlines", "id": "a\"b\\c",
            "count": -3, "most": u64::MAX, "on": true, "share": "inf", "time_": "never",
            "a\nb": "", "id_": 1,
        });
        assert_eq!(object(&line), expected);
    }

    #[test]
    fn each_character_survives_and_none_breaks_the_line() {
        let every = ('\0'..='\u{2100}').chain(['\u{feff}', '\u{fffd}', '🦀', char::MAX]);
        for letter in every {
            let text = format!("a{letter}b");
            let mut out = String::new();
            string(&mut out, &text);
            assert!(!out.contains(is_escaped), "{out:?}");
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn an_access_record_has_stable_keys() {
        let mut record = Access {
            at: DateTime::UNIX_EPOCH,
            took: 42,
            status: 404,
            user: None,
            client: None,
            id: "abc-1",
            method: "GET",
            path: "/a\"}\u{85}",
        };
        let line = |record: &Access<'_>| {
            let mut out = String::new();
            access(&mut out, &mut Timestamp::default(), record);
            object(&out)
        };
        let mut expected = json!({
            "level": "INFO", "target": "tradepost::access", "message": "request", "method": "GET",
            "path": "/a\"}\u{85}", "status": 404, "duration_us": 42, "id": "abc-1", "user": null,
            "from": null,
        });
        assert_eq!(line(&record), expected);
        record.user = UserId::new(7);
        record.client = Some("::1".parse().unwrap());
        expected["user"] = json!(7);
        expected["from"] = json!("::1");
        assert_eq!(line(&record), expected);
    }
}
