//! Rate limiter for a log line that clients can cause.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The minimum time between two lines.
const INTERVAL: Duration = Duration::from_secs(10);

/// Lets one line through in each interval, and counts the others.
#[derive(Default)]
pub(crate) struct LogLimit {
    state: Mutex<(Option<Instant>, u64)>,
}

impl LogLimit {
    /// Whether to write a line now; if so, the number of lines left out since the last one.
    pub(crate) fn tell(&self) -> Option<u64> {
        self.tell_at(Instant::now())
    }

    fn tell_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, left_out) = *state;
        if last.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL) {
            *state = (last, left_out.saturating_add(1));
            return None;
        }
        *state = (Some(now), 0);
        Some(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_let_through_in_each_interval_and_the_others_are_counted() {
        let limit = LogLimit::default();
        let start = Instant::now();
        let at = |millis| limit.tell_at(start + Duration::from_millis(millis));
        assert_eq!(at(0), Some(0));
        assert_eq!((at(1), at(9_999)), (None, None));
        assert_eq!(at(10_000), Some(2));
        assert_eq!(at(15_000), None);
        assert_eq!(at(20_001), Some(1));
    }
}
