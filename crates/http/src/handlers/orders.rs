use crate::answer::{self, Answer};
use crate::call::Call;
use crate::fields::{Fields, decimal, text};
use crate::idempotency::{Told, keyed};
use crate::pages::{PageShape, SliceShape, read_page};
use crate::placing;
use crate::query::{self, Listing, Part, Query, Walk};
use crate::shapes::{OrderShape, stored};
use crate::tags::{self, Tag};
use serde::Serialize;
use tradepost_domain::{
    FieldName, Money, Order, OrderField, OrderFilter, OrderId, OrderList, OrderStatus, Problem,
    Seen, UserId,
};

pub(crate) async fn list(call: Call) -> Answer {
    let mut query = Query::read(call.query_string());
    let filter = filter(&mut query).seen_by(call.actor)?;
    let scope = scope(&filter);
    match query.part(call.page_size(), &scope, call.seal())? {
        Part::Page(sorting, listing) => page(call, OrderList { filter, sorting }, listing).await,
        Part::Walk(walk) => slice(call, filter, walk).await,
    }
}

async fn page(call: Call, list: OrderList, mut listing: Listing) -> Answer {
    let read = async |request| {
        let list = list.clone();
        call.read_list(move |shop, actor| shop.orders.list(actor, list, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let orders = page.items.iter().map(OrderShape::of);
    let orders = orders.collect::<Result<_, _>>()?;
    answer::ok(&PageShape::new(&call.own_url(), &listing, &page, orders))
}

async fn slice(call: Call, filter: OrderFilter, walk: Walk<OrderField>) -> Answer {
    let (keyset, span) = (walk.keyset, walk.span.clone());
    let slice = call
        .read_list(move |shop, actor| shop.orders.slice(actor, filter, keyset, &span))
        .await?;
    let orders = slice.items.iter().map(OrderShape::of);
    let orders = orders.collect::<Result<_, _>>()?;
    let (url, seal) = (call.own_url(), call.seal());
    answer::ok(&SliceShape::new(&url, &walk, seal, &slice, orders))
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

pub(crate) async fn place(call: Call, mut fields: Fields) -> Answer {
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
    let written = placing::place(&call, expected, key).await?;
    let tag = |order: &Order| Tag::of_order(order).ok();
    let told = Told::tagged(written, stored::order, tag);
    answer::told_at(&call.url(path), told)
}

pub(crate) async fn show(call: Call) -> Answer {
    let id = call.id(OrderId::parse)?;
    let archived = query::wants_archived(call.query_string())?;
    let order = call
        .query(move |shop, actor| shop.orders.order(actor, id, archived))
        .await?;
    show_one(&call, &order)
}

fn show_one(call: &Call, order: &Order) -> Answer {
    let shape = OrderShape::of(order)?;
    answer::shown(call, &shape, &Tag::of_order(order)?)
}

pub(crate) async fn replace(call: Call, mut fields: Fields) -> Answer {
    let status = fields.required("status", text(status));
    set(call, fields, status).await
}

pub(crate) async fn change(call: Call, mut fields: Fields) -> Answer {
    let status = fields.optional("status", text(status));
    set(call, fields, status).await
}

async fn set(call: Call, fields: Fields, status: Option<OrderStatus>) -> Answer {
    let id = call.id(OrderId::parse)?;
    fields.complete(Some(()))?;
    let seen = tags::seen_order(call.request());
    let order = match status {
        Some(status) => {
            call.command(move |shop, actor| shop.orders.set_status(actor, id, status, seen))
                .await?
        }
        None => {
            let order = call
                .query(move |shop, actor| shop.orders.order(actor, id, false))
                .await?;
            Seen::check(seen.as_ref(), &order)?;
            order
        }
    };
    show_one(&call, &order)
}

pub(crate) async fn delete(call: Call) -> Answer {
    let id = call.id(OrderId::parse)?;
    let seen = tags::seen_order(call.request());
    call.command(move |shop, actor| shop.orders.delete(actor, id, seen))
        .await?;
    answer::done()
}

fn status(word: &str) -> Result<OrderStatus, Problem> {
    OrderStatus::parse(word).ok_or_else(|| Problem::NotOneOf {
        allowed: OrderStatus::ALL.map(OrderStatus::as_str).to_vec(),
    })
}
