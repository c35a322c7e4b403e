use super::list::{self, CREATED_AFTER, CREATED_BEFORE, ORDERING, STATUS, USER, parse_status};
use super::response::{OrderResponse, encoded};
use crate::extract::fields::{decimal, text};
use crate::extract::parameter::ARCHIVED;
use crate::extract::query;
use crate::resources::etag::{self, ETag};
use crate::resources::prelude::*;
use crate::respond::json::DECIMAL;
use crate::respond::replay::{ReplayableResponse, keyed};
use tradepost_domain::kernel::{Currency, FieldName, Money, OrderId, Precondition};
use tradepost_domain::orders::{Order, OrderAction, OrderStatus};

const ORDERS: &str = "/api/orders/";
const ORDER: &str = "/api/orders/{id}/";

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(ORDERS, Customer, || web::to(list::list)).cost(Cost::List)
        .describe(Tag::ORDERS, "listOrders", "List the own orders, newest first; staff see everybody's")
        .parameters(&[&STATUS.parameter, &CREATED_AFTER.parameter, &CREATED_BEFORE.parameter, &ORDERING.parameter, &USER.parameter, &ARCHIVED.parameter])
        .list::<OrderResponse>(),
    Endpoint::post(ORDERS, Customer, || web::to(place))
        .describe(Tag::ORDERS, "placeOrder", "Order the whole cart: everything or nothing")
        .request::<PlaceOrder>().created::<OrderResponse>().etag().location().idempotent()
        .errors(&[
            Code::EmptyCart, Code::InsufficientStock, Code::ProductUnavailable, Code::TotalChanged,
            Code::TotalTooLarge, Code::TooManyOrders,
        ]),
    Endpoint::get(ORDER, Customer, || web::to(show))
        .describe(Tag::ORDERS, "getOrder", "Show an order")
        .parameters(&[&ARCHIVED.parameter]).ok::<OrderResponse>().etag(),
    Endpoint::put(ORDER, Customer, || web::to(replace))
        .describe(Tag::ORDERS, "replaceOrder", "Take an order to a status")
        .request::<ReplaceOrder>().ok::<OrderResponse>().etag()
        .errors(&[Code::Forbidden, Code::InvalidTransition]),
    Endpoint::patch(ORDER, Customer, || web::to(update))
        .describe(Tag::ORDERS, "updateOrder", "Take an order to a status")
        .request::<UpdateOrder>().ok::<OrderResponse>().etag()
        .errors(&[Code::Forbidden, Code::InvalidTransition]),
    Endpoint::delete(ORDER, Customer, || web::to(delete))
        .describe(Tag::ORDERS, "deleteOrder", "Cancel a pending order and put it out of sight")
        .etag().errors(&[Code::OrderNotPending]),
];

request! {
    struct PlaceOrder(currency: Currency) as "OrderPlacement", "What the customer agreed to.",
        {"expected_total": "29.70"};

    expected_total: optional(Money, currency) "If the total is another one, nothing happens.";
}

/// Keys that name the items of an order in other shop APIs. Here an order takes the whole cart.
const ITEM_KEYS: &[FieldName] = &[
    "items",
    "lines",
    "products",
    "order_items",
    "orderItems",
    "line_items",
    "lineItems",
    "cart_items",
    "cartItems",
];

async fn place(call: RequestContext, mut fields: Fields) -> HttpResult {
    let instead =
        "an order takes the whole cart, which is filled with product_id and quantity at /api/cart/";
    fields.refuse(ITEM_KEYS, instead);
    let request = PlaceOrder::read(&mut fields, call.currency());
    let key = call.idempotency_key(&mut fields);
    let expected = fields.complete(request)?.expected_total;
    let command = ("order", expected.map(|total| total.minor()));
    let key = key.map(|key| keyed(key, ORDERS, &command, encoded));
    let shop = call.backend();
    let command = shop.services.orders.placing(call.actor, expected, key)?;
    let written = call.execute(&shop.batchers.orders, command).await?;
    let tag = |order: &Order| ETag::of_order(order).ok();
    let response = ReplayableResponse::tagged(written, encoded, tag);
    responses::created_at(&call.url(ORDERS), response)
}

async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    let archived = query::wants_archived(call.query_string())?;
    let order = call
        .query(move |shop, actor| shop.orders.order(actor, id, archived))
        .await?;
    show_one(&call, &order)
}

fn show_one(call: &RequestContext, order: &Order) -> HttpResult {
    let response = OrderResponse::from_order(order)?;
    responses::ok_with_etag(call, &response, &ETag::of_order(order)?)
}

request! {
    struct ReplaceOrder as "OrderReplacement", "Where the order is to go.",
        {"status": "processing"};

    status: required(OrderStatus);
}

async fn replace(call: RequestContext, fields: Fields) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    let status = fields.parse(ReplaceOrder::read)?.status;
    set_status(call, id, status).await
}

request! {
    struct UpdateOrder as "OrderChange", "Where the order is to go.",
        {"status": "processing"};

    status: optional(OrderStatus);
}

async fn update(call: RequestContext, fields: Fields) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    if let Some(status) = fields.parse(UpdateOrder::read)?.status {
        return set_status(call, id, status).await;
    }
    let seen = etag::if_match_order(call.request());
    let order = call
        .query(move |shop, actor| shop.orders.order(actor, id, false))
        .await?;
    Precondition::check(seen.as_ref(), &order)?;
    show_one(&call, &order)
}

async fn set_status(call: RequestContext, id: OrderId, status: OrderStatus) -> HttpResult {
    let seen = etag::if_match_order(call.request());
    let order = change_order(&call, id, OrderAction::SetStatus(status), seen).await?;
    show_one(&call, &order)
}

async fn change_order(
    call: &RequestContext,
    id: OrderId,
    action: OrderAction,
    seen: Option<Precondition<Order>>,
) -> Result<Order, ApiError> {
    let shop = call.backend();
    let command = shop
        .services
        .orders
        .changing(call.actor, id, action, seen)?;
    call.execute(&shop.batchers.order_changes, command).await
}

async fn delete(call: RequestContext) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    let seen = etag::if_match_order(call.request());
    change_order(&call, id, OrderAction::Delete, seen).await?;
    responses::no_content()
}

field_type! { Money, currency: Currency = decimal(|text| Self::parse(text, currency)), json!({"anyOf": [
    {"type": "number"},
    {"type": "string", "maxLength": Self::MAX_TEXT, "pattern": DECIMAL}
]}) }

field_type! { OrderStatus =
    text(parse_status), json!({"type": "string", "enum": Self::ALL.map(Self::as_str)})
}
