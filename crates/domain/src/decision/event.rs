//! Events: the facts that a decision adds to the history of the shop.
//!
//! They hold ids, words and numbers, and no personal data. A refusal and a command that changes
//! nothing have none; a sale is told by its order.

use crate::inventory::StockDelta;
use crate::kernel::{OrderId, ProductId, UserId};
use crate::orders::OrderStatus;
use chrono::{DateTime, Utc};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's subject and details.
    pub kind: EventKind,
    /// The acting user; `None` for the shop itself.
    pub actor: Option<UserId>,
    /// Time of the event.
    pub at: DateTime<Utc>,
}

/// The kinds of events, each with the ids of its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// `order.placed`.
    OrderPlaced {
        /// The order.
        order: OrderId,
        /// The customer.
        user: UserId,
    },
    /// `order.imported`.
    OrderImported {
        /// The order.
        order: OrderId,
        /// The customer.
        user: UserId,
    },
    /// `order.status`: the status changed, or the order was cancelled by deleting it.
    OrderStatus {
        /// The order.
        order: OrderId,
        /// The customer.
        user: UserId,
        /// The status before.
        from: OrderStatus,
        /// The status afterwards.
        to: OrderStatus,
    },
    /// `product.created`.
    ProductCreated {
        /// The product.
        product: ProductId,
    },
    /// `product.changed`.
    ProductChanged {
        /// The product.
        product: ProductId,
        /// The changed attributes, at least one.
        attributes: Vec<ProductAttribute>,
    },
    /// `product.archived`.
    ProductArchived {
        /// The product.
        product: ProductId,
    },
    /// `product.restored`.
    ProductRestored {
        /// The product.
        product: ProductId,
    },
    /// `stock.adjusted`: staff changed the level of stock, by an amount or to a number.
    StockAdjusted {
        /// The product.
        product: ProductId,
        /// The change in units.
        delta: StockDelta,
    },
    /// `account.registered`.
    AccountRegistered {
        /// The user.
        user: UserId,
    },
    /// `account.changed`.
    AccountChanged {
        /// The user.
        user: UserId,
        /// The changed attribute.
        attribute: AccountAttribute,
    },
    /// `account.switched`: activated, deactivated, or given another role.
    AccountSwitched {
        /// The user.
        user: UserId,
        /// Whether the user may sign in.
        is_active: bool,
        /// Whether the user is staff.
        is_staff: bool,
    },
}

/// Attribute of a product, besides its stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductAttribute {
    /// Stock keeping unit.
    Sku,
    /// Name.
    Name,
    /// Description.
    Description,
    /// Unit price.
    Price,
    /// Shipping weight.
    Weight,
}

/// Attribute of an account that its owner changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountAttribute {
    /// E-mail address.
    Email,
    /// Password.
    Password,
}

impl EventKind {
    /// The stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OrderPlaced { .. } => "order.placed",
            Self::OrderImported { .. } => "order.imported",
            Self::OrderStatus { .. } => "order.status",
            Self::ProductCreated { .. } => "product.created",
            Self::ProductChanged { .. } => "product.changed",
            Self::ProductArchived { .. } => "product.archived",
            Self::ProductRestored { .. } => "product.restored",
            Self::StockAdjusted { .. } => "stock.adjusted",
            Self::AccountRegistered { .. } => "account.registered",
            Self::AccountChanged { .. } => "account.changed",
            Self::AccountSwitched { .. } => "account.switched",
        }
    }
}
