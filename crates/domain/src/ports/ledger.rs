use super::StoreError;
use crate::{OrderId, ProductId};
use std::fmt;

/// The proof of the books, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Products looked at.
    pub products: u64,
    /// Orders looked at.
    pub orders: u64,
    /// Movements looked at.
    pub movements: u64,
    /// All that is wrong.
    pub discrepancies: Vec<Discrepancy>,
}

/// Something in the books that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discrepancy {
    /// What is on hand is not the sum of the movements, or is negative.
    Stock {
        /// The product.
        product: ProductId,
        /// Units on hand, as stored.
        on_hand: i64,
        /// Sum of the movements.
        ledger: i64,
    },
    /// The total is not the sum of the lines and the adjustment.
    Total {
        /// The order.
        order: OrderId,
        /// Minor units, as stored.
        total: i64,
        /// Sum of price times quantity and of the adjustment, in minor units.
        parts: i64,
    },
    /// The movements of an order are not what its lines and its status say: minus the quantity, or
    /// 0 when it was cancelled.
    Movements {
        /// The order.
        order: OrderId,
        /// The product.
        product: ProductId,
        /// Sum of the movements.
        moved: i64,
        /// What the sum should be.
        expected: i64,
    },
    /// The order has no lines.
    NoLines {
        /// The order.
        order: OrderId,
    },
    /// The order is deleted without being cancelled.
    DeletedNotCancelled {
        /// The order.
        order: OrderId,
    },
    /// A row refers to a row that is not there.
    Orphan {
        /// The table.
        table: &'static str,
        /// The row's id, or that of the order or user that it belongs to.
        row: i64,
        /// What it refers to.
        refers_to: &'static str,
        /// The id that is not there.
        missing: i64,
    },
    /// The lines of an order belong to another user than the order.
    OtherOwner {
        /// The order.
        order: OrderId,
    },
    /// A row breaks a rule of its table, or the file is damaged.
    Damaged {
        /// What the database says.
        what: String,
    },
    /// What is searched of a product is not what it says.
    SearchedText {
        /// The product.
        product: ProductId,
    },
    /// The kept number of products in the catalogue is not their number.
    CatalogueCount {
        /// As stored.
        kept: i64,
        /// Counted.
        counted: i64,
    },
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stock {
                product,
                on_hand,
                ledger,
            } => write!(
                f,
                "product {product}: {on_hand} on hand, but its movements add up to {ledger}"
            ),
            Self::Total {
                order,
                total,
                parts,
            } => write!(
                f,
                "order {order}: its total is {total} minor units, but its lines and its adjustment add up to {parts}"
            ),
            Self::Movements {
                order,
                product,
                moved,
                expected,
            } => write!(
                f,
                "order {order}: it moved product {product} by {moved}, but should have by {expected}"
            ),
            Self::NoLines { order } => write!(f, "order {order}: it has no lines"),
            Self::DeletedNotCancelled { order } => {
                write!(f, "order {order}: it is deleted, but not cancelled")
            }
            Self::Orphan {
                table,
                row,
                refers_to,
                missing,
            } => write!(
                f,
                "{table}: row {row} refers to {refers_to} {missing}, which is not there"
            ),
            Self::OtherOwner { order } => {
                write!(f, "order {order}: its lines belong to another user")
            }
            Self::SearchedText { product } => write!(
                f,
                "product {product}: what is searched of it is not what it says"
            ),
            Self::Damaged { what } => write!(f, "the database says: {what}"),
            Self::CatalogueCount { kept, counted } => {
                write!(
                    f,
                    "catalogue: {kept} products by its count, but there are {counted}"
                )
            }
        }
    }
}

/// The books, for whoever audits them.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Ledger: Send + Sync {
    /// Proves, in one snapshot: for each product on hand is the sum of its movements and not
    /// negative; for each order the total is the sum of its lines and its adjustment, and its movements of each
    /// product are a sale of its quantity, and a return of the same when it was cancelled; a deleted
    /// order is cancelled; nothing refers to what is not there; what is
    /// searched of each product is what it says; the catalogue's count is right.
    ///
    /// # Errors
    /// If the store fails.
    fn audit(&self) -> Result<Audit, StoreError>;
}
