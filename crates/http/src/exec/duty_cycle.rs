//! Duty cycle of expensive lists: a pause after each of them while other requests are served.
//!
//! A low priority alone does not protect the others. A list that fills the idle moments of a core
//! shares its caches and execution units with them, and the database's processes have no priority of
//! their own. The pause bounds the share of time that lists take, and lets SQLite's log restart, as
//! no reader has a snapshot meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Length of a pause, in multiples of the time that the list took: a list has a tenth of the time
/// of its thread while the server is busy.
const PAUSE: u32 = 9;

/// Interval of the looks whether other requests are still served: a pause on a server that became
/// idle ends after at most twice this time.
const SLICE: Duration = Duration::from_millis(5);

/// Counts the requests for which others pause.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity(Arc<AtomicU64>);

impl Activity {
    pub(crate) fn record(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One job under a duty cycle, from its beginning.
pub(crate) struct Shift {
    began: Instant,
    /// Run-queue delay of this thread so far.
    delayed: Duration,
    /// Requests of others so far.
    requests: u64,
}

impl Shift {
    /// Begins a job on this thread.
    pub(crate) fn begin(others: &Activity) -> Self {
        Self {
            began: Instant::now(),
            delayed: run_delay(),
            requests: others.count(),
        }
    }

    /// Pauses this thread after its job, for as long as others have requests.
    pub(crate) fn rest(self, others: &Activity) {
        let delayed = run_delay().saturating_sub(self.delayed);
        let took = self.began.elapsed().saturating_sub(delayed);
        pause(took.saturating_mul(PAUSE), self.requests, || others.count());
    }
}

/// Sleeps for at most this time, until no request has come during a slice of it.
fn pause(most: Duration, mut seen: u64, requests: impl Fn() -> u64) {
    let began = Instant::now();
    loop {
        let now = requests();
        let left = most.saturating_sub(began.elapsed());
        if now == seen || left.is_zero() {
            return;
        }
        seen = now;
        thread::sleep(left.min(SLICE));
    }
}

/// How long this thread has been runnable without a processor
/// ([schedstat](https://docs.kernel.org/scheduler/sched-stats.html)): a list that was starved by
/// others took nothing from them. Its time in the database's process counts.
#[cfg(target_os = "linux")]
fn run_delay() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let delay = stat.split_ascii_whitespace().nth(1);
    let delay = delay.and_then(|nanoseconds| nanoseconds.parse().ok());
    Duration::from_nanos(delay.unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn run_delay() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_pause_lasts_while_other_requests_come() {
        let count = Cell::new(0);
        let next = || count.replace(count.get() + 1);
        let most = Duration::from_millis(50);
        let began = Instant::now();
        pause(most, u64::MAX, next);
        assert!(began.elapsed() >= most);
    }

    #[test]
    fn a_pause_ends_when_no_other_request_comes() {
        // An hour, unless it ends.
        let hour = Duration::from_secs(3_600);
        pause(hour, 7, || 7);
        let count = Cell::new(0);
        let three = || count.replace((count.get() + 1).min(3));
        pause(hour, u64::MAX, three);
        assert_eq!(count.get(), 3);
    }

    #[test]
    fn a_job_is_followed_by_a_pause_if_another_request_came() {
        let others = Activity::default();
        let shift = Shift::begin(&others);
        thread::sleep(SLICE);
        others.record();
        let ended = Instant::now();
        shift.rest(&others);
        // None came in the first slice of the pause.
        assert!(ended.elapsed() >= SLICE);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_run_delay_of_a_thread_never_falls() {
        let before = run_delay();
        assert!(run_delay() >= before);
    }
}
