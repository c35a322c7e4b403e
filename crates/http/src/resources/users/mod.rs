//! Users: the own account, and user administration by staff.

mod endpoints;
mod own_account;

pub(crate) use endpoints::ENDPOINTS;
