//! Changes of orders: a slice of any size in one transaction.

use super::super::identity;
use super::super::slices::{ActingLocks, Free, Results};
use super::add_lines;
use super::prelude::*;
use crate::rows::OrderRow;
use crate::schema::orders;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use tradepost_domain::kernel::{Currency, OrderId, ProductId};
use tradepost_domain::orders::{ChangeOrder, Order, OrdersState, decide_orders};

pub(super) fn change(
    conn: &mut Conn,
    commands: &[ChangeOrder],
    currency: Currency,
) -> Results<Order> {
    let by = |command: &ChangeOrder| command.by.customer().ok();
    let acting = ActingLocks::take(conn, commands.iter().map(by), iter::empty())?;
    let wanted: BTreeSet<OrderId> = commands.iter().map(|command| command.order).collect();
    let locked = locks::skip_locked_orders(conn, &wanted)?;
    let state = OrdersState {
        acting: identity::accounts(conn, &acting.acting())?,
        orders: some(conn, &wanted, currency)?,
    };
    let free = Free::of(commands, |command| {
        let order = &command.order;
        // An order that does not exist has no row to lock.
        let is_locked = locked.contains(order) || !state.orders.contains_key(order);
        is_locked && acting.cover(by(command), false)
    });
    let decision = decide_orders(&free.commands, state.clone());
    let returned: BTreeSet<ProductId> = decision
        .movements
        .iter()
        .map(|movement| movement.product)
        .collect();
    if returned.is_empty() {
        let results = apply(conn, decision)?;
        return Ok(free.spread(results));
    }
    let locked = locks::skip_locked_stock(conn, &returned)?;
    let busy: BTreeSet<OrderId> = decision
        .movements
        .iter()
        .filter(|movement| !locked.contains(&movement.product))
        .filter_map(|movement| movement.order)
        .collect();
    if busy.is_empty() {
        let results = apply(conn, decision)?;
        return Ok(free.spread(results));
    }
    // Decided again without the orders whose stock could not be locked.
    let others = Free::of(&free.commands, |command| !busy.contains(&command.order));
    let results = apply(conn, decide_orders(&others.commands, state))?;
    Ok(free.spread(others.spread(results)))
}

/// Those of these orders that exist.
fn some(
    conn: &mut Conn,
    ids: &BTreeSet<OrderId>,
    currency: Currency,
) -> Result<BTreeMap<OrderId, Order>, Failure> {
    let ids: Vec<i64> = ids.iter().map(|order| order.get()).collect();
    let rows = orders::table
        .filter(id_in(orders::id, &ids))
        .select(OrderRow::as_select())
        .load(conn)?;
    let mut orders = all(rows, |row: OrderRow| row.order(currency))?;
    add_lines(conn, &mut orders, currency)?;
    Ok(orders.into_iter().map(|order| (order.id, order)).collect())
}
