//! Histograms of the metrics.

pub(crate) use tradepost_batch::{Histogram, HistogramSnapshot};

/// Bucket bounds of batch sizes.
pub(crate) const BATCH_SIZES: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 256];
