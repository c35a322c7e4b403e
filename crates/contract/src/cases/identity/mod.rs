//! Accounts, roles, sign-in attempts and sessions.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod names;
pub(crate) mod roles;
pub(crate) mod sessions;
pub(crate) mod staff_sessions;
mod users;
