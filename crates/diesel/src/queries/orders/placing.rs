//! Placing orders: a batch of any size in one transaction.

use super::super::slices::Free;
use super::super::{cart, idempotency, slices};
use super::prelude::*;
use crate::rows::{ProductSnapshotRow, UsageQuery};
use crate::schema::{orders, products, stock};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::kernel::{Currency, Execution, ProductId, UserId};
use tradepost_domain::orders::{
    PlaceOrder, Placement, PlacementState, ProductSnapshot, decide_placement,
};

/// Decides the requests together, and writes the decisions. Requests that need a row locked by
/// another transaction are refused as lock conflicts, to be retried.
pub(super) fn place(
    conn: &mut Conn,
    requests: &[PlaceOrder],
    currency: Currency,
) -> Result<Vec<Placement>, Failure> {
    let (state, users) = lock_and_load(conn, requests, currency)?;
    let free = Free::of(requests, |request| users.contains(&request.user));
    let kept = state.keys.kept.clone();
    let decision = decide_placement(&free.commands, state, currency);
    let results = slices::apply_keyed(conn, &free.commands, decision, kept)?;
    Ok(free.spread(results))
}

/// The users whose orders this batch placed.
pub(super) fn users(placements: &[Placement]) -> Vec<UserId> {
    let now = placements.iter().filter_map(|placement| match placement {
        Ok(Execution::Executed(order)) => Some(order.user),
        _ => None,
    });
    now.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether the orders with these placement ids exist.
pub(super) fn are_placed(
    conn: &mut Conn,
    names: &[String],
    placements: &[Placement],
) -> QueryResult<bool> {
    let now = |placement: &Placement| matches!(placement, Ok(Execution::Executed(_)));
    let placed: Vec<&String> = names
        .iter()
        .zip(placements)
        .filter(|(_, placement)| now(placement))
        .map(|(name, _)| name)
        .collect();
    let expected = placed.len();
    let there: i64 = orders::table
        .filter(orders::placement.eq_any(placed))
        .count()
        .get_result(conn)?;
    Ok(usize::try_from(there) == Ok(expected))
}

/// Locks the carts and the stock that the requests touch, in the lock order, and then reads them.
/// Waits for no lock; returns the users whose cart and products could all be locked.
fn lock_and_load(
    conn: &mut Conn,
    requests: &[PlaceOrder],
    currency: Currency,
) -> Result<(PlacementState, BTreeSet<UserId>), Failure> {
    let users: BTreeSet<UserId> = requests.iter().map(|request| request.user).collect();
    let locked = locks::skip_locked_users(conn, &users)?;
    let mut free: BTreeSet<UserId> = locked.keys().copied().collect();
    let active = locked.into_iter().filter(|(_, active)| *active);
    let mut state = PlacementState {
        active: active.map(|(user, _)| user).collect(),
        ..PlacementState::default()
    };
    let scopes = requests
        .iter()
        .filter(|request| free.contains(&request.user))
        .filter_map(|request| Some((request.user, &request.key.as_ref()?.scope)));
    state.keys.held = idempotency::held(conn, scopes)?;
    let of_free = requests
        .iter()
        .filter(|request| free.contains(&request.user));
    load_usage(conn, of_free, &mut state)?;
    let ids: Vec<i64> = free.iter().map(|user| user.get()).collect();
    for line in cart::of_users(conn, &ids)? {
        state.carts.entry(line.user).or_default().push(line);
    }
    let wanted: BTreeSet<ProductId> = state
        .carts
        .values()
        .flatten()
        .map(|line| line.product)
        .collect();
    let locked = locks::skip_locked_stock(conn, &wanted)?;
    let busy = |user: &UserId| {
        let cart = state.carts.get(user).into_iter().flatten();
        cart.into_iter().any(|line| !locked.contains(&line.product))
    };
    free.retain(|user| !busy(user));
    let ids: Vec<i64> = locked.iter().map(|product| product.get()).collect();
    state.offers = snapshots(conn, &ids, currency)?.into_iter().collect();
    Ok((state, free))
}

/// Loads the quota usage of these requests' users: of orders for a request with a quota, and of
/// stored responses for a request with a key.
fn load_usage<'a>(
    conn: &mut Conn,
    requests: impl Iterator<Item = &'a PlaceOrder>,
    state: &mut PlacementState,
) -> Result<(), Failure> {
    let mut asked = BTreeMap::<UserId, UsageQuery>::new();
    for request in requests {
        if let Some(query) = UsageQuery::of_order(request) {
            let both = asked.get(&request.user).map(|other| other.and(query));
            asked.insert(request.user, both.unwrap_or(query));
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    let asked: Vec<UsageQuery> = asked.into_values().collect();
    for row in bulk::usage(conn, &asked)? {
        let (user, usage, kept) = row.usage()?;
        state.usage.insert(user, usage);
        state.keys.kept.insert(user, kept);
    }
    Ok(())
}

fn snapshots(
    conn: &mut Conn,
    ids: &[i64],
    currency: Currency,
) -> Result<Vec<(ProductId, ProductSnapshot)>, Failure> {
    let rows = products::table
        .inner_join(stock::table)
        .filter(id_in(products::id, ids))
        .select(ProductSnapshotRow::as_select())
        .load(conn)?;
    all(rows, |row: ProductSnapshotRow| row.snapshot(currency))
}
