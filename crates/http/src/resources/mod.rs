//! The resources of the API, one module each: its endpoints with their handlers, its requests and
//! its responses.

use crate::endpoint::Endpoint;

pub(crate) mod accounts;
pub(crate) mod addresses;
pub(crate) mod cart;
pub(crate) mod docs;
pub(crate) mod etag;
pub(crate) mod events;
pub(crate) mod orders;
mod prelude;
pub(crate) mod probes;
pub(crate) mod products;
pub(crate) mod root;
pub(crate) mod stock;
pub(crate) mod tokens;
pub(crate) mod users;

/// The endpoints of each resource, by its name. Those of one path are adjacent; a path comes before
/// any other one that would match it as well.
pub(crate) static ALL: &[(&str, &[Endpoint])] = &[
    ("root", root::ENDPOINTS),
    ("tokens", tokens::ENDPOINTS),
    ("accounts", accounts::ENDPOINTS),
    ("users", users::ENDPOINTS),
    ("products", products::ENDPOINTS),
    ("stock", stock::ENDPOINTS),
    ("cart", cart::ENDPOINTS),
    ("orders", orders::ENDPOINTS),
    ("addresses", addresses::ENDPOINTS),
    ("events", events::ENDPOINTS),
    ("docs", docs::ENDPOINTS),
    ("probes", probes::ENDPOINTS),
];
