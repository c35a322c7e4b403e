//! Values for the tables of the rules.

use crate::{
    Currency, Description, Money, Price, Product, ProductId, ProductName, StockLevel, UserId,
};
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

/// A clock that stands still.
pub(crate) fn clock(seconds: i64) -> crate::MockClock {
    let mut clock = crate::MockClock::new();
    clock.expect_now().returning(move || at(seconds));
    clock
}
