//! Extractors: what a handler reads from a request.

pub(crate) mod body;
pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod query;
pub(crate) mod request_context;
