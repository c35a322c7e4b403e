//! Event log, and the sums of its events.

pub(crate) mod log;
pub(crate) mod reports;
