//! Clock readings of servers, by which the age of records is measured.

use super::prelude::*;
use crate::schema::clock_readings;
use chrono::{DateTime, TimeDelta};
use tradepost_domain::maintenance::ClockReading;

/// The stored form of an uptime: whole microseconds.
pub(super) fn stored(uptime: TimeDelta) -> i64 {
    uptime.num_microseconds().unwrap_or(i64::MAX)
}

pub(super) fn insert(conn: &mut Conn, reading: ClockReading) -> Result<(), Failure> {
    diesel::insert_into(clock_readings::table)
        .values((
            clock_readings::uptime.eq(stored(reading.uptime)),
            clock_readings::earliest.eq(micros(reading.earliest)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn all(conn: &mut Conn) -> Result<Vec<ClockReading>, Failure> {
    let rows = clock_readings::table.load::<(i64, i64, i64)>(conn)?;
    let reading = |(id, uptime, earliest)| {
        let bad = || StoreError::corrupt("clock_readings", "earliest", id);
        Ok(ClockReading {
            uptime: TimeDelta::microseconds(uptime),
            earliest: DateTime::from_timestamp_micros(earliest).ok_or_else(bad)?,
        })
    };
    rows.into_iter().map(reading).collect()
}
