use crate::resources::prelude::*;
use crate::respond::json::{Amount, Id, Time, encode, words};
use chrono::DateTime;
use tradepost_domain::kernel::{
    Currency, Money, MoneyError, OrderId, ProductId, ProductName, Quantity, UserId,
};
use tradepost_domain::orders::{Order, OrderItem, OrderStatus};

words! {
    /// The word for an [`OrderStatus`].
    OrderStatusWord as "OrderStatus", "Where an order is in its life.":
        OrderStatus::ALL.map(OrderStatus::as_str)
}

/// An order with its items.
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Order",
    description = "An order: what was bought, at the names and prices of the moment."
)]
pub(crate) struct OrderResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    /// Who ordered.
    #[schemars(with = "Id")]
    user: i64,
    #[schemars(with = "OrderStatusWord")]
    status: &'static str,
    #[schemars(
        description = "The amount to be paid: the sum of its items, and of `adjustment_total` if it is there."
    )]
    total_price: Amount,
    /// Tax, shipping and discounts in one signed amount, of an order that was imported with a total
    /// other than the sum of its items. Not there if it is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    adjustment_total: Option<Amount>,
    /// ISO 4217.
    currency: &'static str,
    items: Vec<OrderItemResponse<'a>>,
    created_at: Time,
    /// When its status last changed.
    updated_at: Time,
}

/// A line of an order. No later change of the product touches it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrderItem")]
struct OrderItemResponse<'a> {
    #[schemars(with = "Id")]
    product_id: i64,
    name: &'a str,
    #[schemars(range(min = 1, max = Quantity::MAX))]
    quantity: i64,
    #[schemars(description = "What one unit cost.")]
    price: Amount,
    total_price: Amount,
}

impl<'a> OrderResponse<'a> {
    pub(crate) fn from_order(order: &'a Order) -> Result<Self, MoneyError> {
        let items = order.lines.iter().map(OrderItemResponse::from_item);
        Ok(Self {
            id: order.id.get(),
            user: order.user.get(),
            status: order.status.as_str(),
            total_price: Amount(order.total),
            adjustment_total: (order.adjustment.minor() != 0).then_some(Amount(order.adjustment)),
            currency: order.total.currency().code(),
            items: items.collect::<Result<_, _>>()?,
            created_at: Time(order.created_at),
            updated_at: Time(order.updated_at),
        })
    }
}

impl<'a> OrderItemResponse<'a> {
    fn from_item(item: &'a OrderItem) -> Result<Self, MoneyError> {
        Ok(Self {
            product_id: item.product.get(),
            name: item.name.as_str(),
            quantity: item.quantity.units(),
            price: Amount(item.unit_price),
            total_price: Amount(item.total()?),
        })
    }
}

/// The response to store under an idempotency key.
pub(super) fn encoded(order: &Order) -> String {
    OrderResponse::from_order(order).map_or_else(|_| String::new(), |order| encode(&order))
}

impl Example for OrderResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        to_json(&OrderResponse::from_order(&example()?).ok()?)
    }
}

fn example() -> Option<Order> {
    let usd = Currency::from_code("USD")?;
    let at = DateTime::from_timestamp_micros(1_795_368_777_626_240)?;
    let item = OrderItem {
        product: ProductId::new(12)?,
        name: ProductName::new("Stoneware mug, green").ok()?,
        unit_price: Money::from_minor(1_400, usd),
        quantity: Quantity::new(2).ok()?,
    };
    Some(Order {
        id: OrderId::new(1)?,
        user: UserId::new(2)?,
        status: OrderStatus::Pending,
        total: item.total().ok()?,
        adjustment: Money::zero(usd),
        lines: vec![item],
        archived: false,
        created_at: at,
        updated_at: at,
    })
}
