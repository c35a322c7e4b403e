//! Placing orders: a batch of any size in one transaction.

use super::super::{Conn, locks};
use super::{carts, stock};
use crate::failure::Failure;
use crate::rows::{OfferRow, micros};
use crate::schema::{order_lines, orders, products, stock as stock_table};
use diesel::prelude::*;
use std::collections::BTreeSet;
use tradepost_domain::{
    Currency, Floor, NewOrder, OrderId, PlaceOrder, Placement, ProductId, StoreError, UserId,
    decide_placing,
};

/// Decides the requests together, and writes what was decided.
pub(super) fn place(
    conn: &mut Conn,
    requests: &[PlaceOrder],
    shop: Currency,
) -> Result<Vec<Placement>, Failure> {
    let floor = lock_floor(conn, requests, shop)?;
    let decisions = decide_placing(requests, floor, shop);
    let mut movements = Vec::new();
    let mut cart_lines = Vec::new();
    let mut placements = Vec::with_capacity(decisions.len());
    for decision in decisions {
        let order = match decision {
            Ok(order) => order,
            Err(refusal) => {
                placements.push(Err(refusal));
                continue;
            }
        };
        let id = insert(conn, &order)?;
        movements.extend(order.movements(id));
        cart_lines.extend_from_slice(&order.cart_lines);
        placements.push(Ok(order.into_order(id)));
    }
    if !cart_lines.is_empty() {
        stock::record(conn, &movements)?;
        carts::delete(conn, &cart_lines)?;
    }
    Ok(placements)
}

/// Locks the carts and the stock that the requests touch, in the one order, and reads them after.
fn lock_floor(conn: &mut Conn, requests: &[PlaceOrder], shop: Currency) -> Result<Floor, Failure> {
    let users: BTreeSet<UserId> = requests.iter().map(|request| request.user).collect();
    let users: Vec<UserId> = users.into_iter().collect();
    locks::users(conn, &users)?;
    let mut floor = Floor::default();
    let ids: Vec<i64> = users.iter().map(|user| user.get()).collect();
    for line in carts::of_users(conn, &ids)? {
        floor.carts.entry(line.user).or_default().push(line);
    }
    let wanted: BTreeSet<ProductId> = floor
        .carts
        .values()
        .flatten()
        .map(|line| line.product)
        .collect();
    let wanted: Vec<ProductId> = wanted.into_iter().collect();
    locks::stock(conn, &wanted)?;
    floor.offers = offers(conn, &wanted, shop)?.into_iter().collect();
    Ok(floor)
}

fn offers(
    conn: &mut Conn,
    wanted: &[ProductId],
    shop: Currency,
) -> Result<Vec<(ProductId, tradepost_domain::Offer)>, Failure> {
    let ids: Vec<i64> = wanted.iter().map(|product| product.get()).collect();
    let rows = products::table
        .inner_join(stock_table::table)
        .filter(products::id.eq_any(ids))
        .select((
            products::id,
            products::name,
            products::price,
            products::archived,
            stock_table::on_hand,
        ))
        .load::<OfferRow>(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| row.offer(shop))
        .collect::<Result<_, _>>()?)
}

fn insert(conn: &mut Conn, order: &NewOrder) -> Result<OrderId, Failure> {
    let id = diesel::insert_into(orders::table)
        .values((
            orders::user_id.eq(order.user.get()),
            orders::status.eq(tradepost_domain::OrderStatus::Pending.as_str()),
            orders::total.eq(order.total.minor()),
            orders::archived.eq(false),
            orders::placement.eq(order.placement.to_string()),
            orders::created_at.eq(micros(order.at)),
            orders::updated_at.eq(micros(order.at)),
        ))
        .returning(orders::id)
        .get_result(conn)?;
    let id = OrderId::new(id).ok_or_else(|| StoreError::corrupt("orders", "id", id))?;
    for (position, line) in (0_i64..).zip(&order.lines) {
        diesel::insert_into(order_lines::table)
            .values((
                order_lines::order_id.eq(id.get()),
                order_lines::position.eq(position),
                order_lines::user_id.eq(order.user.get()),
                order_lines::product_id.eq(line.product.get()),
                order_lines::name.eq(line.name.as_str()),
                order_lines::unit_price.eq(line.unit_price.minor()),
                order_lines::quantity.eq(line.quantity.units()),
            ))
            .execute(conn)?;
    }
    Ok(id)
}
