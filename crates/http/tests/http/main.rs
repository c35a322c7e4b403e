//! Tests of the whole application in process, over the memory store, with a paused clock.
//!
//! Every response of every test is checked for the properties of all responses: see
//! `support/reply.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "what helps tests may fail as they do"
)]

mod access;
mod account_attempts;
mod accounts;
mod addresses;
mod assignment;
mod attempts;
mod bounds;
mod bulkhead;
mod cart;
mod compression;
mod conditional;
mod connections;
mod deadlines;
mod django_clients;
mod envelope;
mod events;
mod golden;
mod hostile;
mod idempotency;
mod lists;
mod log;
mod metrics;
mod openapi;
mod openapi_golden;
mod orders;
mod private;
mod probes;
mod products;
mod quotas;
mod reads;
mod routes;
mod sockets;
mod stock;
mod stops;
mod support;
mod throttle;
mod tokens;
mod users;
