//! Response builders.

pub(crate) mod coding;
pub(crate) mod etag;
pub(crate) mod json;
pub(crate) mod method;
pub(crate) mod pages;
pub(crate) mod problem;
pub(crate) mod rendered;
pub(crate) mod replay;
pub(crate) mod responses;
pub(crate) mod signed_cursor;
