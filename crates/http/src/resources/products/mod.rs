//! Products of the catalogue.

mod endpoints;
mod fields;
pub(crate) mod list;
mod response;

pub(crate) use endpoints::ENDPOINTS;
pub(crate) use response::{ProductResponse, encoded, example, render, render_page};
