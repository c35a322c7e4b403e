//! The form of a log line: time, level, target, message, and the record's values as `key=value`.

use chrono::SecondsFormat;
use log::Record;
use log::kv::{self, Key, Value, VisitSource};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use tradepost_auth::SystemClock;
use tradepost_domain::kernel::Clock;

/// Writes the line of a record.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    let time = SystemClock
        .now()
        .to_rfc3339_opts(SecondsFormat::Micros, true);
    let message = record.args().to_string();
    let (level, target) = (record.level(), record.target());
    let mut pairs = Pairs(String::new());
    let visited = record.key_values().visit(&mut pairs);
    visited.map_err(io::Error::other)?;
    let (message, pairs) = (escaped(&message), pairs.0);
    writeln!(out, "{time} {level:<5} {target}: {message}{pairs}")
}

/// Values as ` key=value`, in their order.
struct Pairs(String);

impl<'kvs> VisitSource<'kvs> for Pairs {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let value = value.to_string();
        let ambiguous = |letter: char| {
            letter.is_whitespace() || letter.is_control() || ['"', '='].contains(&letter)
        };
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
    if !message.contains(char::is_control) {
        return Cow::Borrowed(message);
    }
    let escaped = message.chars().fold(String::new(), |mut line, letter| {
        if letter.is_control() {
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
    use log::Level;

    /// The line without its time.
    fn line(values: &[(&str, Value<'_>)]) -> String {
        let mut out = Vec::new();
        let record = Record::builder()
            .level(Level::Warn)
            .target("tradepost")
            .args(format_args!("two\nlines"))
            .key_values(&values)
            .build();
        write(&mut out, &record).unwrap();
        let line = String::from_utf8(out).unwrap();
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
        ];
        let expected = "WARN  tradepost: two\\nlines id=abc-1 count=3 user=- none=\"\" \
                        path=\"/a b\" forged=\"x\\ny=\\\"z\\\"\"\n";
        assert_eq!(line(&values), expected);
    }

    #[test]
    fn a_message_stays_on_its_line() {
        for (message, line) in [
            ("plain, with é and 🦀", "plain, with é and 🦀"),
            ("a\r\nb\tc\u{1b}[31m", "a\\r\\nb\\tc\\u{1b}[31m"),
            ("a\u{85}b", "a\\u{85}b"),
        ] {
            assert_eq!(escaped(message), line);
        }
    }
}
