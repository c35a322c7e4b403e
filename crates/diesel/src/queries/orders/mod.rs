//! Orders.

mod changing;
mod lists;
mod placing;

use super::prelude::{self, *};
use super::slices;
use crate::rows::{NewOrderItem, NewOrderRow, OrderItemRow, OrderRow};
use crate::schema::{order_lines, orders};
use std::collections::HashMap;
use tradepost_domain::kernel::{
    Currency, CursorPage, CursorRequest, Keyset, OrderId, Outcomes, Page, PageRequest, Refusal,
    StoreError,
};
use tradepost_domain::orders::{
    ChangeOrder, NewOrder, Order, OrderField, OrderFilter, OrderItem, OrderList, OrderRepository,
    PlaceOrder, Placement,
};

fn find(conn: &mut Conn, id: OrderId, currency: Currency) -> Result<Option<Order>, Failure> {
    let row = orders::table
        .find(id.get())
        .select(OrderRow::as_select())
        .first(conn)
        .optional()?;
    let mut order = row.map(|row| row.order(currency)).transpose()?;
    add_lines(conn, order.as_mut_slice(), currency)?;
    Ok(order)
}

/// Loads the lines of orders, in one query for any number of orders. A snapshot is not needed:
/// lines are inserted with their order, and never change.
fn add_lines(conn: &mut Conn, orders: &mut [Order], currency: Currency) -> Result<(), Failure> {
    if orders.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = orders.iter().map(|order| order.id.get()).collect();
    let mut lines = HashMap::<i64, Vec<OrderItem>>::new();
    let read = order_lines::table
        .filter(id_in(order_lines::order_id, &ids))
        .order((order_lines::order_id, order_lines::position))
        .select(OrderItemRow::as_select())
        .load(conn)?;
    for row in read {
        let order = lines.entry(row.order_id).or_default();
        order.push(row.line(currency)?);
    }
    for order in orders {
        order.lines = lines.remove(&order.id.get()).unwrap_or_default();
    }
    Ok(())
}

/// Inserts orders without their lines; returns their ids.
pub(super) fn insert(conn: &mut Conn, new: &[NewOrder]) -> Result<Vec<OrderId>, Failure> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::insert_orders(conn, new.iter().map(NewOrderRow::from))?;
    all(ids, |id| {
        OrderId::new(id).ok_or_else(|| StoreError::corrupt("orders", "id", id))
    })
}

/// Inserts the lines of new orders.
pub(super) fn insert_items(conn: &mut Conn, orders: &[Order]) -> QueryResult<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let items = orders
        .iter()
        .flat_map(|order| NewOrderItem::of_order(order.id, order.user, &order.lines));
    bulk::insert_order_items(conn, items)
}

pub(super) fn update(conn: &mut Conn, orders: &[Order]) -> QueryResult<()> {
    match orders {
        [] => Ok(()),
        orders => bulk::update_orders(conn, orders),
    }
}

impl OrderRepository for Database {
    fn list(&self, list: &OrderList, page: PageRequest) -> Result<Page<Order>, StoreError> {
        lists::page(self, list, page)
    }

    fn cursor_page(
        &self,
        filter: &OrderFilter,
        keyset: Keyset<OrderField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Order>, StoreError> {
        lists::cursor_page(self, filter, keyset, span)
    }

    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let currency = self.currency();
        self.read(|conn| find(conn, id, currency))
    }

    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
        let currency = self.currency();
        let (count, requests) = (requests.len(), requests.to_vec());
        let names: Vec<String> = requests
            .iter()
            .map(|one| one.placement.to_string())
            .collect();
        let placements = self.write_probed(
            move |conn| placing::place(conn, &requests, currency),
            |placements| placing::users(placements),
            move |conn, placements| placing::are_placed(conn, &names, placements),
        )?;
        // Nothing was stored: each request may be retried within its deadline.
        Ok(placements.unwrap_or_else(|| vec![Err(Refusal::LockConflict); count]))
    }

    fn change_all(&self, commands: &[ChangeOrder]) -> Outcomes<Order> {
        let currency = self.currency();
        slices::run(self, commands, move |conn, commands| {
            changing::change(conn, commands, currency)
        })
    }
}
