//! Executable contract of the domain's ports, for every store.
//!
//! A store runs it with one line in a test file. The fixture makes an empty shop in USD for each
//! case, and may keep values with the lifetime of the store, such as a temporary directory:
//!
//! ```ignore
//! fn sqlite() -> (Stores, TempDir) { .. }
//!
//! tradepost_contract::suite!(sqlite);
//! ```
//!
//! Each case becomes a test, `products::a_new_product_is_as_drafted` and so on, which ends with a
//! ledger audit. The list of cases is in `cases/mod.rs`; a case that is missing from it causes a
//! compiler warning.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a library of tests: a case fails by panicking"
)]

#[macro_use]
mod cases;
mod keyed;
mod placing_orders;
mod race;
mod shop;
#[macro_use]
mod suite;

pub use placing_orders::{Placed, place};
pub use race::race;
pub use shop::{
    PortResult, TestShop, at, draft, first_page, hash, level, line_totals, money, page, retry_busy,
    units, usd,
};

use tradepost_domain::Stores;

/// A store under test: an empty shop in USD, and values with the lifetime of the store.
pub trait Fixture {
    /// The ports of the store.
    fn stores(&self) -> &Stores;
}

impl Fixture for Stores {
    fn stores(&self) -> &Stores {
        self
    }
}

/// Stores and the values that they depend on, which are dropped after them.
impl<Keep> Fixture for (Stores, Keep) {
    fn stores(&self) -> &Stores {
        &self.0
    }
}

/// A case of the contract.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Name of the module with the case.
    pub subject: &'static str,
    /// Name of the function.
    pub name: &'static str,
    /// The function. Panics if the store breaks the contract.
    pub run: fn(&Stores),
}

macro_rules! publish {
    ($($subject:ident { $($case:ident,)* })*) => {
        $(
            #[doc = concat!("The cases about ", stringify!($subject), ".")]
            pub mod $subject {
                pub use crate::cases::$subject::{$($case),*};
            }
        )*

        /// Every case.
        pub const CASES: &[Case] = &[$($(Case {
            subject: stringify!($subject),
            name: stringify!($case),
            run: crate::cases::$subject::$case,
        },)*)*];
    };
}
each_case!(publish);

/// Runs a case and a ledger audit.
///
/// # Panics
/// If the store breaks the contract.
pub fn check(fixture: &impl Fixture, case: fn(&Stores)) {
    let stores = fixture.stores();
    case(stores);
    let audit = retry_busy(|| stores.ledger.audit());
    let wrong: Vec<_> = audit
        .discrepancies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        wrong.is_empty(),
        "the books are wrong:\n{}",
        wrong.join("\n")
    );
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
