//! Progress of long operations, reported to the caller while they run.

/// Receiver of the progress of a long operation. An operation has stages, and each counts its own
/// units.
pub trait Progress: Send + Sync {
    /// A stage begins. `total` is the number of its units, if it is known.
    fn begin(&self, stage: &'static str, total: Option<u64>);

    /// The number of units of this stage that are done.
    fn advance(&self, done: u64);
}

/// Discards all reports.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _: &'static str, _: Option<u64>) {}

    fn advance(&self, _: u64) {}
}
