//! Text lines: time, level, target, message, and the record's values as `key=value`.

use super::digits::{push_address, push_number};
use super::format::{Timestamp, is_escaped, is_plain};
use super::queue::Access;
use log::Record;
use log::kv::{self, Key, Value, VisitSource};
use std::borrow::Cow;
use std::fmt::Write as _;
use tradepost_auth::SystemClock;
use tradepost_domain::kernel::Clock;
use tradepost_http::ACCESS_TARGET;

/// The line of a record.
pub(super) fn line(record: &Record<'_>) -> String {
    let mut out = String::new();
    Timestamp::default().write(&mut out, SystemClock.now());
    let message = record.args().to_string();
    let (level, target) = (record.level(), record.target());
    // Writing to a string cannot fail.
    let _ = write!(out, " {level:<5} {target}: {}", escaped(&message));
    let mut pairs = Pairs(out);
    // A value that fails to format ends the list.
    let _ = record.key_values().visit(&mut pairs);
    pairs.0.push('\n');
    pairs.0
}

/// Appends the line of an access record.
pub(super) fn access(out: &mut String, stamp: &mut Timestamp, access: &Access<'_>) {
    stamp.write(out, access.at);
    out.push_str(" INFO  ");
    out.push_str(ACCESS_TARGET);
    out.push_str(": ");
    out.push_str(access.method);
    out.push(' ');
    out.push_str(&escaped(access.path));
    out.push(' ');
    push_number(out, access.status.into());
    out.push(' ');
    push_number(out, access.took);
    out.push_str("us id=");
    out.push_str(access.id);
    out.push_str(" user=");
    match access.user.map(|user| u64::try_from(user.get())) {
        Some(Ok(user)) => push_number(out, user),
        _ => out.push('-'),
    }
    out.push_str(" from=");
    match access.client {
        Some(client) => push_address(out, client),
        None => out.push('-'),
    }
    out.push('\n');
}

/// Values as ` key=value`, in their order.
struct Pairs(String);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let value = value.to_string();
        let ambiguous = |letter: char| {
            letter.is_whitespace() || is_escaped(letter) || ['"', '='].contains(&letter)
        };
        let key = escaped(key.as_str());
        if value.is_empty() || value.contains(ambiguous) {
            write!(self.0, " {key}={value:?}")?;
        } else {
            write!(self.0, " {key}={value}")?;
        }
        Ok(())
    }
}

/// Escapes line breaks, so that text from outside cannot forge a log line.
fn escaped(message: &str) -> Cow<'_, str> {
    if is_plain(message) || !message.contains(is_escaped) {
        return Cow::Borrowed(message);
    }
    let escaped = message.chars().fold(String::new(), |mut line, letter| {
        if is_escaped(letter) {
            line.extend(letter.escape_default());
        } else {
            line.push(letter);
        }
        line
    });
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use log::Level;
    use tradepost_domain::kernel::UserId;

    /// The line without its time.
    fn line(values: &[(&str, Value<'_>)]) -> String {
        let record = Record::builder()
            .level(Level::Warn)
            .target("tradepost")
            .args(format_args!("two\nlines"))
            .key_values(&values)
            .build();
        let line = super::line(&record);
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.parse::<chrono::DateTime<chrono::Utc>>().is_ok() && time.ends_with('Z'));
        rest.to_owned()
    }

    #[test]
    fn a_line_has_time_level_and_place() {
        assert_eq!(line(&[]), "WARN  tradepost: two\\nlines\n");
    }

    #[test]
    fn values_follow_the_message_and_are_quoted_where_they_are_ambiguous() {
        let values = [
            ("id", Value::from("abc-1")),
            ("count", Value::from(3)),
            ("user", Value::from("-")),
            ("none", Value::from("")),
            ("path", Value::from("/a b")),
            ("forged", Value::from("x\ny=\"z\"")),
            ("turned", Value::from("a\u{202e}b")),
        ];
        let expected = "WARN  tradepost: two\\nlines id=abc-1 count=3 user=- none=\"\" \
                        path=\"/a b\" forged=\"x\\ny=\\\"z\\\"\" turned=\"a\\u{202e}b\"\n";
        assert_eq!(line(&values), expected);
    }

    #[test]
    fn a_message_stays_on_its_line() {
        for (message, line) in [
            ("plain, with é and 🦀", "plain, with é and 🦀"),
            ("a\r\nb\tc\u{1b}[31m", "a\\r\\nb\\tc\\u{1b}[31m"),
            ("a\u{85}b", "a\\u{85}b"),
            ("a\u{2028}b\u{202e}c", "a\\u{2028}b\\u{202e}c"),
        ] {
            assert_eq!(escaped(message), line);
        }
    }

    #[test]
    fn an_access_record_is_one_line() {
        let mut record = Access {
            at: DateTime::UNIX_EPOCH,
            took: 42,
            status: 404,
            user: None,
            client: None,
            id: "abc-1",
            method: "GET",
            path: "/a\u{85}b",
        };
        let line = |record: &Access<'_>| {
            let mut out = String::new();
            access(&mut out, &mut Timestamp::default(), record);
            out
        };
        let begin = "1970-01-01T00:00:00.000000Z INFO  tradepost::access: GET /a\\u{85}b 404 42us";
        assert_eq!(line(&record), format!("{begin} id=abc-1 user=- from=-\n"));
        record.user = UserId::new(7);
        record.client = Some("127.0.0.1".parse().unwrap());
        let expected = format!("{begin} id=abc-1 user=7 from=127.0.0.1\n");
        assert_eq!(line(&record), expected);
    }
}
