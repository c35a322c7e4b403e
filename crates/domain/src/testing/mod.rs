//! Test support (feature `test-support`): fixed values, builders, a clock that tests set, and fakes
//! of the environment. A test of a program over this crate needs nothing else besides the `Mock*`
//! ports of each module, or the store in memory (`tradepost-memory`).
//!
//! ```
//! use tradepost_domain::catalog::MockProductRepository;
//! use tradepost_domain::prelude::*;
//! use tradepost_domain::testing::{FixedClock, ProductBuilder, at};
//! use std::sync::Arc;
//!
//! let mut products = MockProductRepository::new();
//! products
//!     .expect_find_all()
//!     .returning(|_| Ok(vec![ProductBuilder::new(1).name("Mug").price(1_250).build()]));
//! let catalogue = Catalogue::new(Arc::new(products), Arc::new(FixedClock::new(at(0))));
//!
//! let mug = ProductId::new(1).ok_or("id")?;
//! let found = catalogue.product(Actor::Anonymous, mug, false)?;
//! assert_eq!(found.price.money().to_string(), "12.50");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![allow(
    clippy::unwrap_used,
    reason = "the values are valid, and a test that builds others is to fail"
)]

mod builders;
mod clock;
mod fakes;

#[cfg(test)]
pub(crate) use answers::refusal;
pub use builders::{AccountBuilder, ProductBuilder};
pub use clock::FixedClock;
pub use fakes::{PlainHasher, PlainTokens, SequentialIds, system};

use crate::catalog::{Measure, Measures, Product};
use crate::identity::Account;
use crate::inventory::StockLevel;
use crate::kernel::{
    Currency, Error, Money, Outcomes, PageRequest, ProductId, Quantity, Refusal, StoreError,
    StoreErrorKind, UserId,
};
use chrono::{DateTime, Utc};

/// A time, in seconds after a fixed one (2023-11-14T22:13:20Z).
#[must_use]
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

/// US dollars.
#[must_use]
pub fn usd() -> Currency {
    Currency::from_code("USD").unwrap()
}

/// An amount in cents.
#[must_use]
pub fn money(cents: i64) -> Money {
    Money::from_minor(cents, usd())
}

/// A quantity.
#[must_use]
pub fn units(units: i64) -> Quantity {
    Quantity::new(units).unwrap()
}

/// A level of stock.
#[must_use]
pub fn level(units: i64) -> StockLevel {
    StockLevel::new(units).unwrap()
}

/// Measures with a value of its own for each: this one for the weight, one more for each other.
#[must_use]
pub fn measuring(first: i64) -> Measures {
    let values = Measure::ALL.iter().zip(first..);
    let measured = |measures: Measures, (measure, value): (&Measure, i64)| {
        measures.with(*measure, value).unwrap()
    };
    values.fold(Measures::default(), measured)
}

/// Page `number`, of `size` rows.
#[must_use]
pub fn page(number: u64, size: u32) -> PageRequest {
    PageRequest::new(number, size).unwrap()
}

/// The user with this id.
#[must_use]
pub fn user(id: i64) -> UserId {
    UserId::new(id).unwrap()
}

/// The product id with this number.
#[must_use]
pub fn product_id(id: i64) -> ProductId {
    ProductId::new(id).unwrap()
}

/// An account: [`AccountBuilder`] in one call.
#[must_use]
pub fn account(id: i64, is_active: bool, is_staff: bool) -> Account {
    Account {
        is_active,
        is_staff,
        ..AccountBuilder::new(id).build()
    }
}

/// The possible accounts of a former staff user, and the refusals that writes by them get.
#[must_use]
pub fn former_staff(id: i64) -> [(Option<Account>, Refusal); 4] {
    [
        (Some(account(id, true, false)), Refusal::Forbidden),
        (Some(account(id, false, true)), Refusal::InvalidToken),
        (Some(account(id, false, false)), Refusal::InvalidToken),
        (None, Refusal::InvalidToken),
    ]
}

/// A product at a price in cents: [`ProductBuilder`] in one call.
#[must_use]
pub fn product(id: i64, price: i64, stock: i64) -> Product {
    ProductBuilder::new(id).price(price).stock(stock).build()
}

/// A clock that stands at so many seconds after the fixed time of [`at`].
#[must_use]
pub fn clock(seconds: i64) -> FixedClock {
    FixedClock::new(at(seconds))
}

/// Executes the commands of a slice one after the other, for the write port of a fake.
///
/// # Errors
/// The first failure of the store.
pub fn one_by_one<C: Clone, T>(
    commands: &[C],
    execute: impl Fn(C) -> Result<T, Error>,
) -> Outcomes<T> {
    let outcome = |command: &C| match execute(command.clone()) {
        Ok(outcome) => Ok(Ok(outcome)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal)),
        Err(Error::Store(error)) => Err(error),
        Err(other) => Err(StoreError::caused(StoreErrorKind::Other, other)),
    };
    commands.iter().map(outcome).collect()
}

#[cfg(test)]
mod answers {
    use crate::kernel::{Error, Refusal};

    /// The refusal of a command.
    pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> Refusal {
        match answer {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }
}
