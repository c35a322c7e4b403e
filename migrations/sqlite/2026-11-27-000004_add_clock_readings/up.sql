-- Wall clocks of servers against the time that servers have been running, in microseconds: records
-- are purged by that time, as a clock may be wrong. A few hundred rows.
CREATE TABLE clock_readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uptime INTEGER NOT NULL CHECK (uptime >= 0),
    earliest INTEGER NOT NULL
) STRICT;
