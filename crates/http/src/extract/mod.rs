//! Extractors: the parts of a request that a handler reads.

pub(crate) mod body;
pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod long_request;
pub(crate) mod parameter;
pub(crate) mod query;
pub(crate) mod request;
pub(crate) mod request_context;
