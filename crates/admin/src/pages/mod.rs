//! The pages, a module for each part of the interface: its routes, its handlers, and the structs of
//! its templates.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod customers;
pub(crate) mod dashboard;
pub(crate) mod orders;
pub(crate) mod products;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod welcome;
