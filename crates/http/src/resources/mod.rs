//! The handlers of each resource.

pub(crate) mod accounts;
pub(crate) mod cart;
pub(crate) mod docs;
pub(crate) mod etag;
pub(crate) mod json;
pub(crate) mod orders;
pub(crate) mod placement;
pub(crate) mod probes;
pub(crate) mod products;
pub(crate) mod root;
pub(crate) mod stock;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod words;
