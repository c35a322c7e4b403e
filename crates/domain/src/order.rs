//! Orders: what was bought, at the names and prices of the moment, and what may still be done
//! about it. How orders come about is in [`crate::placing`].

use crate::{
    Account, Actor, Money, MoneyError, NewMovement, OrderId, OrderStatus, ProductId, ProductName,
    Quantity, Reason, Refusal, Seen, StockDelta, UserId, decide_role,
};
use chrono::{DateTime, Utc};

/// A line of an order: a snapshot, which no later change of the product touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub product: ProductId,
    /// Its name at the time.
    pub name: ProductName,
    /// What one unit cost at the time.
    pub unit_price: Money,
    /// How many units.
    pub quantity: Quantity,
}

impl OrderLine {
    /// What the line costs.
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
    /// Who ordered.
    pub user: UserId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// The amount to be paid: the sum of its lines and the adjustment.
    pub total: Money,
    /// Tax, shipping and discounts of an imported order in one signed amount; zero for an order
    /// that was placed here.
    pub adjustment: Money,
    /// Its lines, in the order of the cart.
    pub lines: Vec<OrderLine>,
    /// Whether it was deleted: cancelled, and out of sight but for staff.
    pub archived: bool,
    /// When it was placed.
    pub created_at: DateTime<Utc>,
    /// When its status last changed.
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

/// What to do with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderAction {
    /// Take it to a status.
    SetStatus(OrderStatus),
    /// Cancel it and put it out of sight.
    Delete,
}

/// Command: do something with an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOrder {
    /// The order.
    pub order: OrderId,
    /// What to do with it.
    pub action: OrderAction,
    /// What the client saw of it, if that has to be what is there.
    pub seen: Option<Seen<Order>>,
    /// Who wants it. What they may do is decided by their account, not by the role in here.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is to be written; nothing if the order is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDecision {
    /// The order afterwards.
    pub order: Order,
    /// Stock that comes back.
    pub returns: Vec<NewMovement>,
}

/// Decides what becomes of an order. `acting` is the account of the acting user under the
/// command's lock: the role that their session remembers may be out of date. The table in the
/// tests walks every status, action and actor.
///
/// # Errors
/// [`Refusal::Unauthenticated`]; as [`decide_role`]; [`Refusal::NotFound`] for an order that is deleted or another
/// customer's; [`Refusal::Forbidden`] for an owner who wants more than to cancel;
/// [`Refusal::Edited`]; [`Refusal::InvalidTransition`] and [`Refusal::OrderNotPending`].
pub fn decide_order(
    command: &ChangeOrder,
    acting: Option<&Account>,
    order: Option<&Order>,
) -> Result<OrderDecision, Refusal> {
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
    Seen::check(command.seen.as_ref(), order)?;
    match command.action {
        OrderAction::SetStatus(to) if to == from => Ok(OrderDecision {
            order: order.clone(),
            returns: Vec::new(),
        }),
        OrderAction::SetStatus(to) => {
            let allowed = choices(from, staff);
            if allowed.contains(&to) {
                Ok(moved(order, to, false, user, command.at))
            } else {
                Err(Refusal::InvalidTransition { from, to, allowed })
            }
        }
        OrderAction::Delete if from == OrderStatus::Pending => {
            Ok(moved(order, OrderStatus::Cancelled, true, user, command.at))
        }
        OrderAction::Delete => Err(Refusal::OrderNotPending { status: from }),
    }
}

/// Where this actor may take an order: staff wherever it can go, its owner out of it while nobody
/// has begun.
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
) -> OrderDecision {
    let order = Order {
        status: to,
        archived,
        updated_at: at,
        ..order.clone()
    };
    let returns = if to == OrderStatus::Cancelled {
        let units = |line: &OrderLine| (line.product, line.quantity.units());
        movements(
            order.id,
            order.lines.iter().map(units),
            Reason::Return,
            actor,
            at,
        )
    } else {
        Vec::new()
    };
    OrderDecision { order, returns }
}

/// The ledger's entries for an order, one for each product: orders from another shop may have
/// several lines of one.
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
