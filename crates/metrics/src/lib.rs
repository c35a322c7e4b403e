//! Metrics without dependencies: counters, histograms, and the Prometheus text format.
//!
//! - [`Counter`] and [`Histogram`] are lock-free, for paths that must not wait.
//! - [`Page`] writes families of samples in the text format, version 0.0.4.
//!
//! Values are integers: times are observed in microseconds and written as seconds. Names, help
//! texts and labels come from the caller and are written without escaping: they must be constants of
//! the program, which also bounds the number of series.
//!
//! ```
//! use tradepost_metrics::{Histogram, Page, Unit};
//!
//! let took = Histogram::new([500, 10_000]);
//! took.observe(1_200);
//! let mut page = Page::default();
//! page.family("job_seconds", "histogram", "How long jobs took.");
//! page.histogram(&[], &took.read(), Unit::Microseconds);
//! assert!(page.into_text().contains("job_seconds_bucket{le=\"0.01\"} 1\n"));
//! ```

mod counter;
mod histogram;
mod text;

pub use counter::Counter;
pub use histogram::{Histogram, HistogramSnapshot};
pub use text::{Labels, MEDIA, Page, Unit};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
