use super::{Source, insert_row, micros, new_row};
use crate::schema::{order_lines, orders};
use diesel::prelude::*;
use tradepost_domain::kernel::{
    Currency, Money, OrderId, ProductId, ProductName, Quantity, StoreError, UserId,
};
use tradepost_domain::orders::{NewOrder, Order, OrderItem, OrderStatus};

#[derive(Queryable, Selectable)]
#[diesel(table_name = orders)]
pub(crate) struct OrderRow {
    id: i64,
    user_id: i64,
    status: String,
    total: i64,
    adjustment: i64,
    archived: bool,
    created_at: i64,
    updated_at: i64,
}

impl OrderRow {
    /// The order, without its lines.
    pub(crate) fn order(self, currency: Currency) -> Result<Order, StoreError> {
        let from = Source::new("orders", self.id);
        Ok(Order {
            id: from.good("id", OrderId::new(self.id))?,
            user: from.good("user_id", UserId::new(self.user_id))?,
            status: from.good("status", OrderStatus::parse(&self.status))?,
            total: Money::from_minor(self.total, currency),
            adjustment: Money::from_minor(self.adjustment, currency),
            lines: Vec::new(),
            archived: self.archived,
            created_at: from.at("created_at", self.created_at)?,
            updated_at: from.at("updated_at", self.updated_at)?,
        })
    }
}

new_row! {
    NewOrderRow, ImportedOrder: orders {
        user_id: i64,
        status: &'static str,
        total: i64,
        adjustment: i64,
        archived: bool,
        placement: String,
        created_at: i64,
        updated_at: i64,
    }
}

impl From<&NewOrder> for NewOrderRow {
    fn from(order: &NewOrder) -> Self {
        Self {
            user_id: order.user.get(),
            status: OrderStatus::Pending.as_str(),
            total: order.total.minor(),
            adjustment: 0,
            archived: false,
            placement: order.placement.to_string(),
            created_at: micros(order.at),
            updated_at: micros(order.at),
        }
    }
}

/// An imported order.
impl From<&Order> for NewOrderRow {
    fn from(order: &Order) -> Self {
        Self {
            user_id: order.user.get(),
            status: order.status.as_str(),
            total: order.total.minor(),
            adjustment: order.adjustment.minor(),
            archived: order.archived,
            placement: format!("imported-{}", order.id),
            created_at: micros(order.created_at),
            updated_at: micros(order.updated_at),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = order_lines)]
pub(crate) struct OrderItemRow {
    pub(crate) order_id: i64,
    product_id: i64,
    name: String,
    unit_price: i64,
    quantity: i64,
}

impl OrderItemRow {
    pub(crate) fn line(self, currency: Currency) -> Result<OrderItem, StoreError> {
        let from = Source::new("order_lines", self.order_id);
        Ok(OrderItem {
            product: from.good("product_id", ProductId::new(self.product_id))?,
            name: from.good("name", ProductName::new(&self.name).ok())?,
            unit_price: Money::from_minor(self.unit_price, currency),
            quantity: from.good("quantity", Quantity::new(self.quantity).ok())?,
        })
    }
}

insert_row! {
    NewOrderItem<'a>: order_lines {
        order_id: i64,
        position: i64,
        user_id: i64,
        product_id: i64,
        name: &'a str,
        unit_price: i64,
        quantity: i64,
    }
}

impl<'a> NewOrderItem<'a> {
    /// The rows of an order's lines, numbered from 0.
    pub(crate) fn of_order(
        order: OrderId,
        user: UserId,
        lines: &'a [OrderItem],
    ) -> impl Iterator<Item = Self> {
        (0_i64..).zip(lines).map(move |(position, line)| Self {
            order_id: order.get(),
            position,
            user_id: user.get(),
            product_id: line.product.get(),
            name: line.name.as_str(),
            unit_price: line.unit_price.minor(),
            quantity: line.quantity.units(),
        })
    }
}
