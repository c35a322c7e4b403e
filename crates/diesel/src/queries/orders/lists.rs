//! Lists of orders.

use super::super::lists::{self, Range, order_by_dir, seek, seek_id};
use super::add_lines;
use super::prelude::*;
use crate::rows::OrderRow;
use crate::schema::orders;
use diesel::dsl::{AsSelect, IntoBoxed, Select, not};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Keyset, Page, PageRequest, SortKey, SortPosition,
};
use tradepost_domain::orders::{Order, OrderField, OrderFilter, OrderList};

type Chosen<'a> = IntoBoxed<'a, orders::table, Db>;

fn chosen<'a>(filter: &OrderFilter) -> Chosen<'a> {
    let query = orders::table.into_boxed();
    // Spelled so that the planners match the partial indexes of either kind.
    let mut query = if filter.archived {
        query.filter(orders::archived)
    } else {
        query.filter(not(orders::archived))
    };
    if let Some(user) = filter.user {
        query = query.filter(orders::user_id.eq(user.get()));
    }
    if let Some(status) = filter.status {
        query = query.filter(orders::status.eq(status.as_str()));
    }
    if let Some(after) = filter.created_after {
        query = query.filter(orders::created_at.ge(micros(after)));
    }
    if let Some(before) = filter.created_before {
        query = query.filter(orders::created_at.le(micros(before)));
    }
    query
}

fn sorted<'a>(mut query: Chosen<'a>, keys: &[SortKey<OrderField>]) -> Chosen<'a> {
    for key in keys {
        let descending = key.descending;
        query = match key.field {
            OrderField::Id => order_by_dir(query, orders::id, descending),
            OrderField::CreatedAt => order_by_dir(query, orders::created_at, descending),
            OrderField::Total => order_by_dir(query, orders::total, descending),
            OrderField::Status => order_by_dir(query, orders::status, descending),
        };
    }
    query
}

pub(super) fn page(
    database: &Database,
    list: &OrderList,
    request: PageRequest,
) -> Result<Page<Order>, StoreError> {
    let currency = database.currency();
    let chosen = || chosen(&list.filter);
    let page = |conn: &mut Conn| {
        let rows = sorted(chosen(), list.sorting.keys())
            .offset(offset(request))
            .limit(i64::from(request.size()))
            .select((OrderRow::as_select(), chosen().count().single_value()))
            .load(conn)?;
        let mut page = lists::counted(rows, |row: OrderRow| row.order(currency))?;
        add_lines(conn, &mut page.items, currency)?;
        Ok(page)
    };
    let count = |conn: &mut Conn| Ok(chosen().count().get_result(conn)?);
    lists::page(database, request, false, page, count)
}

pub(super) fn cursor_page(
    database: &Database,
    filter: &OrderFilter,
    keyset: Keyset<OrderField>,
    span: &CursorRequest,
) -> Result<CursorPage<Order>, StoreError> {
    let currency = database.currency();
    database.read(|conn| {
        let rows = load(conn, filter, keyset, span)?;
        let items = all(rows, |row: OrderRow| row.order(currency))?;
        let mut slice = CursorPage::new(items, keyset, span);
        add_lines(conn, &mut slice.items, currency)?;
        Ok(slice)
    })
}

/// Loads at least the first rows of a span.
fn load(
    conn: &mut Conn,
    filter: &OrderFilter,
    keyset: Keyset<OrderField>,
    span: &CursorRequest,
) -> Result<Vec<OrderRow>, Failure> {
    let descending = keyset.is_descending() != span.backwards;
    let range = Range { span, descending };
    let chosen = || chosen(filter);
    let (id, number) = (orders::id, SortPosition::number);
    let (first, rest) = match keyset.field() {
        OrderField::Id => seek_id(chosen, range, id),
        OrderField::CreatedAt => seek(chosen, range, id, orders::created_at, number),
        OrderField::Total => seek(chosen, range, id, orders::total, number),
        OrderField::Status => seek(chosen, range, id, orders::status, SortPosition::text),
    };
    let finished = |query| first_of_span(query, span);
    Ok(match rest {
        None => finished(first).load(conn)?,
        Some(rest) => finished(first).union_all(finished(rest)).load(conn)?,
    })
}

fn first_of_span<'a>(
    query: Chosen<'a>,
    span: &CursorRequest,
) -> Select<Chosen<'a>, AsSelect<OrderRow, Db>> {
    query
        .limit(i64::from(span.fetch_limit()))
        .select(OrderRow::as_select())
}
