//! Housekeeping beside the server.

use crate::outside::SystemClock;
use chrono::TimeDelta;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;
use tradepost_domain::{ATTEMPT_LIFE, Clock, KEY_LIFE, StoreError, Upkeep};

/// How often: seldom enough to cost nothing, and often enough that each time there is little to do.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// How old idempotency keys get. Twice of what is promised: clocks differ from server to server.
const KEPT: TimeDelta = TimeDelta::hours(2 * KEY_LIFE.num_hours());

/// The same of counts of tries.
const COUNTED: TimeDelta = TimeDelta::hours(2 * ATTEMPT_LIFE.num_hours());

/// How far apart the clocks of servers may be: what has ended here may not have there.
const SKEW: TimeDelta = TimeDelta::hours(1);

/// A thread that keeps the store in order until this is dropped. Nobody waits for its end: it may
/// be waiting for a database that does not answer.
pub(crate) struct Housekeeping {
    /// Nothing is ever sent: that it is gone tells the thread to end.
    _running: Sender<()>,
}

impl Housekeeping {
    /// Starts now, and goes on every hour.
    ///
    /// # Errors
    /// If the operating system has no thread to give.
    pub(crate) fn start(store: Arc<dyn Upkeep>) -> io::Result<Self> {
        Self::every(EVERY, store, Arc::new(SystemClock))
    }

    fn every(every: Duration, store: Arc<dyn Upkeep>, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (running, ends) = mpsc::channel::<()>();
        let keep = move || {
            loop {
                let now = clock.now();
                tell("idempotency keys", store.forget_keys(now - KEPT));
                tell("refresh tokens", store.forget_refresh_tokens(now - SKEW));
                tell("counts of tries", store.forget_attempts(now - COUNTED));
                match ends.recv_timeout(every) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        thread::Builder::new()
            .name("upkeep".to_owned())
            .spawn(keep)?;
        Ok(Self { _running: running })
    }
}

fn tell(what: &str, forgotten: Result<u64, StoreError>) {
    match forgotten {
        Ok(0) => {}
        Ok(forgotten) => log::info!("forgot {forgotten} {what} that were old"),
        // There is another time, and nothing else depends on it.
        Err(error) => log::warn!("old {what} could not be forgotten: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use std::sync::Mutex;
    use std::time::Instant;
    use tradepost_domain::{StoreError, StoreErrorKind};

    /// Fails every other time.
    #[derive(Default)]
    struct Store {
        keys: Mutex<Vec<DateTime<Utc>>>,
        tokens: Mutex<Vec<DateTime<Utc>>>,
        attempts: Mutex<Vec<DateTime<Utc>>>,
    }

    impl Upkeep for Store {
        fn check(&self) -> Result<(), StoreError> {
            Ok(())
        }

        fn forget_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.keys, before)
        }

        fn forget_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.tokens, before)
        }

        fn forget_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
            every_other(&self.attempts, before)
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

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH + TimeDelta::hours(12)
        }
    }

    fn wait_until(what: &str, is_so: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(Instant::now() < until, "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn old_keys_are_forgotten_again_and_again_until_the_end() {
        let store = Arc::new(Store::default());
        let every = Duration::from_millis(1);
        let housekeeping = Housekeeping::every(every, store.clone(), Arc::new(Noon)).unwrap();
        wait_until("it goes on, also after failures", || {
            // The last of them.
            store.attempts.lock().unwrap().len() > 4
        });
        drop(housekeeping);
        wait_until("its thread has ended", || Arc::strong_count(&store) == 1);
        let before = DateTime::UNIX_EPOCH - TimeDelta::hours(36);
        let all = |asked: &Mutex<Vec<_>>, before| {
            let asked = asked.lock().unwrap();
            asked.len() > 4 && asked.iter().all(|asked| *asked == before)
        };
        assert!(all(&store.keys, before));
        assert!(Noon.now() - before >= KEY_LIFE);
        assert!(all(
            &store.tokens,
            DateTime::UNIX_EPOCH + TimeDelta::hours(11)
        ));
        let before = DateTime::UNIX_EPOCH + TimeDelta::hours(8);
        assert!(all(&store.attempts, before));
        assert!(Noon.now() - before >= ATTEMPT_LIFE);
    }
}
