//! The changes that the domain allows, which are those that pages offer; and the version of an
//! order.

use crate::page::Page;
use tradepost_domain::kernel::{Precondition, Refusal, ResponseEncoder};
use tradepost_domain::orders::{ChangeOrder, Order, OrderAction, OrderStatus, decide_order};

/// Decides a change by the signed-in user.
///
/// # Errors
/// The refusal.
pub(super) fn decide(page: &Page, order: &Order, action: OrderAction) -> Result<(), Refusal> {
    let command = ChangeOrder {
        order: order.id,
        action,
        seen: None,
        by: page.call.actor(),
        at: page.now(),
    };
    decide_order(&command, page.account(), Some(order)).map(drop)
}

/// The statuses that the signed-in user may give an order now.
pub(super) fn allowed(page: &Page, order: &Order) -> Vec<OrderStatus> {
    let is_allowed = |to: &OrderStatus| {
        *to != order.status && decide(page, order, OrderAction::SetStatus(*to)).is_ok()
    };
    OrderStatus::ALL.into_iter().filter(is_allowed).collect()
}

/// The precondition that an order has the version which a page showed. The version is the status:
/// nothing else of an order changes, and no status comes back.
pub(super) fn unchanged_since(version: &str) -> Precondition<Order> {
    Precondition {
        tags: vec![version.to_owned()],
        tag: ResponseEncoder(|order| order.status.to_string()),
    }
}

/// The class of a status.
pub(super) fn tag(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Cancelled => "bad",
        OrderStatus::Delivered => "good",
        OrderStatus::Pending | OrderStatus::Processing | OrderStatus::Shipped => "",
    }
}
