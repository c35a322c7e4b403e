use crate::inventory::{LedgerCheck, StockAudit};
use crate::kernel::StoreError;
use crate::kernel::{OrderId, ProductId};
use crate::orders::OrderStatus;
use chrono::{DateTime, Utc};
use std::fmt;

/// Result of a ledger audit, of one snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// Number of audited products.
    pub products: u64,
    /// Number of audited orders.
    pub orders: u64,
    /// Number of audited movements.
    pub movements: u64,
    /// All violations found.
    pub discrepancies: Vec<Discrepancy>,
}

/// A violated invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discrepancy {
    /// Units on hand differ from the sum of the movements, or are negative.
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
    /// The movements of an order contradict its lines and its status: minus the quantity, or 0 when
    /// it was cancelled.
    Movements {
        /// The order.
        order: OrderId,
        /// The product.
        product: ProductId,
        /// Sum of the movements.
        moved: i64,
        /// The expected sum.
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
    /// A row refers to a missing row.
    Orphan {
        /// The table.
        table: &'static str,
        /// The row's id, or that of the order or user that it belongs to.
        row: i64,
        /// The kind of the missing row.
        refers_to: &'static str,
        /// The missing id.
        missing: i64,
    },
    /// The lines of an order belong to another user than the order.
    OtherOwner {
        /// The order.
        order: OrderId,
    },
    /// A row violates a constraint of its table, or the file is damaged.
    Damaged {
        /// The database's message.
        what: String,
    },
    /// The search text of a product does not match its name and description.
    SearchedText {
        /// The product.
        product: ProductId,
    },
    /// The numbers of the event log have a gap.
    EventNumbers {
        /// Number of events.
        events: i64,
        /// The last number.
        last: i64,
    },
    /// An order does not have exactly one event of its placing or import, or such an event has no
    /// order.
    FirstEvents {
        /// The order.
        order: OrderId,
        /// Number of such events.
        events: i64,
        /// Number of orders with this id.
        orders: i64,
    },
    /// The events of an order do not lead from one to the next and to its status, or have another
    /// customer or total.
    EventChain {
        /// The order.
        order: OrderId,
    },
    /// The stored sum of a bucket of sales is not that of the events.
    Sales {
        /// Start of the bucket.
        start: DateTime<Utc>,
        /// The unit of the sum: orders, or minor units.
        unit: &'static str,
        /// As stored.
        kept: i64,
        /// Sum of the events.
        counted: i64,
    },
    /// The stored number of orders of a status is not that of the events.
    OrderCount {
        /// The status.
        status: OrderStatus,
        /// As stored.
        kept: i64,
        /// Counted.
        counted: i64,
    },
    /// The stored number of products in the catalogue is wrong.
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
            Self::EventNumbers { events, last } => write!(
                f,
                "event log: {events} events, but the last one has the number {last}"
            ),
            Self::FirstEvents {
                order,
                events,
                orders,
            } => write!(
                f,
                "order {order}: {events} events of its placing or import, and {orders} orders, instead of one each"
            ),
            Self::EventChain { order } => write!(
                f,
                "order {order}: its events do not lead to its status, or have another customer or total"
            ),
            Self::Sales {
                start,
                unit,
                kept,
                counted,
            } => write!(
                f,
                "sales from {}: {kept} {unit} by the stored sum, but the events add up to {counted}",
                start.format("%Y-%m-%dT%H:%MZ")
            ),
            Self::OrderCount {
                status,
                kept,
                counted,
            } => write!(
                f,
                "orders that are {}: {kept} by the stored count, but the events add up to {counted}",
                status.as_str()
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

/// Ledger audit.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert!(store.ledger.audit()?.discrepancies.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait Ledger: Send + Sync {
    /// Checks the invariants, in one snapshot: for each product on hand is the sum of its movements
    /// and not negative; for each order the total is the sum of its lines and its adjustment, and
    /// its movements of each product are a sale of its quantity, and a return of the same when it
    /// was cancelled; a deleted order is cancelled; no reference points to a missing row; the
    /// search text of each product matches its name and description; the catalogue's count is
    /// right; the numbers of the event log have no gap, each order has one event of its placing or
    /// import, its events lead to its status, and the sums of sales and of orders are those of the
    /// events.
    ///
    /// # Errors
    /// If the store fails.
    fn audit(&self) -> Result<Audit, StoreError>;

    /// Checks the units on hand of the first `limit` products after this one, by id, against the
    /// sums of their movements.
    ///
    /// MUST read each product and its movements in one snapshot, and check every product once if
    /// it is called again with the last one (`stock_is_checked_in_parts`).
    ///
    /// # Errors
    /// If the store fails.
    fn audit_stock(&self, after: Option<ProductId>, limit: u32) -> Result<StockAudit, StoreError>;

    /// Keeps the result of a check, instead of the last one of its kind.
    ///
    /// # Errors
    /// If the store fails.
    fn record_check(&self, check: &LedgerCheck) -> Result<(), StoreError>;

    /// The last results, one for each kind that was recorded, in any order.
    ///
    /// MUST return them as recorded (`the_last_ledger_checks_are_kept`).
    ///
    /// # Errors
    /// If the store fails.
    fn last_checks(&self) -> Result<Vec<LedgerCheck>, StoreError>;
}
