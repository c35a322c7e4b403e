//! Response DTOs. Keys and their order are those of the API contract.

use crate::resources::words::{CartIssueWord, OrderStatusWord, ReasonWord, issue};
use crate::respond::json::{Amount, Id, Time, Units};
use schemars::JsonSchema;
use serde::Serialize;
use tradepost_domain::cart::CartItemDetail;
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::{Account, TokenPair};
use tradepost_domain::inventory::{Adjusted, Movement};
use tradepost_domain::kernel::{MoneyError, Note, OrderId, Quantity, Sku, UserId};
use tradepost_domain::orders::{Order, OrderItem};

/// Responses stored under idempotency keys: the same JSON as that of any other response. Empty if
/// it cannot be serialized, which no outcome within its bounds is.
pub(crate) mod stored {
    use super::{CartLineResponse, MovementResponse, OrderResponse, ProductResponse};
    use serde::Serialize;
    use tradepost_domain::cart::CartItemDetail;
    use tradepost_domain::catalog::Product;
    use tradepost_domain::inventory::Adjusted;
    use tradepost_domain::orders::Order;

    pub(crate) fn product(product: &Product) -> String {
        text(&ProductResponse::of(product))
    }

    pub(crate) fn cart_line(item: &CartItemDetail) -> String {
        CartLineResponse::of(item).map_or_else(|_| String::new(), |shape| text(&shape))
    }

    pub(crate) fn order(order: &Order) -> String {
        OrderResponse::of(order).map_or_else(|_| String::new(), |shape| text(&shape))
    }

    pub(crate) fn adjusted(adjusted: &Adjusted) -> String {
        text(&MovementResponse::made(adjusted))
    }

    fn text(shape: &impl Serialize) -> String {
        serde_json::to_string(shape).unwrap_or_default()
    }
}

/// A product of the catalogue.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Product")]
pub(crate) struct ProductResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    /// The shop's own code; unique.
    sku: Option<&'a str>,
    name: &'a str,
    description: &'a str,
    /// What one unit costs.
    price: Amount,
    /// Units on hand.
    #[schemars(with = "Units")]
    stock: i64,
    /// ISO 4217.
    currency: &'static str,
    created_at: Time,
    /// When staff last changed it; a sale does not.
    updated_at: Time,
}

impl<'a> ProductResponse<'a> {
    pub(crate) fn of(product: &'a Product) -> Self {
        let price = product.price.money();
        Self {
            id: product.id.get(),
            sku: product.sku.as_ref().map(Sku::as_str),
            name: product.name.as_str(),
            description: product.description.as_str(),
            price: Amount(price),
            stock: product.stock.units(),
            currency: price.currency().code(),
            created_at: Time(product.created_at),
            updated_at: Time(product.updated_at),
        }
    }

    /// Without the fields that sales change.
    pub(crate) fn without_stock(product: &'a Product) -> Self {
        Self {
            stock: 0,
            ..Self::of(product)
        }
    }
}

/// An entry of a product's ledger.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Movement")]
pub(crate) struct MovementResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    #[schemars(with = "Id")]
    product_id: i64,
    /// The order that took it or gave it back.
    #[schemars(with = "Option<Id>")]
    order_id: Option<i64>,
    /// Units; negative when stock goes out.
    delta: i64,
    #[schemars(with = "ReasonWord")]
    reason: &'static str,
    /// Why, in the words of whoever adjusted.
    note: Option<&'a str>,
    /// The user who did it; null for the shop itself.
    #[schemars(with = "Option<Id>")]
    actor: Option<i64>,
    /// On hand afterwards: of a movement that was made just now.
    #[schemars(with = "Units")]
    #[serde(skip_serializing_if = "Option::is_none")]
    stock: Option<i64>,
    created_at: Time,
}

impl<'a> MovementResponse<'a> {
    pub(crate) fn of(movement: &'a Movement) -> Self {
        let entry = &movement.entry;
        Self {
            id: movement.id.get(),
            product_id: entry.product.get(),
            order_id: entry.order.map(OrderId::get),
            delta: entry.delta.units(),
            reason: entry.reason.as_str(),
            note: entry.note.as_ref().map(Note::as_str),
            actor: entry.actor.map(UserId::get),
            stock: None,
            created_at: Time(entry.at),
        }
    }

    fn made(adjusted: &'a Adjusted) -> Self {
        Self {
            stock: Some(adjusted.level.units()),
            ..Self::of(&adjusted.movement)
        }
    }
}

