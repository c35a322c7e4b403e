//! Retention: a background thread that purges old records.

use crate::system::background::Background;
use chrono::{DateTime, TimeDelta, Utc};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tradepost_auth::SystemClock;
use tradepost_domain::identity::{ATTEMPT_LIFE, KNOWN_NETWORK_LIFE};
use tradepost_domain::import::products::{ProductImportId, ProductImportRepository};
use tradepost_domain::kernel::{Clock, IDEMPOTENCY_KEY_TTL, StoreError};
use tradepost_domain::maintenance::{ClockReading, Retention, decide_purge, latest_uptime};

/// How often records are purged and the clock is recorded: seldom enough to cost nothing, and often
/// enough that a restart loses little uptime.
const PURGE_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How often the clock is read, so that a clock that is set back and forth within a purge interval
/// is noticed.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Retention of idempotency keys and similar records, in uptime. Twice the documented period: the
/// uptime of several servers may differ by a purge interval.
const KEYS_KEPT: TimeDelta = TimeDelta::hours(2 * IDEMPOTENCY_KEY_TTL.num_hours());
const ATTEMPTS_KEPT: TimeDelta = TimeDelta::hours(2 * ATTEMPT_LIFE.num_hours());

/// Retention of refresh tokens after they expire: a clock that is wrong for a shorter time does not
/// end one permanently.
const TOKENS_KEPT: TimeDelta = KEYS_KEPT;

/// Retention of clock readings, in uptime.
const READINGS_KEPT: TimeDelta = TimeDelta::hours(2 * KEYS_KEPT.num_hours());

/// Starts the background thread, which purges old records at once and then every ten minutes.
///
/// # Errors
/// If the operating system cannot create a thread.
pub(crate) fn start(store: Arc<dyn Retention>) -> io::Result<Background> {
    every(PURGE_INTERVAL, store, Arc::new(SystemClock))
}

/// How often the progress of imports of products is looked at. While an import waits to be completed,
/// no product can be edited.
const IMPORT_INTERVAL: Duration = Duration::from_secs(5);

/// Starts the background thread that completes imports of products whose process has ended: one that
/// is being applied and makes no progress, and every ten minutes rows to delete and texts to index.
///
/// # Errors
/// If the operating system cannot create a thread.
pub(crate) fn tidy_imports(imports: Arc<dyn ProductImportRepository>) -> io::Result<Background> {
    let (start, mut upkeep) = (Instant::now(), ImportUpkeep::default());
    let mut tidy_if_due = move || {
        if upkeep.is_due(imports.applying()?, start.elapsed()) {
            while imports.tidy()? {}
        }
        Ok(())
    };
    Background::every(IMPORT_INTERVAL, "import-upkeep", move || {
        let tidied: Result<(), StoreError> = tidy_if_due();
        if let Err(error) = tidied {
            log::warn!("the remains of an import of products stay: {error}");
        }
    })
}

/// When the remains of imports of products are due: never while one makes progress, as two processes
/// would compete for the locks.
#[derive(Default)]
struct ImportUpkeep {
    /// The import that was being applied at the latest look, and its last line.
    seen: Option<(ProductImportId, u64)>,
    due: Duration,
}

impl ImportUpkeep {
    /// Notes a look at the import that is being applied; `running` is the time since the start.
    fn is_due(&mut self, applying: Option<(ProductImportId, u64)>, running: Duration) -> bool {
        let is_due = match applying {
            None => running >= self.due,
            Some(_) => applying == self.seen,
        };
        self.seen = applying;
        if is_due {
            self.due = running.saturating_add(PURGE_INTERVAL);
        }
        is_due
    }
}

fn every(
    interval: Duration,
    store: Arc<dyn Retention>,
    clock: Arc<dyn Clock>,
) -> io::Result<Background> {
    let start = Instant::now();
    let mut purge = Purge::new(store, clock.now());
    let mut due = Duration::ZERO;
    Background::every(interval.min(LOOK_INTERVAL), "upkeep", move || {
        purge.look(clock.now());
        if start.elapsed() >= due {
            purge.run(start.elapsed());
            due = start.elapsed().saturating_add(interval);
        }
    })
}

/// Purges records by uptime; see [`decide_purge`].
struct Purge {
    store: Arc<dyn Retention>,
    /// The latest reading of the clock.
    now: DateTime<Utc>,
    /// The earliest reading of the clock since it was last recorded.
    earliest: DateTime<Utc>,
    /// The uptime of all earlier starts, and how long this process had been running when it was
    /// read.
    before: Option<(TimeDelta, Duration)>,
}

