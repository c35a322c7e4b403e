//! Execution of blocking work: worker pools, and loaders that batch and share reads.

pub(crate) mod batch_loader;
pub(crate) mod batched_write;
mod deadlines;
pub(crate) mod duty_cycle;
pub(crate) mod event_waits;
pub(crate) mod low_priority;
mod mailbox;
pub(crate) mod password_pool;
pub(crate) mod pools;
mod read_queue;
pub(crate) mod readiness;
pub(crate) mod single_flight;
pub(crate) mod worker_pool;
