//! Machine-readable details of a refusal, besides its code.

use crate::inventory::Shortage;
use crate::kernel::{Currency, Money, ProductId, ValidationErrors};
use crate::orders::OrderStatus;

/// A named value of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Its name, in snake case.
    pub name: &'static str,
    /// A sentence about it for the API's documentation, if the name does not say enough.
    pub description: Option<&'static str>,
    /// The value.
    pub value: DetailValue,
}

impl Detail {
    /// A detail whose name says enough.
    #[must_use]
    pub fn new(name: &'static str, value: DetailValue) -> Self {
        Self {
            name,
            description: None,
            value,
        }
    }

    /// The detail with a description.
    #[must_use]
    pub fn described(self, description: &'static str) -> Self {
        Self {
            description: Some(description),
            ..self
        }
    }
}

/// Value of a [`Detail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailValue {
    /// Each invalid field with its errors.
    Fields(ValidationErrors),
    /// Sentences.
    Sentences(Vec<String>),
    /// Products whose stock is insufficient.
    Shortages(Vec<Shortage>),
    /// Products.
    Products(Vec<ProductId>),
    /// A number.
    Number(i64),
    /// An amount.
    Money(Money),
    /// A currency.
    Currency(Currency),
    /// A status of an order.
    Status(OrderStatus),
    /// Statuses of an order.
    Statuses(Vec<OrderStatus>),
}