/// Some units of a product in a cart.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CartLine")]
pub(crate) struct CartLineResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    /// Whose cart it is in.
    #[schemars(with = "Id")]
    user: i64,
    product: ProductResponse<'a>,
    #[schemars(range(min = 1, max = Quantity::MAX))]
    quantity: i64,
    /// At the price of now.
    total_price: Amount,
    /// What stands in the way of ordering it.
    #[schemars(with = "Vec<CartIssueWord>")]
    issues: Vec<&'static str>,
    created_at: Time,
    updated_at: Time,
}

impl<'a> CartLineResponse<'a> {
    pub(crate) fn of(item: &'a CartItemDetail) -> Result<Self, MoneyError> {
        Ok(Self {
            id: item.line.id.get(),
            user: item.line.user.get(),
            product: ProductResponse::of(&item.product),
            quantity: item.line.quantity.units(),
            total_price: Amount(item.total()?),
            issues: item.issues().into_iter().map(issue).collect(),
            created_at: Time(item.line.created_at),
            updated_at: Time(item.line.updated_at),
        })
    }
}

/// An order: what was bought, at the names and prices of the moment.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Order")]
pub(crate) struct OrderResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    /// Who ordered.
    #[schemars(with = "Id")]
    user: i64,
    #[schemars(with = "OrderStatusWord")]
    status: &'static str,
    /// The amount to be paid: the sum of its items, and of `adjustment_total` if it is there.
    total_price: Amount,
    /// Tax, shipping and discounts in one signed amount, of an order that was imported with a total
    /// other than the sum of its items. Not there if it is zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    adjustment_total: Option<Amount>,
    /// ISO 4217.
    currency: &'static str,
    items: Vec<OrderLineResponse<'a>>,
    created_at: Time,
    /// When its status last changed.
    updated_at: Time,
}

/// A line of an order. No later change of the product touches it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrderItem")]
struct OrderLineResponse<'a> {
    #[schemars(with = "Id")]
    product_id: i64,
    name: &'a str,
    #[schemars(range(min = 1, max = Quantity::MAX))]
    quantity: i64,
    /// What one unit cost.
    price: Amount,
    total_price: Amount,
}

impl<'a> OrderResponse<'a> {
    pub(crate) fn of(order: &'a Order) -> Result<Self, MoneyError> {
        Ok(Self {
            id: order.id.get(),
            user: order.user.get(),
            status: order.status.as_str(),
            total_price: Amount(order.total),
            adjustment_total: (order.adjustment.minor() != 0).then_some(Amount(order.adjustment)),
            currency: order.total.currency().code(),
            items: order
                .lines
                .iter()
                .map(OrderLineResponse::of)
                .collect::<Result<_, _>>()?,
            created_at: Time(order.created_at),
            updated_at: Time(order.updated_at),
        })
    }
}

impl<'a> OrderLineResponse<'a> {
    fn of(line: &'a OrderItem) -> Result<Self, MoneyError> {
        Ok(Self {
            product_id: line.product.get(),
            name: line.name.as_str(),
            quantity: line.quantity.units(),
            price: Amount(line.unit_price),
            total_price: Amount(line.total()?),
        })
    }
}

/// An account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub(crate) struct AccountResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    username: &'a str,
    /// Accounts from elsewhere may have none.
    email: Option<&'a str>,
    is_staff: bool,
    /// Whether it may sign in.
    is_active: bool,
    created_at: Time,
}

impl<'a> AccountResponse<'a> {
    pub(crate) fn of(account: &'a Account) -> Self {
        Self {
            id: account.id.get(),
            username: account.username.as_str(),
            email: account.email.as_ref().map(|email| email.as_str()),
            is_staff: account.is_staff,
            is_active: account.is_active,
            created_at: Time(account.created_at),
        }
    }
}

/// A short access token, and the refresh token that gives the next pair.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TokenPair")]
pub(crate) struct PairResponse<'a> {
    /// To be sent as `Authorization: Bearer`.
    pub(crate) access: &'a str,
    /// Works once, at `/api/token/refresh/`.
    pub(crate) refresh: &'a str,
}

impl<'a> PairResponse<'a> {
    pub(crate) fn of(pair: &'a TokenPair) -> Self {
        Self {
            access: &pair.access,
            refresh: &pair.refresh,
        }
    }
}

/// A token that lasts.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(crate) struct TokenResponse<'a> {
    /// To be sent as `Authorization: Bearer`.
    pub(crate) token: &'a str,
}
