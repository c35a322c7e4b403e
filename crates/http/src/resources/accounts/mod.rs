//! Accounts: registration, and what all endpoints about accounts share.

pub(crate) mod credentials;
mod endpoints;
mod fields;
mod response;

pub(crate) use endpoints::ENDPOINTS;
pub(crate) use fields::CurrentPassword;
pub(crate) use response::AccountResponse;
