//! Times in Django's formats.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// Parses `2024-03-05T12:34:56.789Z`, with any offset (RFC 3339). A time without an offset, as in
/// shops with `USE_TZ = False`, is UTC; a date is its midnight.
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let midnight = || {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(date.and_time(NaiveTime::MIN))
    };
    local
        .or_else(midnight)
        .map(|time| time.and_utc())
        .filter(|time| (0..=9999).contains(&chrono::Datelike::year(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_parsed_to_microseconds_in_utc() {
        for (text, expected) in [
            ("2024-03-05T12:34:56.789Z", Some("2024-03-05T12:34:56.789Z")),
            ("2024-03-05T12:34:56Z", Some("2024-03-05T12:34:56Z")),
            (
                "2024-03-05T12:34:56.789012+02:00",
                Some("2024-03-05T10:34:56.789012Z"),
            ),
            ("2024-03-05 12:34:56+00:00", Some("2024-03-05T12:34:56Z")),
            ("2024-03-05T12:34:56.789", Some("2024-03-05T12:34:56.789Z")),
            ("2024-03-05 12:34:56", Some("2024-03-05T12:34:56Z")),
            ("2024-03-05", Some("2024-03-05T00:00:00Z")),
            ("05.03.2024", None),
            ("2024-02-30", None),
            ("+12024-02-03", None),
            ("yesterday", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