impl Purge {
    fn new(store: Arc<dyn Retention>, now: DateTime<Utc>) -> Self {
        Self {
            store,
            now,
            earliest: now,
            before: None,
        }
    }

    /// Notes a reading of the clock.
    fn look(&mut self, now: DateTime<Utc>) {
        self.now = now;
        self.earliest = self.earliest.min(now);
    }

    /// Records the clock and purges old records; `running` is the time since this process started.
    fn run(&mut self, running: Duration) {
        let readings = match self.record(running) {
            Ok(readings) => readings,
            Err(error) => {
                log::warn!("the clock could not be recorded, and nothing is purged: {error}");
                return;
            }
        };
        let purge = |what, life, forget: &dyn Fn(DateTime<Utc>) -> Result<u64, StoreError>| {
            if let Some(before) = decide_purge(&readings, life) {
                log_purge(what, forget(before));
            }
        };
        let store = &self.store;
        purge("idempotency keys", KEYS_KEPT, &|before| {
            store.purge_idempotency_keys(before)
        });
        purge("refresh tokens", TOKENS_KEPT, &|before| {
            store.purge_refresh_tokens(before)
        });
        purge("staff sessions", TOKENS_KEPT, &|before| {
            store.purge_staff_sessions(before)
        });
        purge("counts of tries", ATTEMPTS_KEPT, &|before| {
            store.purge_attempts(before)
        });
        // By the clock: the next sign-in restores a network that was purged too early.
        let known_since = self.now - KNOWN_NETWORK_LIFE - TimeDelta::days(1);
        log_purge("known networks", store.purge_known_networks(known_since));
    }

    fn record(&mut self, running: Duration) -> Result<Vec<ClockReading>, StoreError> {
        let (uptime, since) = match self.before {
            Some(before) => before,
            None => {
                let uptime = latest_uptime(&self.store.clock_readings()?);
                *self.before.insert((uptime, running))
            }
        };
        let added = TimeDelta::from_std(running.saturating_sub(since)).unwrap_or_default();
        let uptime = uptime.checked_add(&added).unwrap_or(TimeDelta::MAX);
        let reading = ClockReading {
            uptime,
            earliest: self.earliest,
        };
        let keep_from = uptime.checked_sub(&READINGS_KEPT).unwrap_or_default();
        self.store.record_clock(reading, keep_from)?;
        self.earliest = self.now;
        self.store.clock_readings()
    }
}

