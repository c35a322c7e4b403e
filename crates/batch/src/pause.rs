//! Backoff after a lock conflict.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Random pauses (jitter): two servers in conflict must not meet again and again.
pub(crate) struct Pauses(u64);

impl Pauses {
    /// Minimum in microseconds: by then most transactions have ended.
    const LEAST: u64 = 5_000;
    /// Maximum in microseconds: too short for a user to notice.
    const MOST: u64 = 25_000;

    /// Seeded differently for each worker, in each process.
    pub(crate) fn new() -> Self {
        Self(RandomState::new().hash_one("pauses"))
    }

    pub(crate) fn next(&mut self) -> Duration {
        // Knuth's linear congruential generator, whose upper half is random enough.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let beyond = (self.0 >> 32) % (Self::MOST - Self::LEAST + 1);
        Duration::from_micros(Self::LEAST + beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn pauses_are_random_within_their_bounds() {
        let mut pauses = Pauses::new();
        let taken: Vec<Duration> = (0..1_000).map(|_| pauses.next()).collect();
        for pause in &taken {
            assert!((5_000..=25_000).contains(&pause.as_micros()), "{pause:?}");
        }
        let milliseconds: BTreeSet<_> = taken.iter().map(Duration::as_millis).collect();
        assert!(milliseconds.len() > 15, "{milliseconds:?}");
        assert_ne!(taken[0], Pauses::new().next());
    }
}
