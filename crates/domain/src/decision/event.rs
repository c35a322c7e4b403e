//! Events: the facts that a decision adds to the history of the shop.
//!
//! They hold ids, words and numbers, and no personal data. A refusal and a command that changes
//! nothing have none; a sale is told by its order.

use crate::catalog::Measure;
use crate::inventory::{Reason, StockDelta, StockLevel};
use crate::kernel::{Money, OrderId, ProductId, UserId};
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
        /// The amount to be paid.
        total: Money,
    },
    /// `order.imported`: the first event of an order that was not placed here. Its time is that of
    /// placing the order.
    OrderImported {
        /// The order.
        order: OrderId,
        /// The customer.
        user: UserId,
        /// The status that the order came with.
        status: OrderStatus,
        /// The amount to be paid.
        total: Money,
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
        /// The amount to be paid.
        total: Money,
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
        /// [`Reason::Adjustment`] or [`Reason::Set`].
        reason: Reason,
    },
    /// `stock.out`: the level of stock reached zero.
    StockOut {
        /// The product.
        product: ProductId,
    },
    /// `stock.low`: the level of stock fell to the threshold or below, and is above zero.
    StockLow {
        /// The product.
        product: ProductId,
        /// The level afterwards.
        level: StockLevel,
    },
    /// `stock.back`: the level of stock rose from zero.
    StockBack {
        /// The product.
        product: ProductId,
        /// The level afterwards.
        level: StockLevel,
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
    /// `key.rotated`: tokens are signed by a new key.
    KeyRotated,
}

/// A changed attribute of a product, besides its stock; with its values if they are short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductAttribute {
    /// Stock keeping unit.
    Sku,
    /// Name.
    Name,
    /// Description.
    Description,
    /// Unit price.
    Price {
        /// The price before.
        from: Money,
        /// The price afterwards.
        to: Money,
    },
    /// A measure.
    Measure {
        /// The measure.
        measure: Measure,
        /// The value before.
        from: i64,
        /// The value afterwards.
        to: i64,
    },
    /// Threshold of low stock.
    LowStock {
        /// The threshold before; `None` for that of the shop.
        from: Option<StockLevel>,
        /// The threshold afterwards; `None` for that of the shop.
        to: Option<StockLevel>,
    },
}

/// Attribute of an account that its owner changes, or staff for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountAttribute {
    /// E-mail address.
    Email,
    /// Password.
    Password,
    /// Sessions: all of them ended.
    Sessions,
}

/// The stable name of a kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// `order.placed`.
    OrderPlaced,
    /// `order.imported`.
    OrderImported,
    /// `order.status`.
    OrderStatus,
    /// `product.created`.
    ProductCreated,
    /// `product.changed`.
    ProductChanged,
    /// `product.archived`.
    ProductArchived,
    /// `product.restored`.
    ProductRestored,
    /// `stock.adjusted`.
    StockAdjusted,
    /// `stock.out`.
    StockOut,
    /// `stock.low`.
    StockLow,
    /// `stock.back`.
    StockBack,
    /// `account.registered`.
    AccountRegistered,
    /// `account.changed`.
    AccountChanged,
    /// `account.switched`.
    AccountSwitched,
    /// `key.rotated`.
    KeyRotated,
}

impl EventName {
    /// Every name.
    pub const ALL: [Self; 15] = [
        Self::OrderPlaced,
        Self::OrderImported,
        Self::OrderStatus,
        Self::ProductCreated,
        Self::ProductChanged,
        Self::ProductArchived,
        Self::ProductRestored,
        Self::StockAdjusted,
        Self::StockOut,
        Self::StockLow,
        Self::StockBack,
        Self::AccountRegistered,
        Self::AccountChanged,
        Self::AccountSwitched,
        Self::KeyRotated,
    ];

    /// The stored and displayed name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order.placed",
            Self::OrderImported => "order.imported",
            Self::OrderStatus => "order.status",
            Self::ProductCreated => "product.created",
            Self::ProductChanged => "product.changed",
            Self::ProductArchived => "product.archived",
            Self::ProductRestored => "product.restored",
            Self::StockAdjusted => "stock.adjusted",
            Self::StockOut => "stock.out",
            Self::StockLow => "stock.low",
            Self::StockBack => "stock.back",
            Self::AccountRegistered => "account.registered",
            Self::AccountChanged => "account.changed",
            Self::AccountSwitched => "account.switched",
            Self::KeyRotated => "key.rotated",
        }
    }

    /// The name with this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }

    /// The names that a pattern selects: a name, or a subject and `.*`, such as `order.*`. Empty
    /// for an unknown pattern.
    #[must_use]
    pub fn matching(pattern: &str) -> Vec<Self> {
        let subject = pattern.strip_suffix('*').filter(|text| text.ends_with('.'));
        let selects = |name: &Self| match subject {
            Some(subject) => name.as_str().starts_with(subject),
            None => name.as_str() == pattern,
        };
        Self::ALL.into_iter().filter(selects).collect()
    }
}

impl EventKind {
    /// The stable name.
    #[must_use]
    pub fn name(&self) -> EventName {
        match self {
            Self::OrderPlaced { .. } => EventName::OrderPlaced,
            Self::OrderImported { .. } => EventName::OrderImported,
            Self::OrderStatus { .. } => EventName::OrderStatus,
            Self::ProductCreated { .. } => EventName::ProductCreated,
            Self::ProductChanged { .. } => EventName::ProductChanged,
            Self::ProductArchived { .. } => EventName::ProductArchived,
            Self::ProductRestored { .. } => EventName::ProductRestored,
            Self::StockAdjusted { .. } => EventName::StockAdjusted,
            Self::StockOut { .. } => EventName::StockOut,
            Self::StockLow { .. } => EventName::StockLow,
            Self::StockBack { .. } => EventName::StockBack,
            Self::AccountRegistered { .. } => EventName::AccountRegistered,
            Self::AccountChanged { .. } => EventName::AccountChanged,
            Self::AccountSwitched { .. } => EventName::AccountSwitched,
            Self::KeyRotated => EventName::KeyRotated,
        }
    }

    /// The order that the event is about.
    #[must_use]
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::OrderPlaced { order, .. }
            | Self::OrderImported { order, .. }
            | Self::OrderStatus { order, .. } => Some(*order),
            _ => None,
        }
    }

    /// The product that the event is about.
    #[must_use]
    pub fn product(&self) -> Option<ProductId> {
        match self {
            Self::ProductCreated { product }
            | Self::ProductChanged { product, .. }
            | Self::ProductArchived { product }
            | Self::ProductRestored { product }
            | Self::StockAdjusted { product, .. }
            | Self::StockOut { product }
            | Self::StockLow { product, .. }
            | Self::StockBack { product, .. } => Some(*product),
            _ => None,
        }
    }

    /// The user that the event is about: the customer of an order, or the user of an account.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::OrderPlaced { user, .. }
            | Self::OrderImported { user, .. }
            | Self::OrderStatus { user, .. }
            | Self::AccountRegistered { user }
            | Self::AccountChanged { user, .. }
            | Self::AccountSwitched { user, .. } => Some(*user),
            _ => None,
        }
    }
}
