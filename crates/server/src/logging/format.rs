//! Log formats, with their common parts: timestamps, and characters that are escaped.

use super::queue::Access;
use super::{json, line};
use chrono::{DateTime, SecondsFormat, Utc};
use log::{Level, Record};
use std::fmt::Arguments;
use tradepost_http::push_digits;

/// The format of the log: lines for people, or JSON Lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Time, level, target, message, and `key=value` pairs.
    Text,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    /// The line of a record, with its line ending.
    pub(super) fn line(self, record: &Record<'_>) -> String {
        match self {
            Self::Text => line::line(record),
            Self::Json => json::line(record),
        }
    }

    /// The line of a warning of the log itself.
    pub(super) fn warning(self, message: Arguments<'_>) -> String {
        let mut record = Record::builder();
        record.level(Level::Warn).target("tradepost");
        self.line(&record.args(message).build())
    }

    /// Appends the line of an access record.
    pub(super) fn access(self, out: &mut String, stamp: &mut Timestamp, access: &Access<'_>) {
        match self {
            Self::Text => line::access(out, stamp, access),
            Self::Json => json::access(out, stamp, access),
        }
    }
}

/// Formatter of times in UTC (RFC 3339) with microseconds, which formats each second once.
#[derive(Debug, Default)]
pub(super) struct Timestamp {
    second: Option<i64>,
    /// The time up to its seconds.
    begin: String,
}

impl Timestamp {
    pub(super) fn write(&mut self, out: &mut String, time: DateTime<Utc>) {
        if self.second != Some(time.timestamp()) {
            self.second = Some(time.timestamp());
            self.begin = time.to_rfc3339_opts(SecondsFormat::Secs, true);
            // The zone, `Z`, comes after the fraction.
            self.begin.pop();
        }
        out.push_str(&self.begin);
        out.push('.');
        push_digits(out, time.timestamp_subsec_micros().into(), 6);
        out.push('Z');
    }
}

/// Whether a character is escaped in each format: controls and line separators could forge a line,
/// and bidirectional formatting could make it read as another.
pub(super) fn is_escaped(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text has printable ASCII alone, so that none of its characters [`is_escaped`]: a check
/// of bytes, which most texts pass.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_that_of_rfc_3339() {
        let mut stamp = Timestamp::default();
        for micros in [
            0,
            1,
            999_999,
            1_000_000,
            1_795_822_383_000_042,
            1_795_822_383_100_000,
        ] {
            let time = DateTime::from_timestamp_micros(micros).unwrap();
            let mut out = String::new();
            stamp.write(&mut out, time);
            assert_eq!(out, time.to_rfc3339_opts(SecondsFormat::Micros, true));
        }
    }
}
