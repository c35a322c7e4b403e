//! Tests of the admin interface in process, over the memory store, with a paused clock.
//!
//! Every page of every test is checked for the properties of all pages: see `support/reply.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what helps tests may fail as they do"
)]

mod access;
mod audit;
mod dashboard;
mod errors;
mod import;
mod orders;
mod products;
mod setup;
mod sign_in;
mod support;
mod users;
