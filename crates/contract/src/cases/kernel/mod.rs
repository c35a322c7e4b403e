//! Lists, cursor pagination, idempotency and preconditions.

pub(crate) mod cursor_pagination;
pub(crate) mod idempotency;
pub(crate) mod lists;
pub(crate) mod preconditions;
pub(crate) mod slices;
