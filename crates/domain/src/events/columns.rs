//! Columns of an event: the flat form in which a store keeps it.

use crate::catalog::Measure;
use crate::decision::{AccountAttribute, EventKind, EventName, ProductAttribute};
use crate::inventory::{Reason, StockDelta, StockLevel};
use crate::kernel::{Currency, Money, OrderId, ProductId, UserId};
use crate::orders::OrderStatus;
use std::fmt;

/// The word for the shop's threshold of low stock, where a product has none of its own.
const SHOP: &str = "shop";

/// The columns of an event, besides its actor and its time. They hold no personal data.
///
/// ```
/// # use tradepost_domain::testing::*;
/// use tradepost_domain::decision::EventKind;
/// use tradepost_domain::events::EventColumns;
///
/// let low = EventKind::StockLow { product: product_id(7), level: level(3) };
/// let columns = EventColumns::from(&low);
/// assert_eq!((columns.name.as_str(), columns.amount), ("stock.low", Some(3)));
/// assert_eq!(columns.kind(usd()), Some(low));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventColumns {
    /// The name of the kind.
    pub name: EventName,
    /// The order.
    pub order: Option<OrderId>,
    /// The product.
    pub product: Option<ProductId>,
    /// The customer of the order, or the user of the account.
    pub user: Option<UserId>,
    /// A few words, such as `pending>shipped`; empty for most kinds.
    pub detail: String,
    /// Minor units of an order's total, a change of stock in units, or a level of stock.
    pub amount: Option<i64>,
}

impl From<&EventKind> for EventColumns {
    fn from(kind: &EventKind) -> Self {
        let (detail, amount) = match kind {
            EventKind::OrderPlaced { total, .. } => (String::new(), Some(total.minor())),
            EventKind::OrderImported { status, total, .. } => {
                (status.as_str().to_owned(), Some(total.minor()))
            }
            EventKind::OrderStatus {
                from, to, total, ..
            } => {
                let words = format!("{}>{}", from.as_str(), to.as_str());
                (words, Some(total.minor()))
            }
            EventKind::ProductChanged { attributes, .. } => {
                let words: Vec<_> = attributes.iter().map(ToString::to_string).collect();
                (words.join(","), None)
            }
            EventKind::StockAdjusted { delta, reason, .. } => {
                (reason.as_str().to_owned(), Some(delta.units()))
            }
            EventKind::StockOut { .. } => (String::new(), Some(0)),
            EventKind::StockLow { level, .. } | EventKind::StockBack { level, .. } => {
                (String::new(), Some(level.units()))
            }
            EventKind::AccountChanged { attribute, .. } => (attribute.as_str().to_owned(), None),
            EventKind::AccountSwitched {
                is_active,
                is_staff,
                ..
            } => {
                let active = if *is_active { "active" } else { "inactive" };
                let role = if *is_staff { "staff" } else { "customer" };
                (format!("{active} {role}"), None)
            }
            EventKind::ProductCreated { .. }
            | EventKind::ProductArchived { .. }
            | EventKind::ProductRestored { .. }
            | EventKind::AccountRegistered { .. }
            | EventKind::KeyRotated => (String::new(), None),
        };
        Self {
            name: kind.name(),
            order: kind.order(),
            product: kind.product(),
            user: kind.user(),
            detail,
            amount,
        }
    }
}

