//! Stock: units on hand, and the ledger of their movements.
//!
//! The level of a product is the sum of its movements, and never negative. Every rule that changes
//! a level returns the movement that explains it, and adapters write both in one transaction.

use crate::catalog::Product;
use crate::decision::{Decision, Event, EventKind, Outcome, StoredRows};
use crate::identity::{Account, decide_staff};
use crate::inventory::{InventoryRefusal, Shortage};
use crate::kernel::{FieldError, Idempotent, Note, OrderId, ProductId, Refusal, UserId};
use chrono::{DateTime, Utc};
use std::fmt;

/// Units on hand: zero or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StockLevel(i64);

impl StockLevel {
    /// Zero units.
    pub const ZERO: Self = Self(0);
    /// Maximum level that a command may set or deliver. Returns of cancelled orders may exceed it,
    /// as their units exist.
    pub const MAX: i64 = 2_147_483_647;

    /// A stored level; `None` below zero.
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units >= 0 { Some(Self(units)) } else { None }
    }

    /// A requested level.
    ///
    /// # Errors
    /// [`FieldError::OutOfRange`] below 0 and above [`StockLevel::MAX`].
    pub fn requested(units: i64) -> Result<Self, FieldError> {
        if (0..=Self::MAX).contains(&units) {
            Ok(Self(units))
        } else {
            Err(FieldError::OutOfRange {
                min: 0,
                max: Self::MAX,
            })
        }
    }

    /// A level that is known when the program is compiled.
    pub(crate) const fn of(units: u32) -> Self {
        // Lossless; `From` is not const.
        #[expect(clippy::as_conversions, reason = "32 bits fit in 64")]
        let units = units as i64;
        Self(units)
    }

    /// The level after a change; `None` below zero and beyond 64 bits.
    #[must_use]
    pub fn after(self, delta: StockDelta) -> Option<Self> {
        self.0.checked_add(delta.0).and_then(Self::new)
    }

    /// The change from this level to another one; `None` if they are equal.
    #[must_use]
    pub fn delta_to(self, other: Self) -> Option<StockDelta> {
        // Both are at least zero, so the difference fits in 64 bits.
        StockDelta::new(other.0 - self.0)
    }

    /// Units.
    #[must_use]
    pub fn units(self) -> i64 {
        self.0
    }
}

impl fmt::Display for StockLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A change of stock in units, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockDelta(i64);

impl StockDelta {
    /// A stored change; `None` for zero.
    #[must_use]
    pub const fn new(units: i64) -> Option<Self> {
        if units == 0 { None } else { Some(Self(units)) }
    }

    /// A requested change.
    ///
    /// # Errors
    /// [`FieldError::OutOfRange`] for zero and beyond plus or minus [`StockLevel::MAX`].
    pub fn requested(units: i64) -> Result<Self, FieldError> {
        let range = -StockLevel::MAX..=StockLevel::MAX;
        Self::new(units)
            .filter(|delta| range.contains(&delta.0))
            .ok_or(FieldError::OutOfRange {
                min: -StockLevel::MAX,
                max: StockLevel::MAX,
            })
    }

    /// Units; negative for outgoing stock.
    #[must_use]
    pub fn units(self) -> i64 {
        self.0
    }
}

/// Reason of a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Initial stock of a created product.
    Opening,
    /// Staff received or wrote off units: a relative change.
    Adjustment,
    /// Staff set the level to an absolute number.
    Set,
    /// Taken by an order.
    Sale,
    /// Returned by a cancelled order.
    Return,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::Opening,
        Self::Adjustment,
        Self::Set,
        Self::Sale,
        Self::Return,
    ];

    /// The stored and displayed word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Adjustment => "adjustment",
            Self::Set => "set",
            Self::Sale => "sale",
            Self::Return => "return",
        }
    }

    /// The reason with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Whether the level of stock may be set to a number without a precondition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StockWrites {
    /// Allowed: existing clients send no preconditions.
    #[default]
    Lenient,
    /// Not allowed: setting a level that was read before a sale would add the sold units again.
    Strict,
}

