//! The resources of the API, one module each: its endpoints with their handlers, its requests and
//! its responses.

pub(crate) mod accounts;
pub(crate) mod cart;
pub(crate) mod docs;
pub(crate) mod etag;
pub(crate) mod orders;
mod prelude;
pub(crate) mod probes;
pub(crate) mod products;
pub(crate) mod root;
pub(crate) mod stock;
pub(crate) mod tokens;
pub(crate) mod users;