impl EventColumns {
    /// The event of these columns; `None` if they contradict each other.
    #[must_use]
    pub fn kind(&self, currency: Currency) -> Option<EventKind> {
        let (detail, amount) = (self.detail.as_str(), self.amount);
        let total = || amount.map(|minor| Money::from_minor(minor, currency));
        let level = || amount.and_then(StockLevel::new);
        Some(match self.name {
            EventName::OrderPlaced => EventKind::OrderPlaced {
                order: self.order?,
                user: self.user?,
                total: total()?,
            },
            EventName::OrderImported => EventKind::OrderImported {
                order: self.order?,
                user: self.user?,
                status: OrderStatus::parse(detail)?,
                total: total()?,
            },
            EventName::OrderStatus => {
                let (from, to) = detail.split_once('>')?;
                EventKind::OrderStatus {
                    order: self.order?,
                    user: self.user?,
                    from: OrderStatus::parse(from)?,
                    to: OrderStatus::parse(to)?,
                    total: total()?,
                }
            }
            EventName::AccountRegistered => EventKind::AccountRegistered { user: self.user? },
            EventName::AccountChanged => EventKind::AccountChanged {
                user: self.user?,
                attribute: AccountAttribute::parse(detail)?,
            },
            EventName::AccountSwitched => {
                let (active, role) = detail.split_once(' ')?;
                EventKind::AccountSwitched {
                    user: self.user?,
                    is_active: active == "active",
                    is_staff: role == "staff",
                }
            }
            EventName::KeyRotated => EventKind::KeyRotated,
            EventName::ProductCreated => EventKind::ProductCreated {
                product: self.product?,
            },
            EventName::ProductArchived => EventKind::ProductArchived {
                product: self.product?,
            },
            EventName::ProductRestored => EventKind::ProductRestored {
                product: self.product?,
            },
            EventName::ProductChanged => {
                let words = detail.split(',');
                EventKind::ProductChanged {
                    product: self.product?,
                    attributes: words
                        .map(|word| attribute(word, currency))
                        .collect::<Option<_>>()?,
                }
            }
            EventName::StockAdjusted => EventKind::StockAdjusted {
                product: self.product?,
                delta: amount.and_then(StockDelta::new)?,
                reason: Reason::parse(detail)?,
            },
            EventName::StockOut => EventKind::StockOut {
                product: self.product?,
            },
            EventName::StockLow => EventKind::StockLow {
                product: self.product?,
                level: level()?,
            },
            EventName::StockBack => EventKind::StockBack {
                product: self.product?,
                level: level()?,
            },
        })
    }
}

impl ProductAttribute {
    /// The name of the attribute.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::Name => "name",
            Self::Description => "description",
            Self::Price { .. } => "price",
            Self::Measure { measure, .. } => measure.word(),
            Self::LowStock { .. } => "low_stock",
        }
    }
}

impl fmt::Display for ProductAttribute {
    /// The stored word: the name, and the values if they are kept, such as `price 1250>1300`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Sku | Self::Name | Self::Description => f.write_str(name),
            Self::Price { from, to } => write!(f, "{name} {}>{}", from.minor(), to.minor()),
            Self::Measure { from, to, .. } => write!(f, "{name} {from}>{to}"),
            Self::LowStock { from, to } => {
                let units = |level: &Option<StockLevel>| {
                    level.map_or_else(|| SHOP.to_owned(), |level| level.to_string())
                };
                write!(f, "{name} {}>{}", units(from), units(to))
            }
        }
    }
}

fn attribute(word: &str, currency: Currency) -> Option<ProductAttribute> {
    let (name, values) = word.split_once(' ').unwrap_or((word, ""));
    let pair = values.split_once('>');
    let values = || {
        let (from, to) = pair?;
        Some((from.parse::<i64>().ok()?, to.parse::<i64>().ok()?))
    };
    Some(match name {
        "sku" => ProductAttribute::Sku,
        "name" => ProductAttribute::Name,
        "description" => ProductAttribute::Description,
        "price" => {
            let (from, to) = values()?;
            ProductAttribute::Price {
                from: Money::from_minor(from, currency),
                to: Money::from_minor(to, currency),
            }
        }
        "low_stock" => {
            let (from, to) = pair?;
            ProductAttribute::LowStock {
                from: threshold(from)?,
                to: threshold(to)?,
            }
        }
        word => {
            let (measure, (from, to)) = (Measure::of_word(word)?, values()?);
            ProductAttribute::Measure {
                measure,
                from: measure.check(from).ok()?,
                to: measure.check(to).ok()?,
            }
        }
    })
}

/// A threshold of low stock; `Some(None)` for that of the shop.
fn threshold(word: &str) -> Option<Option<StockLevel>> {
    if word == SHOP {
        return Some(None);
    }
    Some(Some(StockLevel::new(word.parse().ok()?)?))
}

impl AccountAttribute {
    /// The stored and displayed word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Password => "password",
            Self::Sessions => "sessions",
        }
    }

    /// The attribute with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Email, Self::Password, Self::Sessions];
        all.into_iter().find(|one| one.as_str() == word)
    }
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