/// Decides whether a level of stock may be set, given whether the client sent a precondition on the
/// product.
///
/// # Errors
/// [`InventoryRefusal::PreconditionRequired`].
pub fn decide_stock_write(
    writes: StockWrites,
    sets_stock: bool,
    has_precondition: bool,
) -> Result<(), Refusal> {
    if writes == StockWrites::Strict && sets_stock && !has_precondition {
        Err(Refusal::Inventory(InventoryRefusal::PreconditionRequired))
    } else {
        Ok(())
    }
}

/// A ledger entry to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMovement {
    /// The product.
    pub product: ProductId,
    /// The order, if an order caused it.
    pub order: Option<OrderId>,
    /// The change in units.
    pub delta: StockDelta,
    /// The reason.
    pub reason: Reason,
    /// Free-text reason of an adjustment.
    pub note: Option<Note>,
    /// The acting user; `None` for the shop itself (the demo catalogue).
    pub actor: Option<UserId>,
    /// Time of the movement, in whole microseconds.
    pub at: DateTime<Utc>,
}

/// A stored ledger entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its id, ascending in the order of writing.
    pub id: crate::kernel::MovementId,
    /// The entry.
    pub entry: NewMovement,
}

/// Command: change the stock of a product by a relative amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdjustStock {
    /// The product.
    pub product: ProductId,
    /// The change in units.
    pub delta: StockDelta,
    /// Free-text reason.
    pub note: Option<Note>,
    /// Idempotency key of the request; `None` for the shop itself.
    pub key: Option<Idempotent<Adjusted>>,
    /// The acting user; `None` for the shop itself.
    pub by: Option<UserId>,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Outcome of an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// The written movement.
    pub movement: Movement,
    /// Units on hand afterwards.
    pub level: StockLevel,
}

/// Outcome of an adjustment, whose movement has no id yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjustment {
    /// Units on hand afterwards.
    pub level: StockLevel,
}

impl Outcome for Adjustment {
    type Stored = Adjusted;

    fn stored(self, new: &mut StoredRows<'_>) -> Option<Adjusted> {
        Some(Adjusted {
            movement: new.movement()?,
            level: self.level,
        })
    }
}

/// Decides the level of stock after a relative change.
///
/// # Errors
/// [`InventoryRefusal::InsufficientStock`] below zero, [`Refusal::Invalid`] if it would rise above
/// [`StockLevel::MAX`].
pub fn decide_level(
    product: ProductId,
    stock: StockLevel,
    delta: StockDelta,
) -> Result<StockLevel, Refusal> {
    let Some(level) = stock.after(delta) else {
        return Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(
            vec![Shortage {
                product,
                available: stock,
                requested: delta.units().saturating_neg(),
            }],
        )));
    };
    if delta.units() > 0 && level.units() > StockLevel::MAX {
        let max = StockLevel::MAX;
        return Err(Refusal::field("delta", FieldError::StockTooLarge { max }));
    }
    Ok(level)
}

/// Decides a change of stock. `acting` is the account of the acting user under the command's lock.
///
/// # Errors
/// As [`decide_staff`]; [`Refusal::NotFound`] without a product in the catalogue; as [`decide_level`].
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::inventory::{AdjustStock, decide_adjustment};
///
/// let command = AdjustStock {
///     product: product_id(1),
///     delta: StockDelta::requested(-2)?,
///     note: None,
///     key: None,
///     by: None,
///     at: at(0),
/// };
/// let decision = decide_adjustment(&command, None, Some(&product(1, 1_250, 7)))?;
/// assert_eq!(decision.outcome.level, level(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide_adjustment(
    command: &AdjustStock,
    acting: Option<&Account>,
    product: Option<&Product>,
) -> Result<Decision<Adjustment>, Refusal> {
    decide_staff(command.by, acting)?;
    let product = product
        .filter(|product| !product.archived)
        .ok_or(Refusal::NotFound)?;
    let level = decide_level(product.id, product.stock, command.delta)?;
    let mut decision = Decision::of(Adjustment { level });
    decision.movements.push(NewMovement {
        product: product.id,
        order: None,
        delta: command.delta,
        reason: Reason::Adjustment,
        note: command.note.clone(),
        actor: command.by,
        at: command.at,
    });
    decision.events.push(Event {
        kind: EventKind::StockAdjusted {
            product: product.id,
            delta: command.delta,
            reason: Reason::Adjustment,
        },
        actor: command.by,
        at: command.at,
    });
    Ok(decision)
}

#[cfg(test)]
#[path = "stock_tests.rs"]
mod tests;
