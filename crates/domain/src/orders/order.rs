//! Orders: purchased products at the names and prices of the time, and changes of status. Placing
//! an order is in [`crate::orders`].

use crate::decision::{Decision, Event, EventKind};
use crate::identity::{Account, decide_role};
use crate::inventory::{NewMovement, Reason, StockDelta};
use crate::kernel::{
    Actor, Money, MoneyError, OrderId, Precondition, ProductId, ProductName, Quantity, Refusal,
    UserId,
};
use crate::orders::{OrderRefusal, OrderStatus};
use chrono::{DateTime, Utc};

/// An order line: a snapshot, which no later change of the product alters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderItem {
    /// The product.
    pub product: ProductId,
    /// The product's name at the time.
    pub name: ProductName,
    /// The unit price at the time.
    pub unit_price: Money,
    /// How many units.
    pub quantity: Quantity,
}

impl OrderItem {
    /// The cost of the line.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`], which no price and quantity within their bounds reach.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.unit_price.times(self.quantity)
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The customer.
    pub user: UserId,
    /// The status.
    pub status: OrderStatus,
    /// The amount to be paid: the sum of its lines and the adjustment.
    pub total: Money,
    /// Tax, shipping and discounts of an imported order in one signed amount; zero for an order
    /// that was placed here.
    pub adjustment: Money,
    /// Its lines, in the order of the cart.
    pub lines: Vec<OrderItem>,
    /// Whether it was deleted: cancelled, and visible only to staff.
    pub archived: bool,
    /// Time of placing.
    pub created_at: DateTime<Utc>,
    /// Time of the last change of status.
    pub updated_at: DateTime<Utc>,
}

impl Order {
    /// The sum of its lines, without the adjustment.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits, [`MoneyError::CurrencyMismatch`] for a line in
    /// another currency than the total.
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        let zero = Money::zero(self.total.currency());
        let mut lines = self.lines.iter();
        lines.try_fold(zero, |sum, line| sum.plus(line.total()?))
    }
}

/// A change of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderAction {
    /// Change the status.
    SetStatus(OrderStatus),
    /// Cancel and hide the order.
    Delete,
}

/// Command: change an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOrder {
    /// The order.
    pub order: OrderId,
    /// The change.
    pub action: OrderAction,
    /// Precondition on the order, if any (If-Match, RFC 9110).
    pub seen: Option<Precondition<Order>>,
    /// The acting user. Their rights are decided by their account, not by the role given here.
    pub by: Actor,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// Decides a change of an order. `acting` is the account of the acting user under the command's
/// lock: the role cached in their session may be out of date. The table in the tests covers every
/// status, action and actor.
///
/// # Errors
/// [`Refusal::Unauthenticated`]; as [`decide_role`]; [`Refusal::NotFound`] for a deleted order or
/// one of another customer; [`Refusal::Forbidden`] for an owner and a change other than cancelling;
/// [`Refusal::PreconditionFailed`]; [`OrderRefusal::InvalidTransition`] and [`OrderRefusal::NotPending`].
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::orders::{ChangeOrder, OrderAction, decide_order};
///
/// let command = ChangeOrder {
///     order: OrderId::parse("5").ok_or("id")?,
///     action: OrderAction::SetStatus(OrderStatus::Cancelled),
///     seen: None,
///     by: Actor::Customer(user(1)),
///     at: at(0),
/// };
/// let ada = account(1, true, false);
/// assert_eq!(decide_order(&command, Some(&ada), None), Err(Refusal::NotFound));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decide_order(
    command: &ChangeOrder,
    acting: Option<&Account>,
    order: Option<&Order>,
) -> Result<Decision<Order>, Refusal> {
    let user = command.by.customer()?;
    let staff = decide_role(acting)?.is_staff();
    let order = order
        .filter(|order| !order.archived && (staff || order.user == user))
        .ok_or(Refusal::NotFound)?;
    let from = order.status;
    if let OrderAction::SetStatus(to) = command.action
        && !(staff || to == from || to == OrderStatus::Cancelled)
    {
        return Err(Refusal::Forbidden);
    }
    Precondition::check(command.seen.as_ref(), order)?;
    match command.action {
        OrderAction::SetStatus(to) if to == from => Ok(Decision::of(order.clone())),
        OrderAction::SetStatus(to) => {
            let allowed = choices(from, staff);
            if allowed.contains(&to) {
                Ok(moved(order, to, false, user, command.at))
            } else {
                Err(Refusal::Orders(OrderRefusal::InvalidTransition {
                    from,
                    to,
                    allowed,
                }))
            }
        }
        OrderAction::Delete if from == OrderStatus::Pending => {
            Ok(moved(order, OrderStatus::Cancelled, true, user, command.at))
        }
        OrderAction::Delete => Err(Refusal::Orders(OrderRefusal::NotPending { status: from })),
    }
}

/// The transitions open to this actor: every one for staff, cancelling a pending order for its
/// owner.
fn choices(from: OrderStatus, staff: bool) -> Vec<OrderStatus> {
    let owner_may =
        |to: &OrderStatus| from == OrderStatus::Pending && *to == OrderStatus::Cancelled;
    from.next()
        .iter()
        .copied()
        .filter(|to| staff || owner_may(to))
        .collect()
}

fn moved(
    order: &Order,
    to: OrderStatus,
    archived: bool,
    actor: UserId,
    at: DateTime<Utc>,
) -> Decision<Order> {
    let kind = EventKind::OrderStatus {
        order: order.id,
        user: order.user,
        from: order.status,
        to,
        total: order.total,
    };
    let order = Order {
        status: to,
        archived,
        updated_at: at,
        ..order.clone()
    };
    let mut decision = Decision::of(order.clone());
    if to == OrderStatus::Cancelled {
        let units = |line: &OrderItem| (line.product, line.quantity.units());
        let units = order.lines.iter().map(units);
        decision.movements = movements(order.id, units, Reason::Return, actor, at);
    }
    decision.changes.orders.push(order);
    decision.events.push(Event {
        kind,
        actor: Some(actor),
        at,
    });
    decision
}

/// The ledger entries of an order, one for each product: imported orders may have several lines of
/// one product.
pub(crate) fn movements(
    order: OrderId,
    units: impl Iterator<Item = (ProductId, i64)>,
    reason: Reason,
    actor: UserId,
    at: DateTime<Utc>,
) -> Vec<NewMovement> {
    let mut sums = Vec::<(ProductId, i64)>::new();
    for (product, units) in units {
        match sums.iter_mut().find(|(other, _)| *other == product) {
            Some((_, sum)) => *sum = sum.saturating_add(units),
            None => sums.push((product, units)),
        }
    }
    let entry = |(product, units)| {
        Some(NewMovement {
            product,
            order: Some(order),
            delta: StockDelta::new(units)?,
            reason,
            note: None,
            actor: Some(actor),
            at,
        })
    };
    sums.into_iter().filter_map(entry).collect()
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
