//! Where blocking work runs: worker pools and loaders.

pub(crate) mod batch_loader;
pub(crate) mod loaders;
pub(crate) mod low_priority;
pub(crate) mod password_pool;
pub(crate) mod worker_pool;
