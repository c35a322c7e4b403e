//! The real binary under load while things are killed, stopped and cut: nothing that was
//! acknowledged is lost or doubled, every request ends, and the shop comes back by itself.
//!
//! - [`client`]: asking over one connection.
//! - [`shop`]: servers on one database, with a catalogue and customers.
//! - [`load`]: customers who order again and again, and write down what they were told.
//! - [`proof`]: what they were told against what is there.
//! - the others: the faults.
//!
//! Each test takes a few seconds; `TRADEPOST_FAULT_SECONDS` has the faults go on for longer, as
//! `scripts/faults` does. Only one runs at a time.
//!
//! What is promised in seconds is printed with what was measured, and asserted against
//! [`shop::IN_TIME`], which is ten times as long: a test may not fail because its machine is
//! busy with others.

#[cfg(test)]
mod client;
#[cfg(test)]
mod load;
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
mod postgres_killed;
#[cfg(test)]
mod postgres_stuck;
#[cfg(test)]
mod proof;
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
mod throttles;
