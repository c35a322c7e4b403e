use crate::extract::fields::{Fields, decimal, text};
use crate::extract::query::{self, CursorParams, ListRequest, PageParams, Query};
use crate::extract::request_context::RequestContext;
use crate::resources::etag::{self, ETag};
use crate::resources::json::{OrderResponse, stored};
use crate::resources::placement;
use crate::respond::pages::{CursorPageResponse, PageResponse, read_page};
use crate::respond::replay::{ReplayableResponse, keyed};
use crate::respond::responses::{self, HttpResult};
use serde::Serialize;
use tradepost_domain::kernel::{
    FieldError, FieldName, Money, OrderField, OrderFilter, OrderId, OrderList, Precondition, UserId,
};
use tradepost_domain::orders::{Order, OrderStatus};

pub(crate) async fn list(call: RequestContext) -> HttpResult {
    let mut query = Query::read(call.query_string());
    let filter = filter(&mut query).seen_by(call.actor)?;
    let scope = scope(&filter);
    match query.part(call.page_size(), &scope, call.signer())? {
        ListRequest::Page(sorting, listing) => {
            page(call, OrderList { filter, sorting }, listing).await
        }
        ListRequest::CursorParams(walk) => cursor_page(call, filter, walk).await,
    }
}

async fn page(call: RequestContext, list: OrderList, mut listing: PageParams) -> HttpResult {
    let read = async |request| {
        let list = list.clone();
        call.read_list(move |shop, actor| shop.orders.list(actor, list, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let orders = page.items.iter().map(OrderResponse::of);
    let orders = orders.collect::<Result<_, _>>()?;
    responses::ok(&PageResponse::new(&call.own_url(), &listing, &page, orders))
}

async fn cursor_page(
    call: RequestContext,
    filter: OrderFilter,
    walk: CursorParams<OrderField>,
) -> HttpResult {
    let (keyset, span) = (walk.keyset, walk.span.clone());
    let slice = call
        .read_list(move |shop, actor| shop.orders.cursor_page(actor, filter, keyset, &span))
        .await?;
    let orders = slice.items.iter().map(OrderResponse::of);
    let orders = orders.collect::<Result<_, _>>()?;
    let (url, seal) = (call.own_url(), call.signer());
    responses::ok(&CursorPageResponse::new(&url, &walk, seal, &slice, orders))
}

pub(crate) fn filter(query: &mut Query) -> OrderFilter {
    OrderFilter {
        user: query.optional("user", query::id(UserId::parse)),
        archived: query.flag("archived"),
        status: query.optional("status", status),
        created_after: query.optional("created_after", query::start),
        created_before: query.optional("created_before", query::end),
    }
}

/// The identity of a list, which its cursors are bound to.
pub(crate) fn scope(filter: &OrderFilter) -> impl Serialize + use<> {
    (
        "orders",
        filter.user.map(UserId::get),
        filter.archived,
        filter.status.map(OrderStatus::as_str),
        filter.created_after.map(|after| after.timestamp_micros()),
        filter
            .created_before
            .map(|before| before.timestamp_micros()),
    )
}

/// Keys that name the items of an order in other shop APIs. Here an order takes the whole cart.
const LINE_KEYS: &[FieldName] = &[
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

pub(crate) async fn place(call: RequestContext, mut fields: Fields) -> HttpResult {
    let instead =
        "an order takes the whole cart, which is filled with product_id and quantity at /api/cart/";
    fields.refuse(LINE_KEYS, instead);
    let currency = call.currency();
    let expected = fields.optional(
        "expected_total",
        decimal(|text| Money::parse(text, currency)),
    );
    let key = call.idempotency_key(&mut fields);
    fields.complete(Some(()))?;
    let command = ("order", expected.map(|total| total.minor()));
    let path = "/api/orders/";
    let key = key.map(|key| keyed(key, path, &command, stored::order));
    let written = placement::place(&call, expected, key).await?;
    let tag = |order: &Order| ETag::of_order(order).ok();
    let told = ReplayableResponse::tagged(written, stored::order, tag);
    responses::created_at(&call.url(path), told)
}

pub(crate) async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    let archived = query::wants_archived(call.query_string())?;
    let order = call
        .query(move |shop, actor| shop.orders.order(actor, id, archived))
        .await?;
    show_one(&call, &order)
}

fn show_one(call: &RequestContext, order: &Order) -> HttpResult {
    let shape = OrderResponse::of(order)?;
    responses::ok_with_etag(call, &shape, &ETag::of_order(order)?)
}

pub(crate) async fn replace(call: RequestContext, mut fields: Fields) -> HttpResult {
    let status = fields.required("status", text(status));
    set(call, fields, status).await
}

pub(crate) async fn change(call: RequestContext, mut fields: Fields) -> HttpResult {
    let status = fields.optional("status", text(status));
    set(call, fields, status).await
}

async fn set(call: RequestContext, fields: Fields, status: Option<OrderStatus>) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    fields.complete(Some(()))?;
    let seen = etag::if_match_order(call.request());
    let order = match status {
        Some(status) => {
            call.command(move |shop, actor| shop.orders.set_status(actor, id, status, seen))
                .await?
        }
        None => {
            let order = call
                .query(move |shop, actor| shop.orders.order(actor, id, false))
                .await?;
            Precondition::check(seen.as_ref(), &order)?;
            order
        }
    };
    show_one(&call, &order)
}

pub(crate) async fn delete(call: RequestContext) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    let seen = etag::if_match_order(call.request());
    call.command(move |shop, actor| shop.orders.delete(actor, id, seen))
        .await?;
    responses::no_content()
}

fn status(word: &str) -> Result<OrderStatus, FieldError> {
    OrderStatus::parse(word).ok_or_else(|| FieldError::NotOneOf {
        allowed: OrderStatus::ALL.map(OrderStatus::as_str).to_vec(),
    })
}