fn log_purge(what: &str, forgotten: Result<u64, StoreError>) {
    match forgotten {
        Ok(0) => {}
        Ok(count) => log::info!(count, what; "forgot {count} {what} that were old"),
        // Retried at the next run; nothing else depends on it.
        Err(error) => log::warn!(what; "old {what} could not be forgotten: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tradepost_domain::kernel::StoreErrorKind;

    #[test]
    fn an_import_is_completed_once_it_makes_no_progress() {
        let mut upkeep = ImportUpkeep::default();
        let import = ProductImportId::new(7);
        for (seconds, applying, expected) in [
            (0, None, true),
            (5, None, false),
            (10, Some((import, 500)), false),
            (15, Some((import, 1_000)), false),
            (20, Some((import, 1_000)), true),
            (25, None, false),
            (700, Some((import, 2_000)), false),
            (705, None, true),
            (710, None, false),
        ] {
            let is_due = upkeep.is_due(applying, Duration::from_secs(seconds));
            assert_eq!(is_due, expected, "after {seconds} seconds");
        }
    }

    /// A store that keeps clock readings, records the purge cut-offs, and fails every other purge.
    #[derive(Default)]
    struct Store {
        readings: Mutex<Vec<ClockReading>>,
        keys: Mutex<Vec<DateTime<Utc>>>,
        tokens: Mutex<Vec<DateTime<Utc>>>,
        attempts: Mutex<Vec<DateTime<Utc>>>,
        sessions: Mutex<Vec<DateTime<Utc>>>,
        networks: Mutex<Vec<DateTime<Utc>>>,
    }

    impl Retention for Store {
        fn purge_idempotency_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.keys, before)
        }

        fn purge_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.tokens, before)
        }

        fn purge_staff_sessions(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.sessions, before)
        }

        fn purge_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.attempts, before)
        }

        fn record_clock(
            &self,
            reading: ClockReading,
            keep_from: TimeDelta,
        ) -> Result<(), StoreError> {
            let mut readings = self.readings.lock().unwrap();
            readings.push(reading);
            readings.retain(|reading| reading.uptime >= keep_from);
            Ok(())
        }

        fn clock_readings(&self) -> Result<Vec<ClockReading>, StoreError> {
            Ok(self.readings.lock().unwrap().clone())
        }

        fn purge_known_networks(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.networks, before)
        }
    }

    fn every_other(
        asked: &Mutex<Vec<DateTime<Utc>>>,
        before: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut asked = asked.lock().unwrap();
        asked.push(before);
        match asked.len() % 2 {
            0 => Ok(3),
            _ => Err(StoreError::new(StoreErrorKind::Busy)),
        }
    }

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    /// A server that runs for `hours`, with a clock that is `wrong` hours off.
    fn run(store: &Arc<Store>, true_hour: i64, hours: i64, wrong: i64) {
        let mut purge = Purge::new(store.clone(), at(true_hour + wrong));
        for hour in 0..=hours {
            purge.look(at(true_hour + hour + wrong));
            purge.run(Duration::from_secs(u64::try_from(hour).unwrap() * 3_600));
        }
    }

    fn last(asked: &Mutex<Vec<DateTime<Utc>>>) -> Option<DateTime<Utc>> {
        asked.lock().unwrap().last().copied()
    }

    const YEARS: i64 = 3 * 365 * 24;

    #[test]
    fn starts_with_a_clock_years_ahead_purge_nothing() {
        let store = Arc::new(Store::default());
        run(&store, 0, 100, 0);
        let before = [&store.keys, &store.tokens, &store.attempts].map(last);
        assert!(before[0].is_some_and(|before| before <= at(100 - 24)));
        // Ten starts of three hours each, with records of that clock in between.
        for start in 0..10 {
            run(&store, 101 + 3 * start, 2, YEARS);
        }
        assert!(last(&store.keys).is_some_and(|before| before <= at(101)));
        assert!(last(&store.tokens).is_some_and(|before| before <= at(101)));
        // A second server with another clock.
        run(&store, 131, 10, -YEARS);
        assert!(last(&store.keys).is_some_and(|before| before <= at(131 - YEARS)));
    }

    #[test]
    fn records_are_purged_after_two_days_of_uptime_with_any_history() {
        let store = Arc::new(Store::default());
        run(&store, 0, 47, YEARS);
        assert_eq!(last(&store.keys), None, "not up for so long");
        // A month later; each start continues where the last one has stopped.
        for start in 0..20 {
            run(&store, 700 + 3 * start, 3, 0);
        }
        let purged = last(&store.keys).unwrap();
        assert!(at(700) <= purged && purged <= at(760 - 24), "{purged}");
        let readings = store.readings.lock().unwrap();
        let span = latest_uptime(&readings) - readings.iter().map(|r| r.uptime).min().unwrap();
        assert!(span <= READINGS_KEPT, "{span}");
    }

    #[test]
    fn a_clock_that_is_set_back_and_forth_between_two_purges_is_noticed() {
        let store = Arc::new(Store::default());
        let mut purge = Purge::new(store.clone(), at(0));
        purge.run(Duration::ZERO);
        for clock in [0, -YEARS, 0] {
            purge.look(at(clock));
        }
        purge.run(Duration::from_secs(600));
        purge.run(Duration::from_secs(49 * 3_600));
        assert!(last(&store.keys).is_some_and(|before| before <= at(-YEARS)));
    }

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> DateTime<Utc> {
            at(12)
        }
    }

    fn wait_until(what: &str, is_so: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(Instant::now() < until, "{what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn old_keys_are_purged_periodically_until_drop() {
        let store = Arc::new(Store::default());
        // Zero hours and two days of uptime before.
        for hours in [0, 48] {
            let reading = ClockReading {
                uptime: TimeDelta::hours(hours),
                earliest: at(12),
            };
            store.record_clock(reading, TimeDelta::zero()).unwrap();
        }
        let interval = Duration::from_millis(1);
        let retention = every(interval, store.clone(), Arc::new(Noon)).unwrap();
        wait_until("it goes on, also after failures", || {
            // The last of them.
            store.networks.lock().unwrap().len() > 4
        });
        drop(retention);
        wait_until("its thread has ended", || Arc::strong_count(&store) == 1);
        for asked in [&store.keys, &store.tokens] {
            let asked = asked.lock().unwrap();
            assert!(asked.len() > 4 && asked.iter().all(|before| *before < at(12)));
        }
    }
}
