//! Lock-free histogram.

use std::sync::atomic::{AtomicU64, Ordering};

/// A histogram with fixed bucket bounds.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: [u64; N],
    /// By the first bound that a value does not exceed.
    counts: [AtomicU64; N],
    beyond: AtomicU64,
    sum: AtomicU64,
}

/// A snapshot of a histogram.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistogramSnapshot {
    /// Cumulative buckets: each bound, and how many values are no larger.
    pub buckets: Vec<(u64, u64)>,
    /// Number of values.
    pub count: u64,
    /// Sum of the values; it wraps at 2^64, and may be slightly later than the counts.
    pub sum: u64,
}

impl<const N: usize> Histogram<N> {
    /// An empty histogram with these bounds, in ascending order.
    #[must_use]
    pub const fn new(bounds: [u64; N]) -> Self {
        Self {
            bounds,
            counts: [const { AtomicU64::new(0) }; N],
            beyond: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// Observes a value.
    pub fn observe(&self, value: u64) {
        let bounds = self.bounds.iter().zip(&self.counts);
        let found = bounds.into_iter().find(|(bound, _)| value <= **bound);
        let count = found.map_or(&self.beyond, |(_, count)| count);
        count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// A snapshot of the counts so far.
    #[must_use]
    pub fn read(&self) -> HistogramSnapshot {
        let mut count = 0;
        let mut buckets = Vec::with_capacity(N);
        for (bound, counted) in self.bounds.iter().zip(&self.counts) {
            count += counted.load(Ordering::Relaxed);
            buckets.push((*bound, count));
        }
        HistogramSnapshot {
            buckets,
            count: count + self.beyond.load(Ordering::Relaxed),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_counts_below_every_bound_that_it_does_not_exceed() {
        let histogram = Histogram::new([1, 10, 100]);
        for value in [0, 1, 2, 10, 11, 100, 101, 1_000] {
            histogram.observe(value);
        }
        let expected = HistogramSnapshot {
            buckets: vec![(1, 2), (10, 4), (100, 6)],
            count: 8,
            sum: 1_225,
        };
        assert_eq!(histogram.read(), expected);
    }
}
