use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_domain::kernel::{CursorPage, CursorRequest, Keyset, Page, PageRequest, StoreError};
use tradepost_domain::orders::{Order, OrderField, OrderFilter, OrderList, OrderRepository};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn lists_oldest_first(
    store: &Store,
    list: &OrderList,
    page: PageRequest,
) -> Result<Page<Order>, StoreError> {
    let mut page = OrderRepository::list(store, list, page)?;
    page.items.reverse();
    Ok(page)
}

pub(crate) fn ignores_filters(
    store: &Store,
    list: &OrderList,
    page: PageRequest,
) -> Result<Page<Order>, StoreError> {
    let filter = OrderFilter {
        archived: list.filter.archived,
        ..OrderFilter::default()
    };
    let sorting = list.sorting.clone();
    OrderRepository::list(store, &OrderList { filter, sorting }, page)
}

pub(crate) fn ignores_sorting(
    store: &Store,
    list: &OrderList,
    page: PageRequest,
) -> Result<Page<Order>, StoreError> {
    OrderRepository::list(store, &OrderList::new(list.filter.clone()), page)
}

/// Compares the value without the id as a tie-breaker.
pub(crate) fn skips_equal_values(
    store: &Store,
    filter: &OrderFilter,
    keyset: Keyset<OrderField>,
    span: &CursorRequest,
) -> Result<CursorPage<Order>, StoreError> {
    let mut slice = OrderRepository::cursor_page(store, filter, keyset, span)?;
    if let Some(edge) = &span.edge {
        let value = |order: &Order| keyset.position(order).value;
        slice
            .items
            .retain(|order| value(order) != edge.position.value);
    }
    Ok(slice)
}

pub(crate) const ROWS: &[Row] = &[
    (
        "lists orders oldest first",
        Behaviour {
            list_orders: lists_oldest_first,
            ..HONEST
        },
        &["orders_are_listed_newest_first"],
    ),
    (
        "lists orders whatever is asked for",
        Behaviour {
            list_orders: ignores_filters,
            ..HONEST
        },
        &["orders_are_filtered"],
    ),
    (
        "sorts orders by age alone",
        Behaviour {
            list_orders: ignores_sorting,
            ..HONEST
        },
        &["orders_are_sorted"],
    ),
    (
        "skips orders that are equal",
        Behaviour {
            slice_orders: skips_equal_values,
            ..HONEST
        },
        &["cursor_pages_list_every_order_once"],
    ),
];
