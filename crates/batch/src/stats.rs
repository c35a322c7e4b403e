//! Statistics of the batcher, for monitoring.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tradepost_metrics::{Histogram, HistogramSnapshot};

/// Bucket bounds in microseconds: a commit takes one or a few milliseconds, and a client waits
/// for seconds at most.
const TIMES: [u64; 12] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000,
];

const SIZES: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// Statistics of the batcher since it was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchStats {
    /// Commands that wait for a batch or pause, now.
    pub waiting: u64,
    /// Commands in each batch.
    pub sizes: HistogramSnapshot,
    /// Duration of each batch, in microseconds.
    pub took: HistogramSnapshot,
    /// Queueing time: microseconds from the submission of a command to the start of the batch that
    /// answered it.
    pub waits: HistogramSnapshot,
    /// How often a command was put back because of a lock conflict.
    pub contended: u64,
}

/// The live counters behind [`BatchStats`].
pub(crate) struct Counters {
    pub(crate) sizes: Histogram<8>,
    pub(crate) took: Histogram<12>,
    pub(crate) waits: Histogram<12>,
    pub(crate) contended: AtomicU64,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            sizes: Histogram::new(SIZES),
            took: Histogram::new(TIMES),
            waits: Histogram::new(TIMES),
            contended: AtomicU64::new(0),
        }
    }

    pub(crate) fn read(&self, waiting: usize) -> BatchStats {
        BatchStats {
            waiting: saturating(waiting),
            sizes: self.sizes.read(),
            took: self.took.read(),
            waits: self.waits.read(),
            contended: self.contended.load(Ordering::Relaxed),
        }
    }
}

pub(crate) fn micros(time: Duration) -> u64 {
    saturating(time.as_micros())
}

/// A count, capped at the maximum.
pub(crate) fn saturating(count: impl TryInto<u64>) -> u64 {
    count.try_into().unwrap_or(u64::MAX)
}
