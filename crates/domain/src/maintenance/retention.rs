//! Retention: when a record is old enough to be purged.
//!
//! A wall clock alone cannot tell: it may be years ahead at one start and right at the next, and
//! servers on one database may disagree. So age is measured in uptime, the time that servers were
//! running, which only a monotonic clock adds to. Each server records its wall clock against the
//! uptime; a record is purged if its time lies before everything that any of these clocks has shown
//! during the last so many hours of uptime.

use chrono::{DateTime, TimeDelta, Utc};

/// Slack below the recorded readings, for a record that was written between two readings of the
/// clock.
const SLACK: TimeDelta = TimeDelta::minutes(1);

/// A server's wall clock, recorded against the uptime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Accumulated running time of the servers on this store, over all starts, counted once for
    /// servers that run at the same time.
    pub uptime: TimeDelta,
    /// The earliest time that the server's clock has shown since its last reading.
    pub earliest: DateTime<Utc>,
}

/// The uptime of the latest reading; zero without readings.
#[must_use]
pub fn latest_uptime(readings: &[ClockReading]) -> TimeDelta {
    let uptimes = readings.iter().map(|reading| reading.uptime);
    uptimes.max().unwrap_or_default()
}

/// Decides the purge threshold: records from before it are older than `life` of uptime. `None`
/// while the readings do not reach back that far: then no record may be purged.
#[must_use]
pub fn decide_purge(readings: &[ClockReading], life: TimeDelta) -> Option<DateTime<Utc>> {
    let since = latest_uptime(readings).checked_sub(&life)?;
    let uptimes = readings.iter().map(|reading| reading.uptime);
    let first = uptimes.filter(|uptime| *uptime <= since).max()?;
    let covered = readings.iter().filter(|reading| reading.uptime >= first);
    let earliest = covered.map(|reading| reading.earliest).min()?;
    earliest.checked_sub_signed(SLACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;
    use proptest::prelude::*;

    const LIFE: TimeDelta = TimeDelta::hours(48);
    const DAY: i64 = 86_400;

    fn reading(uptime: i64, clock: i64) -> ClockReading {
        ClockReading {
            uptime: TimeDelta::seconds(uptime),
            earliest: at(clock),
        }
    }

    #[test]
    fn records_are_purged_after_their_life_of_uptime() {
        let years = 3 * 365 * DAY;
        let purged = |clock: i64| Some(at(clock) - SLACK);
        for (readings, expected) in [
            (&[][..], None),
            (&[reading(0, 0)], None),
            // Repeated starts with the clock ahead.
            (&[reading(0, 0), reading(10, years)], None),
            (&[reading(0, 0), reading(2 * DAY - 1, years)], None),
            (&[reading(0, 0), reading(2 * DAY, 2 * DAY)], purged(0)),
            // A month without a server adds nothing to the uptime, and is over after two days.
            (
                &[
                    reading(0, 0),
                    reading(DAY, DAY),
                    reading(DAY, 31 * DAY),
                    reading(3 * DAY, 33 * DAY),
                ],
                purged(DAY),
            ),
            (
                &[
                    reading(0, 0),
                    reading(DAY, 31 * DAY),
                    reading(3 * DAY, 33 * DAY),
                ],
                purged(31 * DAY),
            ),
            // A clock that was set back, or that of another server, counts for as long.
            (
                &[
                    reading(0, years),
                    reading(DAY, -years),
                    reading(2 * DAY, years),
                ],
                purged(-years),
            ),
            (
                &[
                    reading(0, 0),
                    reading(DAY, years),
                    reading(3 * DAY, years + 2 * DAY),
                ],
                purged(years),
            ),
        ] {
            assert_eq!(decide_purge(readings, LIFE), expected, "{readings:?}");
        }
    }

    proptest! {
        /// Servers start and stop, and their clocks are set to arbitrary times: no record is purged
        /// before it is as old as promised, and each one is purged eventually.
        #[test]
        fn no_record_is_purged_before_its_time_and_each_one_is_later(
            steps in prop::collection::vec((0..3_i64, -1_500 * DAY..1_500 * DAY, 0..2_usize), 1..60)
        ) {
            // The true time is in hours from 0; records are the true hour and the clock's time.
            let mut readings = Vec::new();
            let mut records: Vec<(i64, DateTime<Utc>)> = Vec::new();
            let (mut hour, mut uptime) = (0, 0);
            let mut clocks = [0, 0];
            for (hours, set, server) in steps {
                for _ in 0..=hours * 9 {
                    hour += 1;
                    uptime += 1;
                    for clock in clocks {
                        let now = at(hour * 3_600 + clock);
                        records.push((hour, now));
                        readings.push(ClockReading {
                            uptime: TimeDelta::hours(uptime),
                            earliest: now,
                        });
                    }
                    if let Some(before) = decide_purge(&readings, LIFE) {
                        let young = records.iter().find(|(written, time)| {
                            *time < before && hour - written < 24
                        });
                        prop_assert_eq!(young, None);
                        records.retain(|(_, time)| *time >= before);
                    }
                }
                // All servers stop for a while, and one of their clocks is set.
                hour += hours;
                clocks[server] = set;
            }
            // A few days with correct clocks afterwards.
            let now = hour + 3_000 * 24;
            for more in 0..72 {
                readings.push(ClockReading {
                    uptime: TimeDelta::hours(uptime + more),
                    earliest: at((now + more) * 3_600),
                });
            }
            let before = decide_purge(&readings, LIFE);
            prop_assert!(before.is_some_and(|before| records.iter().all(|(_, time)| *time < before)));
        }
    }
}
