-- Wall clocks of servers against the time that servers have been running, in microseconds: records
-- are purged by that time, as a clock may be wrong. A few hundred rows.
CREATE TABLE clock_readings (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uptime BIGINT NOT NULL CHECK (uptime >= 0),
    earliest BIGINT NOT NULL
);
