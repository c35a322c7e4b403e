//! Fixtures for the tables of the rules.

use crate::catalog::{Price, Product};
use crate::identity::{Account, Username};
use crate::inventory::StockLevel;
use crate::kernel::{Currency, Description, Money, ProductId, ProductName, Refusal, UserId};
use chrono::{DateTime, Utc};

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

pub(crate) fn usd() -> Currency {
    Currency::from_code("USD").unwrap()
}

pub(crate) fn user(id: i64) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn account(id: i64, is_active: bool, is_staff: bool) -> Account {
    Account {
        id: user(id),
        username: Username::new(&format!("user{id}")).unwrap(),
        email: None,
        is_staff,
        is_active,
        session_epoch: 0,
        created_at: at(0),
    }
}

/// The possible accounts of a former staff user, and the refusals that writes by them get.
pub(crate) fn former_staff(id: i64) -> [(Option<Account>, Refusal); 4] {
    [
        (Some(account(id, true, false)), Refusal::Forbidden),
        (Some(account(id, false, true)), Refusal::InvalidToken),
        (Some(account(id, false, false)), Refusal::InvalidToken),
        (None, Refusal::InvalidToken),
    ]
}

pub(crate) fn product(id: i64, price: i64, stock: i64) -> Product {
    Product {
        id: ProductId::new(id).unwrap(),
        sku: None,
        name: ProductName::new(&format!("Product {id}")).unwrap(),
        description: Description::new("").unwrap(),
        price: Price::new(Money::from_minor(price, usd())).unwrap(),
        stock: StockLevel::new(stock).unwrap(),
        archived: false,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A fixed clock.
pub(crate) fn clock(seconds: i64) -> crate::kernel::MockClock {
    let mut clock = crate::kernel::MockClock::new();
    clock.expect_now().returning(move || at(seconds));
    clock
}
