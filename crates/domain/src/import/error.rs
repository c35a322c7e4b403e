//! Errors of an import: the row, the field, and the error.

use super::LARGEST_IMPORTED_ID;
use crate::cart::MAX_CART_ITEMS;
use crate::kernel::{CartItemId, Currency, Money, OrderId, ProductId, UserId};
use std::fmt;
/// The row of an import error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportRow {
    /// A user.
    User(UserId),
    /// A product.
    Product(ProductId),
    /// A line of a cart.
    CartItem(CartItemId),
    /// An order.
    Order(OrderId),
}

impl fmt::Display for ImportRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Product(id) => write!(f, "product {id}"),
            Self::CartItem(id) => write!(f, "cart line {id}"),
            Self::Order(id) => write!(f, "order {id}"),
        }
    }
}

/// Error of a field of an imported row. Its text is a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportErrorKind {
    /// Two rows of a kind have the same id.
    #[error("This id occurs twice.")]
    Twice,
    /// The id leaves no room for later ids.
    #[error("Ids go up to {LARGEST_IMPORTED_ID}.")]
    IdTooLarge,
    /// A staff user of this shop has the value already.
    #[error("A staff user of this shop already has it: {0}.")]
    TakenHere(String),
    /// Another row has the value, which has to be unique.
    #[error("It is the same as that of {0}, except perhaps for small and capital letters.")]
    SameAs(ImportRow),
    /// Another line of the cart has the same product.
    #[error("The cart has another line of it.")]
    SecondLine,
    /// A reference to a missing row.
    #[error("There is no {0}.")]
    Missing(ImportRow),
    /// An order has no lines.
    #[error("An order needs at least one line.")]
    NoLines,
    /// The total is not the sum of the lines and the adjustment.
    #[error("The total is {total}, but the lines add up to {lines}.")]
    TotalDiffers {
        /// The given total.
        total: Money,
        /// The sum of the lines and the adjustment.
        lines: Money,
    },
    /// A negative total.
    #[error("Must not be less than 0.")]
    Negative,
    /// More lines than a cart may have.
    #[error("A cart holds at most {MAX_CART_ITEMS} lines.")]
    CartFull,
    /// An amount in another currency.
    #[error("The shop's currency is {0}.")]
    OtherCurrency(Currency),
    /// An amount or a quantity that overflows.
    #[error("It is too large.")]
    TooLarge,
    /// A line with a unit price of zero or less.
    #[error("Must be greater than 0.")]
    NotPositive,
    /// A deleted order that is not cancelled.
    #[error("An order that is deleted has to be cancelled.")]
    DeletedNotCancelled,
}

/// Error of an import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The importing shop is not empty.
    #[error(
        "This shop already has {products} products, {orders} orders and {customers} customers: \
         only a shop without any can take over another one"
    )]
    NotEmpty {
        /// Number of products.
        products: u64,
        /// Number of orders.
        orders: u64,
        /// Number of users other than staff.
        customers: u64,
    },
    /// A field of a row is invalid.
    #[error("{row}, {field}: {fault}")]
    Row {
        /// The row.
        row: ImportRow,
        /// The field.
        field: &'static str,
        /// The error.
        fault: ImportErrorKind,
    },
}

/// The errors of an import, up to a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportRefusal {
    /// The first [`ImportRefusal::LISTED`].
    pub problems: Vec<ImportError>,
    /// Number of further errors.
    pub unlisted: u64,
}

impl ImportRefusal {
    /// Maximum number of listed errors.
    pub const LISTED: usize = 100;

    pub(super) fn push(&mut self, problem: ImportError) {
        if self.problems.len() < Self::LISTED {
            self.problems.push(problem);
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }

    pub(super) fn row(&mut self, row: ImportRow, field: &'static str, fault: ImportErrorKind) {
        self.push(ImportError::Row { row, field, fault });
    }
}
