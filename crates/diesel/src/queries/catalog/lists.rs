//! Lists of products.

use super::super::lists::{self, Range, order_by_dir, seek, seek_id};
use super::prelude::*;
use crate::rows::ProductRow;
use crate::schema::{products, shop, stock};
use diesel::dsl::{AsSelect, IntoBoxed, LeftJoin, LeftJoinQuerySource, Select};
use diesel::sql_types::{BigInt, Nullable};
use tradepost_domain::catalog::{Product, ProductField, ProductFilter, ProductList};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Keyset, Page, PageRequest, SortKey, SortPosition,
};

/// Every product has a stock row. A left join, so that a count without a stock filter reads none.
type Stocked = LeftJoin<products::table, stock::table>;

type StockedSource = LeftJoinQuerySource<products::table, stock::table>;

type Chosen<'a> = IntoBoxed<'a, Stocked, Db>;

/// The number of rows on a list, as a column of each of its rows.
type Count<'a> = Box<dyn BoxableExpression<StockedSource, Db, SqlType = Nullable<BigInt>> + 'a>;

type Size<'a> = IntoBoxed<'a, Select<shop::table, shop::catalogue_size>, Db>;

fn chosen<'a>(filter: &'a ProductFilter, ids: Option<&'a [i64]>) -> Chosen<'a> {
    let mut query = products::table
        .left_join(stock::table)
        .filter(products::archived.eq(filter.archived))
        .into_boxed();
    if let Some(least) = filter.min_price {
        query = query.filter(products::price.ge(least.minor()));
    }
    if let Some(most) = filter.max_price {
        query = query.filter(products::price.le(most.minor()));
    }
    if filter.in_stock {
        query = query.filter(stock::on_hand.gt(0));
    }
    if let Some(ids) = ids {
        query = query.filter(id_in(products::id, ids));
    } else if is_search(filter) {
        query = query.filter(products::id.eq_any(search::products_with(&filter.search)));
    }
    query
}

fn sorted<'a>(mut query: Chosen<'a>, keys: &[SortKey<ProductField>]) -> Chosen<'a> {
    for key in keys {
        let descending = key.descending;
        query = match key.field {
            ProductField::Id => order_by_dir(query, products::id, descending),
            ProductField::Name => order_by_dir(query, products::name, descending),
            ProductField::Price => order_by_dir(query, products::price, descending),
            ProductField::Stock => order_by_dir(query, stock::on_hand, descending),
            ProductField::CreatedAt => order_by_dir(query, products::created_at, descending),
        };
    }
    query
}

/// The stored number of products in the catalogue.
fn size_of_catalogue<'a>() -> Size<'a> {
    let size = shop::table.select(shop::catalogue_size);
    size.into_boxed().filter(shop::id.eq(1))
}

/// Whether a list is the whole catalogue, whose size is stored.
fn is_catalogue(filter: &ProductFilter) -> bool {
    *filter == ProductFilter::default()
}

/// Prefilter: the ids that a search finds, if they are few.
fn prefilter_ids(conn: &mut Conn, filter: &ProductFilter) -> QueryResult<Option<Vec<i64>>> {
    match is_search(filter) {
        true => search::prefilter_ids(conn, &filter.search),
        false => Ok(None),
    }
}

fn is_search(filter: &ProductFilter) -> bool {
    !filter.search.words().is_empty()
}

pub(super) fn page(
    database: &Database,
    list: &ProductList,
    request: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let currency = database.currency();
    let kept = is_catalogue(&list.filter);
    let page = |conn: &mut Conn| -> Result<_, Failure> {
        let ids = prefilter_ids(conn, &list.filter)?;
        let chosen = || chosen(&list.filter, ids.as_deref());
        let count: Count<'_> = match kept {
            true => Box::new(size_of_catalogue().single_value()),
            false => Box::new(chosen().count().single_value()),
        };
        let rows = sorted(chosen(), list.sorting.keys())
            .offset(offset(request))
            .limit(i64::from(request.size()))
            .select((ProductRow::as_select(), count))
            .load(conn)?;
        lists::counted(rows, |row: ProductRow| row.product(currency))
    };
    let count = |conn: &mut Conn| {
        if kept {
            return Ok(size_of_catalogue().get_result(conn)?);
        }
        let ids = prefilter_ids(conn, &list.filter)?;
        let chosen = chosen(&list.filter, ids.as_deref());
        Ok(chosen.count().get_result(conn)?)
    };
    lists::page(database, request, is_search(&list.filter), page, count)
}

pub(super) fn cursor_page(
    database: &Database,
    filter: &ProductFilter,
    keyset: Keyset<ProductField>,
    span: &CursorRequest,
) -> Result<CursorPage<Product>, StoreError> {
    let currency = database.currency();
    let load = |conn: &mut Conn| load(conn, filter, keyset, span);
    // One snapshot, so that the rows have the words by which they were found.
    let rows = match is_search(filter) {
        true => database.snapshot(load),
        false => database.read(load),
    }?;
    let items = rows.into_iter().map(|row| row.product(currency));
    let items = items.collect::<Result<_, _>>()?;
    Ok(CursorPage::new(items, keyset, span))
}

/// Loads at least the first rows of a span.
fn load(
    conn: &mut Conn,
    filter: &ProductFilter,
    keyset: Keyset<ProductField>,
    span: &CursorRequest,
) -> Result<Vec<ProductRow>, Failure> {
    let descending = keyset.is_descending() != span.backwards;
    let range = Range { span, descending };
    let ids = prefilter_ids(conn, filter)?;
    let chosen = || chosen(filter, ids.as_deref());
    let (id, number) = (products::id, SortPosition::number);
    let (first, rest) = match keyset.field() {
        ProductField::Id => seek_id(chosen, range, id),
        ProductField::Name => seek(chosen, range, id, products::name, SortPosition::text),
        ProductField::Price => seek(chosen, range, id, products::price, number),
        ProductField::Stock => seek(chosen, range, id, stock::on_hand, number),
        ProductField::CreatedAt => seek(chosen, range, id, products::created_at, number),
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
) -> Select<Chosen<'a>, AsSelect<ProductRow, Db>> {
    query
        .limit(i64::from(span.fetch_limit()))
        .select(ProductRow::as_select())
}
