//! The rules of a shop, without any I/O: products, stock, carts, orders and accounts.
//!
//! Every write is a value that this crate decides:
//!
//! ```text
//! request -> command (a value) -> repository port
//!                                   lock and load the state of the command  (adapter)
//!                                   decide(command, state) -> decision      (here, pure)
//!                                   write the decision, commit              (adapter)
//!            outcome (a value) <-
//! ```
//!
//! - The `decide` functions are pure and total: no clock, no randomness, no panic. Time, ids and
//!   hashes are arguments.
//! - The ports, such as [`OrderRepository`], are the traits that an adapter implements. An adapter
//!   never decides.
//! - The use cases ([`Catalogue`], [`Carts`], [`Orders`], [`Accounts`]) check authorisation, build
//!   the command and pass it to a port.
//!
//! # Example
//!
//! ```
//! use tradepost_domain::{Currency, Money, Quantity};
//!
//! let usd = Currency::from_code("USD").ok_or("no such currency")?;
//! let price = Money::parse("19.99", usd)?;
//! assert_eq!(price.times(Quantity::new(3)?)?.to_string(), "59.97");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod cart;
pub mod catalog;
pub mod decision;
pub mod identity;
pub mod import;
pub mod inventory;
pub mod kernel;
pub mod maintenance;
pub mod orders;
pub mod prelude;
mod services;
mod stores;
#[cfg(any(test, feature = "test-support"))]
pub mod testing;

pub use services::{Services, ServicesConfig};
pub use stores::{Store, Stores};
