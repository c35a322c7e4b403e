//! The list of orders: its filter, numbered pages and cursor pages.

use super::OrderResponse;
use crate::extract::parameter::{ARCHIVED, END, START, id_type};
use crate::extract::query::{CursorParams, ListRequest, PageParams, Query};
use crate::resources::prelude::*;
use crate::respond::pages::{CursorPageResponse, PageResponse, read_page};
use chrono::{DateTime, Utc};
use tradepost_domain::kernel::{FieldError, Sorting, UserId};
use tradepost_domain::orders::{OrderField, OrderFilter, OrderList, OrderStatus};

pub(super) const STATUS: QueryParameter<OrderStatus> = QueryParameter::new(
    "Status",
    "status",
    "In this status.",
    ParameterType {
        schema: || {
            json!({"anyOf": [
                {"$ref": "#/components/schemas/OrderStatus"},
                {"type": "string", "maxLength": 0}
            ]})
        },
        parse: |text, ()| parse_status(text),
    },
)
.causing(Work::Filter);
pub(super) const CREATED_AFTER: QueryParameter<DateTime<Utc>> = QueryParameter::new(
    "CreatedAfter",
    "created_after",
    "From this time, or from the start of this day in UTC.",
    START,
)
.causing(Work::Filter);
pub(super) const CREATED_BEFORE: QueryParameter<DateTime<Utc>> = QueryParameter::new(
    "CreatedBefore",
    "created_before",
    "Up to this time, or to the end of this day in UTC.",
    END,
)
.causing(Work::Filter);
pub(super) const USER: QueryParameter<UserId> = QueryParameter::new(
    "OfUser",
    "user",
    "For staff: of the user with this id. From anybody else it is as if it was not there.",
    id_type!(UserId),
)
.causing(Work::Filter);
pub(crate) const ORDERING: QueryParameter<Sorting<OrderField>> =
    QueryParameter::ordering("OrderOrdering");

pub(super) async fn list(call: RequestContext) -> HttpResult {
    let mut query = Query::read(call.query_string());
    let filter = filter(&mut query).seen_by(call.actor)?;
    let scope = scope(&filter);
    match query.list_request(&ORDERING, call.page_size(), &scope, call.signer())? {
        ListRequest::Page(sorting, listing) => {
            page(call, OrderList { filter, sorting }, listing).await
        }
        ListRequest::Cursor(params) => cursor_page(call, filter, params).await,
    }
}

async fn page(call: RequestContext, list: OrderList, mut listing: PageParams) -> HttpResult {
    let read = async |request| {
        let list = list.clone();
        call.read_list(move |shop, actor| shop.orders.list(actor, list, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let orders = page.items.iter().map(OrderResponse::from_order);
    let orders = orders.collect::<Result<_, _>>()?;
    responses::ok(&PageResponse::new(&call.own_url(), &listing, &page, orders))
}

async fn cursor_page(
    call: RequestContext,
    filter: OrderFilter,
    params: CursorParams<OrderField>,
) -> HttpResult {
    let (keyset, span) = (params.keyset, params.span.clone());
    let slice = call
        .read_list(move |shop, actor| shop.orders.cursor_page(actor, filter, keyset, &span))
        .await?;
    let orders = slice.items.iter().map(OrderResponse::from_order);
    let orders = orders.collect::<Result<_, _>>()?;
    let (url, signer) = (call.own_url(), call.signer());
    responses::ok(&CursorPageResponse::new(
        &url, &params, signer, &slice, orders,
    ))
}

pub(crate) fn filter(query: &mut Query) -> OrderFilter {
    OrderFilter {
        user: query.optional(&USER, ()),
        archived: query.flag(&ARCHIVED),
        status: query.optional(&STATUS, ()),
        created_after: query.optional(&CREATED_AFTER, ()),
        created_before: query.optional(&CREATED_BEFORE, ()),
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

pub(super) fn parse_status(word: &str) -> Result<OrderStatus, FieldError> {
    OrderStatus::parse(word).ok_or_else(|| FieldError::NotOneOf {
        allowed: OrderStatus::ALL.map(OrderStatus::as_str).to_vec(),
    })
}
