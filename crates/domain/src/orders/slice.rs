//! Slices of changes of orders: each change sees the effects of the earlier ones.

use crate::decision::{Decision, decide_slice};
use crate::identity::Account;
use crate::kernel::{OrderId, Refusal, UserId};
use crate::orders::{ChangeOrder, Order, decide_order};
use std::collections::BTreeMap;

/// The state that a slice of changes needs, loaded under lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrdersState {
    /// The accounts of the acting users.
    pub acting: BTreeMap<UserId, Account>,
    /// The orders.
    pub orders: BTreeMap<OrderId, Order>,
}

/// Decides a slice of changes of orders, by the rules of [`decide_order`]: one decision for all,
/// with one outcome for each command, in order.
///
/// ```
/// use tradepost_domain::orders::{OrdersState, decide_orders};
///
/// // A slice of no commands changes nothing.
/// let decision = decide_orders(&[], OrdersState::default());
/// assert!(decision.outcome.is_empty());
/// ```
#[must_use]
pub fn decide_orders(
    commands: &[ChangeOrder],
    state: OrdersState,
) -> Decision<Vec<Result<Order, Refusal>>> {
    let OrdersState { acting, mut orders } = state;
    decide_slice(commands, |command, _| {
        let by = command.by.customer().ok();
        let acting = by.and_then(|by| acting.get(&by));
        let decision = decide_order(command, acting, orders.get(&command.order))?;
        orders.insert(command.order, decision.outcome.clone());
        Ok(decision)
    })
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
