use super::super::among::among;
use super::super::{Conn, Database, locks};
use super::{placing, stock};
use crate::failure::Failure;
use crate::rows::{OrderLineRow, OrderRow, micros};
use crate::schema::{order_lines, orders};
use diesel::prelude::*;
use std::collections::HashMap;
use tradepost_domain::{
    ChangeOrder, Currency, Order, OrderFilter, OrderId, OrderRepository, Outcome, Page,
    PageRequest, PlaceOrder, Placement, StoreError, decide_order,
};

/// An order, as [`OrderRow`] wants it.
const ORDER: (
    orders::id,
    orders::user_id,
    orders::status,
    orders::total,
    orders::archived,
    orders::created_at,
    orders::updated_at,
) = (
    orders::id,
    orders::user_id,
    orders::status,
    orders::total,
    orders::archived,
    orders::created_at,
    orders::updated_at,
);

fn find(conn: &mut Conn, id: OrderId, shop: Currency) -> Result<Option<Order>, Failure> {
    let row = orders::table
        .find(id.get())
        .select(ORDER)
        .first::<OrderRow>(conn)
        .optional()?;
    Ok(with_lines(conn, row.into_iter().collect(), shop)?.pop())
}

/// Orders with their lines, in two queries however many they are.
fn with_lines(conn: &mut Conn, rows: Vec<OrderRow>, shop: Currency) -> Result<Vec<Order>, Failure> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut lines = HashMap::<i64, Vec<OrderLineRow>>::new();
    let read = order_lines::table
        .filter(among(order_lines::order_id, &ids))
        .order((order_lines::order_id, order_lines::position))
        .select((
            order_lines::order_id,
            order_lines::product_id,
            order_lines::name,
            order_lines::unit_price,
            order_lines::quantity,
        ))
        .load::<OrderLineRow>(conn)?;
    for line in read {
        lines.entry(line.order_id).or_default().push(line);
    }
    let order = |row: OrderRow| {
        let lines = lines.remove(&row.id).unwrap_or_default();
        row.order(lines, shop)
    };
    Ok(rows.into_iter().map(order).collect::<Result<_, _>>()?)
}

fn update(conn: &mut Conn, order: &Order) -> QueryResult<()> {
    diesel::update(orders::table.find(order.id.get()))
        .set((
            orders::status.eq(order.status.as_str()),
            orders::archived.eq(order.archived),
            orders::updated_at.eq(micros(order.updated_at)),
        ))
        .execute(conn)
        .map(drop)
}

impl OrderRepository for Database {
    fn list(&self, filter: OrderFilter, page: PageRequest) -> Result<Page<Order>, StoreError> {
        let shop = self.currency();
        self.snapshot(|conn| {
            let chosen = || {
                let mut chosen = orders::table
                    .filter(orders::archived.eq(filter.archived))
                    .into_boxed();
                if let Some(user) = filter.user {
                    chosen = chosen.filter(orders::user_id.eq(user.get()));
                }
                chosen
            };
            let count = chosen().count().get_result(conn)?;
            let rows = chosen()
                .order(orders::id.desc())
                .offset(super::offset(page))
                .limit(i64::from(page.size()))
                .select(ORDER)
                .load::<OrderRow>(conn)?;
            Ok(Page {
                count: super::count(count),
                items: with_lines(conn, rows, shop)?,
            })
        })
    }

    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let shop = self.currency();
        self.snapshot(|conn| find(conn, id, shop))
    }

    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
        let shop = self.currency();
        let requests = requests.to_vec();
        let names: Vec<String> = requests
            .iter()
            .map(|one| one.placement.to_string())
            .collect();
        self.write_traced(
            move |conn| placing::place(conn, &requests, shop),
            move |conn, placements| placing::are_placed(conn, &names, placements),
        )
    }

    fn change(&self, command: ChangeOrder) -> Outcome<Order> {
        let shop = self.currency();
        self.write(move |conn| {
            locks::order(conn, command.order)?;
            let before = find(conn, command.order, shop)?;
            let decision = match decide_order(&command, before.as_ref()) {
                Ok(decision) => decision,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if before.as_ref() != Some(&decision.order) {
                update(conn, &decision.order)?;
            }
            if !decision.returns.is_empty() {
                let products: Vec<_> = decision.returns.iter().map(|back| back.product).collect();
                locks::stock_now(conn, &products)?;
                stock::record(conn, &decision.returns)?;
            }
            Ok(Ok(decision.order))
        })
    }
}
