//! One handler per route: parse the request, run the use case, build the response.

pub(crate) mod accounts;
pub(crate) mod cart;
pub(crate) mod docs;
pub(crate) mod orders;
pub(crate) mod probes;
pub(crate) mod products;
pub(crate) mod root;
pub(crate) mod stock;
pub(crate) mod tokens;
pub(crate) mod users;
