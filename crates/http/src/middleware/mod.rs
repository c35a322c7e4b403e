//! The middleware stack, one file per concern.

pub(crate) mod authenticate;
pub(crate) mod forwarded;
pub(crate) mod hold_request_body;
pub(crate) mod log_limit;
pub(crate) mod rate_limit;
pub(crate) mod request_cost;
pub(crate) mod request_info;
pub(crate) mod session_cache;
pub(crate) mod stack;
