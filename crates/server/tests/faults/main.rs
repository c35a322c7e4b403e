//! Fault injection: the real binary under load while processes are killed, paused and disconnected.
//! No acknowledged write is lost or duplicated, every request ends, and the service recovers
//! without intervention.
//!
//! - [`client`]: requests over one connection.
//! - [`shop`]: servers on one database, with a catalogue and customers.
//! - [`load`]: customers who order repeatedly; [`buyer`] is one of them, with every answer recorded.
//! - [`changes`]: every kind of change of a cart, an order, a product and stock.
//! - [`staff_pages`]: the forms of the admin interface.
//! - [`verify`]: compares the recorded answers with the database.
//! - the others: the faults.
//!
//! Each test takes a few seconds; `TRADEPOST_FAULT_SECONDS` makes the faults last longer, as
//! `scripts/faults` does. Only one runs at a time.
//!
//! Promises in seconds are printed with the measured time, and asserted against [`shop::IN_TIME`],
//! which is ten times as long: a test may not fail because its machine is busy.

#[cfg(test)]
mod buyer;
#[cfg(test)]
mod cart_races;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod client;
#[cfg(test)]
mod feed;
#[cfg(test)]
mod import_killed;
#[cfg(test)]
mod load;
#[cfg(test)]
mod locked_rows;
#[cfg(test)]
mod lost_changes;
#[cfg(test)]
mod lost_commit;
#[cfg(test)]
mod overload;
#[cfg(test)]
#[path = "../binary/place.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the commands, which need more of it"
)]
mod place;
#[cfg(test)]
mod poisonous;
#[cfg(test)]
mod postgres_killed;
#[cfg(test)]
mod postgres_stuck;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod races;
#[cfg(test)]
mod read_only;
#[cfg(test)]
mod searches;
#[cfg(test)]
mod server_killed;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod sign_in_flood;
#[cfg(test)]
mod slow_clients;
#[cfg(test)]
mod staff_pages;
#[cfg(test)]
mod staff_races;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod throttles;
#[cfg(test)]
mod verify;
