//! Outcomes of decisions, before and after the store has assigned ids.

use crate::cart::CartItem;
use crate::catalog::Product;
use crate::decision::NewRows;
use crate::identity::{Account, Credentials};
use crate::inventory::Movement;
use crate::kernel::Refusal;
use crate::orders::Order;
use std::marker::PhantomData;
use std::slice::Iter;

/// The outcome of a decision. It takes new rows from the stored ones.
pub trait Outcome {
    /// The outcome for the caller.
    type Stored;

    /// Completes the outcome. It takes the new rows of each kind in their order. `None` if there
    /// are too few, which is a defect of the store.
    fn stored(self, new: &mut StoredRows<'_>) -> Option<Self::Stored>;
}

/// The new rows and movements of a decision, which its outcome takes in order.
pub struct StoredRows<'a> {
    products: Iter<'a, Product>,
    cart_items: &'a [CartItem],
    orders: Iter<'a, Order>,
    accounts: Iter<'a, Credentials>,
    movements: Iter<'a, Movement>,
}

impl<'a> StoredRows<'a> {
    /// All of these rows and movements.
    #[must_use]
    pub fn new(rows: &'a NewRows, movements: &'a [Movement]) -> Self {
        Self {
            products: rows.products.iter(),
            cart_items: &rows.cart_items,
            orders: rows.orders.iter(),
            accounts: rows.accounts.iter(),
            movements: movements.iter(),
        }
    }

    /// The new cart item at this position.
    pub(crate) fn cart_item(&self, position: usize) -> Option<CartItem> {
        self.cart_items.get(position).copied()
    }

    pub(crate) fn movement(&mut self) -> Option<Movement> {
        self.movements.next().cloned()
    }
}

/// The outcome of a command that creates a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<Row>(PhantomData<Row>);

impl<Row> Created<Row> {
    /// The next new row of its kind.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<Row> Default for Created<Row> {
    fn default() -> Self {
        Self::new()
    }
}

impl Outcome for Created<Product> {
    type Stored = Product;

    fn stored(self, new: &mut StoredRows<'_>) -> Option<Product> {
        new.products.next().cloned()
    }
}

impl Outcome for Created<Order> {
    type Stored = Order;

    fn stored(self, new: &mut StoredRows<'_>) -> Option<Order> {
        new.orders.next().cloned()
    }
}

impl Outcome for Created<Account> {
    type Stored = Account;

    fn stored(self, new: &mut StoredRows<'_>) -> Option<Account> {
        Some(new.accounts.next()?.account.clone())
    }
}

/// Outcomes without new rows.
macro_rules! known {
    ($($outcome:ty),+ $(,)?) => {$(
        impl Outcome for $outcome {
            type Stored = Self;

            fn stored(self, _: &mut StoredRows<'_>) -> Option<Self> {
                Some(self)
            }
        }
    )+};
}

known!((), Product, Vec<Product>, Order, Account, Result<Account, Refusal>);
